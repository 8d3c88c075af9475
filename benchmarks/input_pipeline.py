"""Measures the input of training alone: records in, batches out.

    python -m benchmarks.input_pipeline --data_dir=DIR

    by length            sorted within windows, as the cnn and the mlp train
    by length, augmented
    mixed                in random order, as the rnn trains
    mixed, augmented

Padding is the share of a batch's steps that hold no point. That of mixed batches never
reaches the network: the first layer of the rnn resamples every drawing to 128 points
(see `models.resample`). Drawings/s of CPU time tell what a core
does also while others use the machine. The ways take turns, a whole epoch each.
"""

import statistics
import time
from typing import NamedTuple

from absl import flags

from pipeline import cli
from rnn_model import input_pipeline
from rnn_model.config import TrainConfig
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

BATCH_SIZE = 128

WAYS = {
    "by length": {"by_length": True, "augment": False},
    "by length, augmented": {"by_length": True, "augment": True},
    "mixed": {"by_length": False, "augment": False},
    "mixed, augmented": {"by_length": False, "augment": True},
}


class Measured(NamedTuple):
    """What an epoch took, and the share of its steps that are padding."""

    drawings: int
    seconds: float
    cpu_seconds: float
    padding: float


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_integer("rounds", 3, "How often each takes its turn.", lower_bound=1)


def main() -> None:
    """Measures, and prints a table."""
    values = flags.FLAGS
    cli.require("data_dir")
    info = load_dataset_info(values.data_dir)
    runs: dict[str, list[Measured]] = {name: [] for name in WAYS}
    for epoch in range(values.rounds + 1):
        for name, settings in WAYS.items():
            measured = measure(info, values.data_dir, epoch, **settings)
            if epoch:  # the first round warms up
                runs[name].append(measured)
    print(f"{'':<22}{'drawings/s':>12}{'of CPU time':>13}{'padding':>9}")
    for name, some in runs.items():
        rate = statistics.median(run.drawings / run.seconds for run in some)
        of_cpu = statistics.median(run.drawings / run.cpu_seconds for run in some)
        padding = statistics.mean(run.padding for run in some)
        print(f"{name:<22}{rate:>12,.0f}{of_cpu:>13,.0f}{padding:>9.1%}")


def measure(info: DatasetInfo, data_dir: str, epoch: int, **settings: bool) -> Measured:
    """Takes all batches of an epoch."""
    epochs = range(epoch, epoch + 1)
    batches = input_pipeline.training_batches(
        info,
        data_dir,
        BATCH_SIZE,
        seed=0,
        epochs=epochs,
        partial=TrainConfig().partial,
        **settings,
    )
    began, cpu_began = time.perf_counter(), time.process_time()
    drawings = points = steps = 0
    for batch in batches:
        rows, columns, _ = batch["ink"].shape
        drawings += rows
        points += int(batch["length"].numpy().sum())
        steps += rows * columns
    return Measured(
        drawings,
        time.perf_counter() - began,
        time.process_time() - cpu_began,
        1 - points / steps,
    )


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
