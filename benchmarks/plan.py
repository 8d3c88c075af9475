"""Estimates the hours and machine-hours of a large data job and its training.

    python -m benchmarks.plan --data_rate=100000 --training_rate=2800

Measure both rates on a machine of the same type with a part of the drawings. The data
job prints its drawings/s at the end (data_rate), training prints them for each epoch
(training_rate).

Shards are independent, so the data job scales with the machines. Training workers
exchange gradients after each step, by a ring all-reduce. With N workers, each sends
2 (N − 1) messages of 1/N of the gradients (Patarasuk and Yuan, 2009,
https://doi.org/10.1016/j.jpdc.2008.09.002). The estimate assumes that a worker computes
nothing meanwhile; --efficiency replaces it by a measured value.

The estimate does not include the start of the machines, nor work that is repeated after
an interruption.
"""

from collections.abc import Mapping, Sequence
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


BYTES_PER_PARAMETER = 4
"""Size of a float32 gradient."""


class Estimate(NamedTuple):
    """Time of one step on a number of machines.

    Attributes:
      step: Name of the step.
      machines: Number of machines.
      hours: Duration.
      efficiency: Rate of a machine relative to a single machine.
    """

    step: str
    machines: int
    hours: float
    efficiency: float = 1.0

    @property
    def machine_hours(self) -> float:
        """Hours of all machines together."""
        return self.hours * self.machines


def _define_flags() -> None:
    flags.DEFINE_integer("drawings", 50_000_000, "Number of drawings.", lower_bound=1)
    flags.DEFINE_float("data_rate", None, "Drawings/s of the data job on one machine.")
    flags.DEFINE_float("training_rate", None, "Drawings/s of training on one worker.")
    flags.DEFINE_integer(
        "batch_size",
        0,
        "Drawings per step, summed over all workers; 0 for 128 per worker.",
        lower_bound=0,
    )
    flags.DEFINE_integer(
        "parameters", 838_777, "Parameters; default: the rnn with 345 classes.", 1
    )
    flags.DEFINE_float("bandwidth", 10.0, "Network bandwidth in Gbit/s.", 1e-3)
    flags.DEFINE_float("latency", 100.0, "Network latency in microseconds.", 0.0)
    flags.DEFINE_float(
        "efficiency",
        None,
        "Measured rate of a worker among several, relative to a single worker. "
        "Default: computed from the batch size, the parameters and the network.",
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
            values.drawings,
            epochs,
            values.training_rate,
            {count: _get_efficiency(count) for count in machines},
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


def _get_efficiency(workers: int) -> float:
    """Returns the efficiency of the flag, or the computed one."""
    values = flags.FLAGS
    if workers == 1:
        return 1.0
    if values.efficiency is not None:
        return values.efficiency
    seconds = compute_allreduce_seconds(
        workers, values.parameters, values.bandwidth, values.latency
    )
    batch_size = values.batch_size or workers * TrainConfig().batch_size
    return compute_efficiency(batch_size / workers, values.training_rate, seconds)


def compute_allreduce_seconds(
    workers: int, parameters: int, bandwidth: float, latency: float
) -> float:
    """Computes the duration of a ring all-reduce of the gradients.

    Args:
      workers: Number of workers.
      parameters: Number of parameters.
      bandwidth: Bandwidth in Gbit/s.
      latency: Latency of a message in microseconds.
    """
    message_bits = 8 * BYTES_PER_PARAMETER * parameters / workers
    return 2 * (workers - 1) * (message_bits / (1e9 * bandwidth) + 1e-6 * latency)


def compute_efficiency(
    worker_batch_size: float, rate: float, allreduce_seconds: float
) -> float:
    """Computes the share of a step that a worker does not wait for gradients."""
    compute_seconds = worker_batch_size / rate
    return compute_seconds / (compute_seconds + allreduce_seconds)


def estimate_training(
    drawings: int, epochs: int, rate: float, efficiencies: Mapping[int, float]
) -> list[Estimate]:
    """Estimates training, with an evaluation of the validation split per epoch.

    Args:
      drawings: Number of drawings in all splits.
      epochs: Number of epochs.
      rate: Drawings/s of a single worker.
      efficiencies: Efficiency for each number of workers.
    """
    drawings_per_epoch = drawings * (TRAIN_SHARE + VALIDATION_SHARE * VALIDATION_COST)
    seconds = drawings_per_epoch * epochs / rate
    return [
        Estimate(
            "training", workers, seconds / (workers * efficiency) / 3600, efficiency
        )
        for workers, efficiency in efficiencies.items()
    ]


def format_estimates(estimates: Sequence[Estimate]) -> str:
    """Formats a table of the estimates."""
    head = ["step", "machines", "efficiency", "hours", "machine-hours"]
    rows = [
        [
            each.step,
            each.machines,
            f"{each.efficiency:.0%}",
            f"{each.hours:.2f}",
            f"{each.machine_hours:.2f}",
        ]
        for each in estimates
    ]
    return format_table(head, rows)


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
