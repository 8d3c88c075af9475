"""What came of a sweep, in order: as a table, as JSON, and as a command to type."""

import dataclasses
import math
import shlex
from typing import Any

from pipeline.report.text_table import format_table
from rnn_model.config import TrainConfig
from rnn_model.sweep.space import Params, Space, short
from rnn_model.training.loop import History

_ORDER = ("completed", "pruned", "failed", "running", "waiting")


@dataclasses.dataclass(frozen=True)
class Result:
    """What is known of a trial.

    Attributes:
      number: its place among the trials.
      params: what it has for itself.
      state: completed, pruned, failed, running or waiting.
      reason: why it was pruned or failed.
      folder: where its run is kept.
      history: its epochs.
    """

    number: int
    params: Params
    state: str
    reason: str
    folder: str
    history: History

    @property
    def best(self) -> dict[str, Any] | None:
        """The epoch with the best validation top-1, None before the first."""
        return max(self.history, key=lambda row: row["validation_top1"], default=None)

    @property
    def top1(self) -> float:
        """The best validation top-1, nan before the first epoch."""
        return self.best["validation_top1"] if self.best else math.nan


def ranked(results: list[Result]) -> list[Result]:
    """Puts the completed first, the best of them at the top; then pruned, then failed.

    Of equal ones the one with the smaller validation loss comes first.
    """

    def rank(result: Result) -> tuple[int, float, float, int]:
        best = result.best or {"validation_top1": 0.0, "validation_loss": math.inf}
        return (
            _ORDER.index(result.state),
            -best["validation_top1"],
            best["validation_loss"],
            result.number,
        )

    return sorted(results, key=rank)


def train_command(config: TrainConfig, data_dir: str, workdir: str) -> str:
    """The command line that trains with these settings."""
    words = [f"--data_dir={data_dir}", f"--workdir={workdir}"]
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value == field.default:
            continue
        if isinstance(value, bool):
            words.append(f"--{'' if value else 'no'}{field.name}")
        else:
            words.append(f"--{field.name}={value}")
    return shlex.join(["python", "train.py", *words])


def head(tried: Space) -> list[str]:
    """The names of the cells of `row`."""
    return ["trial", *tried.names, "top-1", "in epoch", "of", "training", "state"]


def row(result: Result, tried: Space) -> list[str | int | float]:
    """What a table says of a trial; nan for what is not known."""
    minutes, seconds = divmod(round(sum(row["seconds"] for row in result.history)), 60)
    return [
        result.number,
        *(short(result.params.get(name, "")) for name in tried.names),
        result.top1,
        result.best["epoch"] if result.best else math.nan,
        len(result.history),
        f"{minutes}:{seconds:02d} min",
        f"{result.state}: {result.reason}" if result.reason else result.state,
    ]


def table(results: list[Result], tried: Space) -> str:
    """Lays trials out as lines of text."""
    return format_table(head(tried), [row(result, tried) for result in results])


def to_json(results: list[Result], tried: Space, command: str) -> dict[str, Any]:
    """The content of `sweep.json`; a nan, which JSON has not, is null."""
    trials = [
        {
            "number": result.number,
            "state": result.state,
            "reason": result.reason,
            "params": result.params,
            "validation_top1": result.top1 if result.best else None,
            "workdir": result.folder,
            "history": result.history,
        }
        for result in results
    ]
    return tried.to_json() | {"trials": trials, "best_command": command}
