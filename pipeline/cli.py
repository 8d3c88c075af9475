"""How every command starts and ends: flags, one-line errors, progress bars.

A command module defines its flags in `_define_flags`, does its work in `main`, and
calls `run`. Heavy libraries are imported in `main`, so that `--help` answers at once.
"""

import contextlib
import dataclasses
import difflib
import importlib
import logging
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from absl import flags
from tqdm import tqdm

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130

WSL_URL = "https://learn.microsoft.com/windows/wsl"

extra_args: list[str] = []
"""The arguments of the running command that are not its flags; see `run`."""

_UNIX_MODULES = ("fcntl", "pwd", "resource", "termios")

Config = TypeVar("Config", bound="DataclassInstance")


def run(
    main: Callable[[], None],
    define_flags: Callable[[], None],
    *,
    doc: str,
    find_unknown_args: Callable[[list[str]], list[str]] | None = None,
) -> None:
    """Parses the command line, runs `main`, and exits.

    Flags are defined here and not on import, so that two commands may share the name
    of a flag. A `~` at the start of a value is expanded. A wrong flag exits with
    status 2. An error that a user can correct (ValueError, OSError) is printed as one
    line on stderr and exits with status 1, or with its `exit_status`. Any other
    exception is a bug and keeps its traceback.

    Args:
      main: the command; it reads `flags.FLAGS`.
      define_flags: defines the command's flags.
      doc: the beginning of what `--help` prints.
      find_unknown_args: receives the arguments that are not flags of this command and
        returns those it does not know either; may raise ValueError. `main` reads the
        arguments from `extra_args`. Without it, extra arguments are an error.
    """
    # TensorFlow reads it on import. A few lines are logged before that regardless.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Beam logs a traceback for each attempt to find credentials for gs://.
    logging.getLogger("apache_beam.utils.retry").setLevel(logging.CRITICAL)
    with _defined_flags(define_flags) as names:
        if {"--help", "-help", "-h"} & set(sys.argv[1:]):
            print(_format_help(doc, names))
            sys.exit(0)
        try:
            _parse_flags(names, find_unknown_args)
        except (flags.Error, ValueError) as error:
            _fail(f"{_format_error(error)} (--help lists the flags)", WRONG_USAGE)
        try:
            main()
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader of stdout, such as `head`, has closed it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FAILED)
        except ModuleNotFoundError as error:
            if error.name not in _UNIX_MODULES:
                raise
            _fail(f"native Windows is not supported; use WSL: {WSL_URL}", FAILED)
        except (ValueError, OSError) as error:
            _fail(_format_error(error), getattr(error, "exit_status", FAILED))
        except KeyboardInterrupt as error:
            message = _format_error(error) if str(error) else "interrupted"
            _fail(message, INTERRUPTED)


def require(*names: str) -> None:
    """Raises ValueError for the first of these flags that has no value."""
    for name in names:
        if not flags.FLAGS[name].value:
            raise ValueError(f"--{name} is missing")


def require_local(*names: str) -> None:
    """Raises ValueError for the first of these flags that names remote storage."""
    for name in names:
        value = str(flags.FLAGS[name].value)
        if "://" in value:
            raise ValueError(
                f"--{name} must be a local path; copy the result afterwards. "
                f"Received: {value}"
            )


def import_extra(name: str, extra: str) -> ModuleType:
    """Imports a module of a library that an extra of the package installs.

    Raises:
      ValueError: the library is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{error.name} is not installed: pip install 'quickdraw-rnn[{extra}]'"
        ) from None


def define_fields(config_type: "type[DataclassInstance]") -> None:
    """Defines a flag for each field of a dataclass.

    The type of the field's default gives the type of the flag; the field's `metadata`
    has its "help", and "choices" if there are any.
    """
    for field in dataclasses.fields(config_type):
        define_flag = _DEFINE_FLAG[type(field.default)]
        text, choices = field.metadata["help"], field.metadata.get("choices")
        if choices:
            text += f" One of {', '.join(choices)}."
        define_flag(field.name, field.default, text)


def define_list(name: str, default: list[str] | None, text: str) -> None:
    """Defines a flag of comma-separated values; repeating the flag adds values."""
    parser, serializer = flags.ListParser(), flags.CsvListSerializer(",")
    text += " May be repeated."
    flags.DEFINE_flag(_RepeatableListFlag(parser, serializer, name, default, text))


class _RepeatableListFlag(flags.Flag):  # no type parameter: absl 1.4 has none
    """A list flag of which no occurrence replaces another."""

    def parse(self, argument: str | list[str]) -> None:
        """Adds the values of an occurrence of the flag."""
        previous = self.value if self.present else None
        super().parse(argument)
        self.value = (previous or []) + (self.value or [])


_DEFINE_FLAG: dict[type, Callable[..., Any]] = {
    bool: flags.DEFINE_bool,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
    tuple: flags.DEFINE_list,
}


def fields_from_flags(config_type: type[Config]) -> Config:
    """Makes a dataclass from the flags that `define_fields` defined."""
    return config_type(
        **{
            field.name: cast(Any, type(field.default))(flags.FLAGS[field.name].value)
            for field in dataclasses.fields(config_type)
        }
    )


def progress(total: int | None, what: str, done: int = 0, shown: bool = True) -> tqdm:
    """Makes a bar on stderr that shows drawings, drawings/s and the time left."""
    return tqdm(
        disable=not shown,
        total=total,
        initial=done,
        desc=what,
        unit=" drawings",
        unit_scale=True,
        # A log file gets few lines; a terminal overwrites them.
        mininterval=0.2 if sys.stderr.isatty() else 60.0,
        dynamic_ncols=True,
    )


def is_in_notebook() -> bool:
    """Returns whether this process is a kernel of Jupyter or IPython."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


@contextlib.contextmanager
def _defined_flags(define_flags: Callable[[], None]) -> Iterator[list[str]]:
    """Defines flags; removes them at the end, so that `%run` works a second time."""
    before = set(flags.FLAGS)
    define_flags()
    names = sorted(set(flags.FLAGS) - before)
    try:
        yield names
    finally:
        for name in names:
            delattr(flags.FLAGS, name)


def _parse_flags(
    names: list[str], find_unknown_args: Callable[[list[str]], list[str]] | None
) -> None:
    """Parses `sys.argv`.

    Raises:
      ValueError, flags.Error: a wrong flag.
    """
    extra_args[:] = map(_expand_user, flags.FLAGS(sys.argv, known_only=True)[1:])
    unknown_args = find_unknown_args(extra_args) if find_unknown_args else extra_args
    if unknown_args:
        raise ValueError(_describe_unknown(unknown_args[0], names))
    for name in names:
        flag = flags.FLAGS[name]
        if isinstance(flag.value, str):
            flag.value = _expand_user(flag.value)
        elif isinstance(flag.value, list):
            flag.value = list(map(_expand_user, flag.value))


def _expand_user(text: str) -> str:
    """Expands `~` at the start of a value, or of the value in `--flag=value`."""
    flag, separator, value = text.partition("=") if text[:1] == "-" else ("", "", text)
    return flag + separator + os.path.expanduser(value)


def _describe_unknown(argument: str, names: list[str]) -> str:
    if not argument.startswith("-"):
        return f"not a flag: {argument!r}"
    flag = argument.partition("=")[0]
    name = flag.lstrip("-").replace("-", "_")
    matches = difflib.get_close_matches(name, names, n=1)
    suggestion = f"; did you mean --{matches[0]}?" if matches else ""
    return f"unknown flag {flag}{suggestion}"


def _format_help(doc: str, names: Sequence[str]) -> str:
    lines = [textwrap.dedent(doc).strip(), "", "Flags:"]
    for name in names:
        flag = flags.FLAGS[name]
        default = "" if flag.default is None else f" (default: {_default(flag)})"
        text = " ".join((flag.help or "").split()) + default
        lines.append(f"  --{name}")
        lines.append(textwrap.indent(textwrap.fill(text, 78), " " * 6))
    return "\n".join(lines)


def _default(flag: flags.Flag) -> str:
    return str(flag.default_as_str).strip("'") or "empty"


def _format_error(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _fail(message: str, status: int) -> None:
    """Prints an error and exits."""
    sys.stdout.flush()
    print(f"error: {message}", file=sys.stderr, flush=True)
    if is_in_notebook():
        sys.exit(status)
    os._exit(status)  # without waiting for the threads of a library
