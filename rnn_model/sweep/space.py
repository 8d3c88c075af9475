"""What a sweep tries: values and ranges of the settings of a run.

    optimizer:adam,sgd                  values
    learning_rate:1e-4..1e-2:log        a range, sampled evenly by its logarithm
    dropout:0.1..0.6                    a range, sampled evenly

The name stands before a colon, in a flag of its own, so that `--dropout=0.2` means here
what it means to `train.py`: one value, for all trials.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from rnn_model.config import TrainConfig

Params = dict[str, Any]
"""What a trial has for itself: the name of a setting to its value."""

_FIELDS = {field.name: field for field in dataclasses.fields(TrainConfig)}
_KINDS = {bool: "true or false", int: "a whole number", float: "a number"}


class Range(NamedTuple):
    """Numbers from `low` to `high`, both included; with `log`, of any size alike."""

    low: int | float
    high: int | float
    log: bool

    def __str__(self) -> str:
        return f"{self.low}..{self.high}{':log' if self.log else ''}"


@dataclasses.dataclass(frozen=True)
class Space:
    """All settings that trials may have.

    Attributes:
      fixed: the settings that hold for all trials.
      choices: values to try, by setting, in the order that they were given in.
      ranges: ranges to try, by setting.
    """

    fixed: Params
    choices: dict[str, tuple[Any, ...]]
    ranges: dict[str, Range]

    @property
    def names(self) -> list[str]:
        """The settings that are tried."""
        return [*self.choices, *self.ranges]

    def product(self) -> Iterator[Params]:
        """Every choice with every other; of a range, both its ends."""
        ends = {name: (span.low, span.high) for name, span in self.ranges.items()}
        values = self.choices | ends
        for combination in itertools.product(*values.values()):
            yield dict(zip(values, combination))

    def config(self, params: Params) -> TrainConfig:
        """The settings of a trial; ValueError names the params that cannot be."""
        try:
            return TrainConfig(**self.fixed | params)
        except ValueError as error:
            raise ValueError(f"{describe(params)} cannot be: {error}")

    def check(self) -> None:
        """Raises ValueError if some trial would have settings that cannot be."""
        for params in self.product():
            self.config(params)

    def to_json(self) -> dict[str, Any]:
        """As `json` gives it back, to be kept and compared."""
        ranges = {name: str(span) for name, span in self.ranges.items()}
        tried = {name: list(values) for name, values in self.choices.items()} | ranges
        return {"tried": tried, "fixed": self.fixed}


def describe(params: Params) -> str:
    """Writes params as people read them: `optimizer=adam, learning_rate=0.01`."""
    return ", ".join(f"{name}={short(value)}" for name, value in params.items())


def short(value: Any) -> str:
    """A value in few digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def parse_grid(flag: str) -> tuple[str, tuple[Any, ...]]:
    """Reads `name:value,value`.

    Raises:
      ValueError: no setting of that name, no value, one twice or one that does not
        parse.
    """
    fail = functools.partial(_fail, f"--grid={flag}")
    name, text = _split(flag, "name:value,value", fail)
    values = tuple(_value(name, each.strip(), fail) for each in text.split(","))
    if len(set(values)) < len(values):
        fail("a value is there twice")
    return name, values


def parse_range(flag: str) -> tuple[str, Range]:
    """Reads `name:low..high`, or `name:low..high:log`.

    Raises:
      ValueError: no setting of that name, or it is no number, or no range.
    """
    fail = functools.partial(_fail, f"--range={flag}")
    name, text = _split(flag, "name:low..high", fail)
    if type(_FIELDS[name].default) not in (int, float):
        fail(f"{name} is no number; its values go into --grid")
    span, colon, scale = text.partition(":")
    low_text, dots, high_text = span.partition("..")
    if not dots or (colon and scale != "log"):
        fail("a range is low..high, or low..high:log")
    low, high = (_value(name, end.strip(), fail) for end in (low_text, high_text))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        fail(f"{low} is not less than {high}")
    if scale and low <= 0:
        fail("a logarithm is of what is more than 0")
    return name, Range(low, high, bool(scale))


def parse(
    grids: Sequence[str], ranges: Sequence[str]
) -> tuple[dict[str, tuple[Any, ...]], dict[str, Range]]:
    """Reads all flags of a sweep; ValueError also for a setting that is there twice."""
    pairs = [parse_grid(flag) for flag in grids], [parse_range(flag) for flag in ranges]
    seen = set()
    for name, _ in itertools.chain(*pairs):
        if name in seen:
            raise ValueError(f"{name} is there twice; one --grid may name all values")
        seen.add(name)
    return dict(pairs[0]), dict(pairs[1])


def _split(flag: str, form: str, fail: Callable[[str], None]) -> tuple[str, str]:
    name, _, text = flag.partition(":")
    name = name.strip()
    if not text.strip():
        fail(f"nothing to try; it is written {form}")
    if name not in _FIELDS:
        fail(f"there is no setting {name!r}; there are {', '.join(_FIELDS)}")
    return name, text


def _value(name: str, text: str, fail: Callable[[str], None]) -> Any:
    kind = type(_FIELDS[name].default)
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        return kind(text)
    except (KeyError, ValueError):
        fail(f"{text!r} is not {_KINDS[kind]}, which {name} is")


def _fail(where: str, what: str) -> None:
    raise ValueError(f"{where}: {what}")
