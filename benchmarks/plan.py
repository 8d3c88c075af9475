"""Estimates how long the data job and training take, and how many machine-hours.

    python -m benchmarks.plan --data_rate=100000 --training_rate=1500 --efficiency=0.9

Measure the rates first, on a machine of the kind that is to do it, with a part of the
drawings: the data job tells its drawings/s when it is done (data_rate), training in the
line of each epoch (training_rate). Train with two workers too: what they do together,
divided by twice what one does, is the efficiency.

It is an estimate, and no more: rates are taken to stay what they were for a part of the
drawings, on all machines alike; machines take minutes to start; a job that is stopped
does some of its work again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from absl import flags

from pipeline import cli
from rnn_model.config import TrainConfig

TRAIN_SHARE, VALIDATION_SHARE = 0.8, 0.1
"""Of the drawings, as pipeline.create_dataset splits them by default."""

VALIDATION_COST = 1 / 3
"""Of a drawing beside one in training: forward, but not backward, which costs twice."""


class Step(NamedTuple):
    """What so many machines take for a part of the work."""

    what: str
    machines: int
    hours: float

    @property
    def machine_hours(self) -> float:
        return self.hours * self.machines


def _define_flags() -> None:
    flags.DEFINE_integer("drawings", 50_000_000, "Drawings in all.", lower_bound=1)
    flags.DEFINE_float("data_rate", None, "Drawings/s of a machine in the data job.")
    flags.DEFINE_float("training_rate", None, "Drawings/s of one worker in training.")
    flags.DEFINE_float(
        "efficiency",
        1.0,
        "Share of its speed that a worker keeps when there are several: they wait for "
        "each other at every step.",
        lower_bound=0.01,
        upper_bound=1.0,
    )
    flags.DEFINE_integer(
        "epochs", 0, "Of training. 0: as train.py sets them.", lower_bound=0
    )
    flags.DEFINE_list("machines", ["1", "4", "16"], "Numbers of machines to compare.")


def main() -> None:
    """Prints the plan."""
    values = flags.FLAGS
    cli.require("data_rate", "training_rate")
    machines = [int(number) for number in values.machines]
    if min(values.data_rate, values.training_rate, *machines) <= 0:
        raise ValueError("rates and numbers of machines must be > 0")
    train = round(values.drawings * TRAIN_SHARE)
    epochs = TrainConfig(epochs=values.epochs).for_drawings(train).epochs
    steps = [
        *data_job(values.drawings, values.data_rate, machines),
        *training(
            values.drawings, epochs, values.training_rate, values.efficiency, machines
        ),
    ]
    print(f"An estimate for {values.drawings:,} drawings; epochs at most: {epochs}\n")
    print(table(steps))


def data_job(drawings: int, rate: float, machines: Sequence[int]) -> list[Step]:
    """The data job: its shards are independent, so n machines take 1/n of the time."""
    return [Step("data", count, drawings / (rate * count) / 3600) for count in machines]


def training(
    drawings: int,
    epochs: int,
    rate: float,
    efficiency: float,
    machines: Sequence[int],
) -> list[Step]:
    """Training: each epoch sees the train split, then judges the validation split."""
    per_epoch = TRAIN_SHARE + VALIDATION_SHARE * VALIDATION_COST
    seconds = drawings * per_epoch * epochs / rate
    return [
        Step(
            "training",
            count,
            seconds / (count * (efficiency if count > 1 else 1.0)) / 3600,
        )
        for count in machines
    ]


def table(steps: list[Step]) -> str:
    """Lays the steps out, a line each."""
    lines = [f"{'':<10}{'machines':>10}{'hours':>10}{'machine-hours':>16}"]
    for step in steps:
        lines.append(
            f"{step.what:<10}{step.machines:>10}{step.hours:>10.2f}"
            f"{step.machine_hours:>16.2f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
