"""The search space of a sweep: values and ranges of training settings.

    optimizer:adam,sgd                  values
    learning_rate:1e-4..1e-2:log        a range, sampled uniformly in its logarithm
    dropout:0.1..0.6                    a range, sampled uniformly

These are values of the flags --grid and --range. The setting is named inside the flag
so that `--dropout=0.2` means the same as for `train.py`: one value for all trials.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

from rnn_model.config import TrainConfig

Params = dict[str, Any]
"""The settings that differ between trials, by name."""

_DEFAULTS = dataclasses.asdict(TrainConfig())
_TYPE_NAMES = {bool: "true or false", int: "an integer", float: "a number"}


class Range(NamedTuple):
    """A range of numbers.

    Attributes:
      low: lower bound, inclusive.
      high: upper bound, inclusive.
      log: whether to sample the logarithm uniformly.
    """

    low: int | float
    high: int | float
    log: bool

    def __str__(self) -> str:
        return f"{self.low}..{self.high}{':log' if self.log else ''}"


@dataclasses.dataclass(frozen=True)
class SearchSpace:
    """The settings of all trials.

    Attributes:
      fixed: settings that are the same for all trials.
      choices: values to try, by setting, in the given order.
      ranges: ranges to sample from, by setting.
    """

    fixed: Params
    choices: dict[str, tuple[Any, ...]]
    ranges: dict[str, Range]

    @property
    def names(self) -> list[str]:
        """The settings that differ between trials."""
        return [*self.choices, *self.ranges]

    def combinations(self) -> Iterator[Params]:
        """Yields all combinations of the choices and of the bounds of the ranges."""
        bounds = {name: (span.low, span.high) for name, span in self.ranges.items()}
        values = self.choices | bounds
        for combination in itertools.product(*values.values()):
            yield dict(zip(values, combination))

    def config(self, params: Params) -> TrainConfig:
        """Builds the config of a trial.

        Raises:
          ValueError: a setting is invalid; the message lists the params.
        """
        try:
            return TrainConfig(**self.fixed | params)
        except ValueError as error:
            raise ValueError(f"Invalid combination {describe(params)}: {error}")

    def check(self) -> None:
        """Raises ValueError if a combination of settings is invalid."""
        for params in self.combinations():
            self.config(params)

    def to_json(self) -> dict[str, Any]:
        """Converts the space to JSON values; equal spaces have equal JSON values."""
        ranges = {name: str(span) for name, span in self.ranges.items()}
        tried = {name: list(values) for name, values in self.choices.items()} | ranges
        return {"tried": tried, "fixed": self.fixed}


def describe(params: Params) -> str:
    """Formats params, such as `optimizer=adam, learning_rate=0.01`."""
    return ", ".join(f"{name}={format_value(value)}" for name, value in params.items())


def format_value(value: Any) -> str:
    """Formats a value of a setting, a float with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def parse(
    grids: Sequence[str], ranges: Sequence[str]
) -> tuple[dict[str, tuple[Any, ...]], dict[str, Range]]:
    """Parses the values of all --grid and --range flags.

    Raises:
      ValueError: a flag cannot be parsed, or two flags name the same setting.
    """
    choices = [parse_grid(flag) for flag in grids]
    spans = [parse_range(flag) for flag in ranges]
    names = [name for name, _ in (*choices, *spans)]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} is in several --grid or --range flags.")
    return dict(choices), dict(spans)


def parse_grid(flag: str) -> tuple[str, tuple[Any, ...]]:
    """Parses `name:value,value`.

    Raises:
      ValueError: there is no such setting, or the values are missing, duplicate or of
        the wrong type.
    """
    fail = functools.partial(_fail, f"--grid={flag}")
    name, text = _split_name(flag, "name:value,value", fail)
    values = tuple(_parse_value(name, value.strip(), fail) for value in text.split(","))
    if len(set(values)) < len(values):
        fail("duplicate value")
    return name, values


def parse_range(flag: str) -> tuple[str, Range]:
    """Parses `name:low..high` or `name:low..high:log`.

    Raises:
      ValueError: there is no such setting, it is not a number, or the range is invalid.
    """
    fail = functools.partial(_fail, f"--range={flag}")
    name, text = _split_name(flag, "name:low..high", fail)
    if type(_DEFAULTS[name]) not in (int, float):
        fail(f"{name} is not a number; use --grid")
    span, colon, scale = text.partition(":")
    low_text, dots, high_text = span.partition("..")
    if not dots or (colon and scale != "log"):
        fail("expected low..high or low..high:log")
    low, high = (_parse_value(name, end.strip(), fail) for end in (low_text, high_text))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        fail(f"{low} is not less than {high}")
    if scale and low <= 0:
        fail("the lower bound of a logarithmic range must be positive")
    return name, Range(low, high, bool(scale))


def _split_name(
    flag: str, syntax: str, fail: Callable[[str], NoReturn]
) -> tuple[str, str]:
    name, _, text = flag.partition(":")
    name = name.strip()
    if not text.strip():
        fail(f"no values; expected {syntax}")
    if name not in _DEFAULTS:
        fail(f"unknown setting {name!r}; settings are {', '.join(_DEFAULTS)}")
    return name, text


def _parse_value(name: str, text: str, fail: Callable[[str], NoReturn]) -> Any:
    value_type = type(_DEFAULTS[name])
    try:
        if value_type is bool:
            return {"true": True, "false": False}[text.lower()]
        return value_type(text)
    except (KeyError, ValueError):
        fail(f"{name} must be {_TYPE_NAMES[value_type]}. Received: {text!r}")


def _fail(flag: str, message: str) -> NoReturn:
    raise ValueError(f"{flag}: {message}")
