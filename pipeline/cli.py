"""How every command starts and ends: flags in, one-line errors out."""

import dataclasses
import importlib
import logging
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TypeVar

from absl import flags
from tqdm import tqdm

FAILED = 1
MISUSED = 2
INTERRUPTED = 130

Settings = TypeVar("Settings")


def run(
    main: Callable[[], None],
    define_flags: Callable[[], None],
    *,
    doc: str,
    take_rest: Callable[[list[str]], None] | None = None,
) -> None:
    """Parses the command line, runs `main`, and exits.

    Flags are defined here and not on import, so that two commands may share a flag's
    name. A wrong flag exits with 2; what a user can mend (ValueError, OSError) is one
    line on stderr and exits with 1. Anything else is a fault of ours and keeps its
    traceback.

    Args:
      main: the command; it reads `flags.FLAGS`.
      define_flags: defines its flags.
      doc: what `--help` says first.
      take_rest: is given the arguments that are no flags of ours (without it they
        are an error); it may raise `flags.Error`.
    """
    # Of each try to find credentials for gs:// it tells with a traceback.
    logging.getLogger("apache_beam.utils.retry").setLevel(logging.CRITICAL)
    own = _newly_defined(define_flags)
    arguments = sys.argv[1:]
    if {"--help", "-help", "-h"} & set(arguments):
        print(_help(doc, own))
        sys.exit(0)
    try:
        rest = flags.FLAGS(sys.argv, known_only=take_rest is not None)[1:]
        if take_rest is not None:
            take_rest(rest)
        elif rest:
            raise flags.Error(f"not a flag: {rest[0]!r}")
    except (flags.Error, ValueError) as error:
        _fail(f"{_one_line(error)} (--help lists the flags)", MISUSED)
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has seen enough, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except (ValueError, OSError) as error:
        _fail(_one_line(error), FAILED)
    except KeyboardInterrupt as error:
        _fail(_one_line(error) if str(error) else "interrupted", INTERRUPTED)


def require(*names: str) -> None:
    """Raises ValueError for the first of these flags that was not given."""
    for name in names:
        if not flags.FLAGS[name].value:
            raise ValueError(f"--{name} is missing")


def require_local(*names: str) -> None:
    """Raises ValueError for the first of these flags that names remote storage."""
    for name in names:
        if "://" in (value := flags.FLAGS[name].value):
            raise ValueError(f"--{name}={value} is not on this machine; copy it after")


def import_extra(name: str, extra: str) -> ModuleType:
    """Imports a module of a library that only one of the package's extras brings.

    Raises:
      ValueError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{error.name} is not installed: pip install 'quickdraw-rnn[{extra}]'"
        ) from None


def define_fields(settings: type) -> None:
    """Defines a flag for each field of a dataclass of settings.

    Its default gives the kind of flag; `metadata` holds "help", and "choices" if any.
    """
    for field in dataclasses.fields(settings):
        text, choices = field.metadata["help"], field.metadata.get("choices")
        if choices:
            text += f" One of {', '.join(choices)}."
        _DEFINERS[type(field.default)](field.name, field.default, text)


_DEFINERS = {
    bool: flags.DEFINE_bool,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
    tuple: flags.DEFINE_list,
}


def fields_from_flags(settings: type[Settings]) -> Settings:
    """Makes the settings of the flags that `define_fields` defined."""
    return settings(
        **{
            field.name: type(field.default)(flags.FLAGS[field.name].value)
            for field in dataclasses.fields(settings)
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
        # A log is not to fill with lines that a terminal would overwrite.
        mininterval=0.2 if sys.stderr.isatty() else 60.0,
        dynamic_ncols=True,
    )


def _newly_defined(define_flags: Callable[[], None]) -> list[str]:
    before = set(flags.FLAGS)
    define_flags()
    return sorted(set(flags.FLAGS) - before)


def _help(doc: str, names: Sequence[str]) -> str:
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


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _fail(message: str, status: int) -> None:
    sys.stdout.flush()
    print(f"error: {message}", file=sys.stderr, flush=True)
    os._exit(status)  # a library's threads would keep us until they are done
