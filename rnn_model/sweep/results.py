"""Results of a sweep: ranking, text table, JSON, and the command of the best trial."""

import dataclasses
import math
import shlex
from typing import Any

from pipeline.report.text_table import format_table
from rnn_model.config import TrainConfig
from rnn_model.sweep.space import Params, SearchSpace, format_value
from rnn_model.workdir import History

_STATE_ORDER = ("completed", "pruned", "failed", "running", "waiting")


@dataclasses.dataclass(frozen=True)
class TrialResult:
    """The state of a trial.

    Attributes:
      number: number of the trial.
      params: settings that differ between trials.
      state: completed, pruned, failed, running or waiting.
      reason: why it failed.
      folder: workdir of its training run.
      history: its epochs.
    """

    number: int
    params: Params
    state: str
    reason: str
    folder: str
    history: History

    @property
    def best_epoch(self) -> dict[str, Any]:
        """The epoch with the highest validation top-1; empty before the first."""
        return max(self.history, key=lambda row: row["validation_top1"], default={})

    @property
    def top1(self) -> float:
        """The highest validation top-1, NaN before the first epoch."""
        return self.best_epoch.get("validation_top1", math.nan)

    @property
    def train_seconds(self) -> float:
        """Duration of the training."""
        return sum(row["seconds"] for row in self.history)


def rank(trials: list[TrialResult]) -> list[TrialResult]:
    """Sorts trials: completed ones first, then pruned, then failed.

    Within a state, the highest validation top-1 comes first; of equal ones, the lowest
    validation loss.
    """

    def sort_key(trial: TrialResult) -> tuple[int, float, float, int]:
        best = trial.best_epoch
        return (
            _STATE_ORDER.index(trial.state),
            -best.get("validation_top1", 0.0),
            best.get("validation_loss", math.inf),
            trial.number,
        )

    return sorted(trials, key=sort_key)


def train_command(config: TrainConfig, data_dir: str, workdir: str) -> str:
    """Formats the command line of `train.py` with these settings."""
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


def column_names(search_space: SearchSpace) -> list[str]:
    """Returns the column names of `table_row`."""
    names = ["trial", *search_space.names, "top-1", "best epoch", "epochs", "training"]
    return [*names, "state"]


def table_row(trial: TrialResult, search_space: SearchSpace) -> list[str | int | float]:
    """Returns the cells of a trial; NaN for unknown numbers."""
    minutes, seconds = divmod(round(trial.train_seconds), 60)
    return [
        trial.number,
        *(format_value(trial.params.get(name, "")) for name in search_space.names),
        trial.top1,
        trial.best_epoch.get("epoch", math.nan),
        len(trial.history),
        f"{minutes}:{seconds:02d} min",
        f"{trial.state}: {trial.reason}" if trial.reason else trial.state,
    ]


def format_results(trials: list[TrialResult], search_space: SearchSpace) -> str:
    """Formats trials as a text table."""
    rows = [table_row(trial, search_space) for trial in trials]
    return format_table(column_names(search_space), rows)


def to_json(
    trials: list[TrialResult], search_space: SearchSpace, best_command: str
) -> dict[str, Any]:
    """Converts trials to the content of `sweep.json`."""
    rows = [
        {
            "number": trial.number,
            "state": trial.state,
            "reason": trial.reason,
            "params": trial.params,
            # JSON has no NaN.
            "validation_top1": trial.top1 if trial.history else None,
            "workdir": trial.folder,
            "history": trial.history,
        }
        for trial in trials
    ]
    return search_space.to_json() | {"trials": rows, "best_command": best_command}
