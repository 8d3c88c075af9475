"""Estimates the hours and machine-hours of a large data job and its training.

    python -m benchmarks.plan --data_rate=100000 --training_rate=1500 --efficiency=0.9

Measure the rates on a machine of the same type with a part of the drawings. The data
job prints its drawings/s at the end (data_rate), training prints them for each epoch
(training_rate). Efficiency is the rate of two workers divided by twice that of one.

The estimate assumes that the rates hold for all drawings and machines. It does not
include the start of the machines, nor work that is repeated after an interruption.
"""

from collections.abc import Sequence
from typing import NamedTuple

from absl import flags

from pipeline import cli
from pipeline.report.text_table import format_table
from rnn_model.config import TrainConfig

TRAIN_SHARE, VALIDATION_SHARE = 0.8, 0.1
"""Default splits of pipeline.create_dataset."""

VALIDATION_COST = 1 / 3
"""Cost of evaluating a drawing, relative to training. A backward pass costs about twice
as much as a forward pass."""


class Estimate(NamedTuple):
    """Time of one step on some number of machines."""

    step: str
    machines: int
    hours: float

    @property
    def machine_hours(self) -> float:
        """Hours of all machines together."""
        return self.hours * self.machines


def _define_flags() -> None:
    flags.DEFINE_integer("drawings", 50_000_000, "Number of drawings.", lower_bound=1)
    flags.DEFINE_float("data_rate", None, "Drawings/s of the data job on one machine.")
    flags.DEFINE_float("training_rate", None, "Drawings/s of training on one worker.")
    flags.DEFINE_float(
        "efficiency",
        1.0,
        "Rate of a worker among several, relative to a single worker.",
        lower_bound=0.01,
        upper_bound=1.0,
    )
    flags.DEFINE_integer(
        "epochs", 0, "Number of epochs; 0 for the default of train.py.", lower_bound=0
    )
    flags.DEFINE_list("machines", ["1", "4", "16"], "Numbers of machines to compare.")


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    cli.require("data_rate", "training_rate")
    machines = [int(number) for number in values.machines]
    if min(values.data_rate, values.training_rate, *machines) <= 0:
        raise ValueError("rates and numbers of machines must be > 0")
    num_train = round(values.drawings * TRAIN_SHARE)
    epochs = TrainConfig(epochs=values.epochs).resolve_epochs(num_train).epochs
    estimates = [
        *estimate_data_job(values.drawings, values.data_rate, machines),
        *estimate_training(
            values.drawings, epochs, values.training_rate, values.efficiency, machines
        ),
    ]
    print(f"Estimate for {values.drawings:,} drawings and at most {epochs} epochs\n")
    print(format_estimates(estimates))


def estimate_data_job(
    drawings: int, rate: float, machines: Sequence[int]
) -> list[Estimate]:
    """Estimates the data job, whose shards are independent."""
    return [
        Estimate("data", count, drawings / (rate * count) / 3600) for count in machines
    ]


def estimate_training(
    drawings: int,
    epochs: int,
    rate: float,
    efficiency: float,
    machines: Sequence[int],
) -> list[Estimate]:
    """Estimates training, with an evaluation of the validation split per epoch."""
    drawings_per_epoch = drawings * (TRAIN_SHARE + VALIDATION_SHARE * VALIDATION_COST)
    seconds = drawings_per_epoch * epochs / rate
    return [
        Estimate(
            "training",
            count,
            seconds / (count * (efficiency if count > 1 else 1.0)) / 3600,
        )
        for count in machines
    ]


def format_estimates(estimates: Sequence[Estimate]) -> str:
    """Formats a table of the estimates."""
    head = ["step", "machines", "hours", "machine-hours"]
    rows = [
        [each.step, each.machines, f"{each.hours:.2f}", f"{each.machine_hours:.2f}"]
        for each in estimates
    ]
    return format_table(head, rows)


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
