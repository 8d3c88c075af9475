"""Measures the input pipeline of training: from records to batches.

    python -m benchmarks.input_pipeline --data_dir=DIR

    by length              sorted within windows, as for the cnn and the mlp
    by length, augmented
    shuffled               in random order, as for the rnn
    shuffled, augmented

Padding is the share of a batch's time steps without a point. It costs the rnn nothing:
its first layer resamples every drawing to 128 points. Drawings per CPU second show the
speed of a core even while other programs run. The variants alternate, one epoch each.
"""

import statistics
import time
from typing import NamedTuple

from absl import flags

from pipeline import cli
from pipeline.report.text_table import format_table
from rnn_model import input_pipeline
from rnn_model.config import TrainConfig
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

BATCH_SIZE = 128

VARIANTS = {
    "by length": {"sort_by_length": True, "augment": False},
    "by length, augmented": {"sort_by_length": True, "augment": True},
    "shuffled": {"sort_by_length": False, "augment": False},
    "shuffled, augmented": {"sort_by_length": False, "augment": True},
}


class Measurement(NamedTuple):
    """Time of an epoch, and the share of its time steps that are padding."""

    drawings: int
    seconds: float
    cpu_seconds: float
    padding: float


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_integer("rounds", 3, "Number of rounds.", lower_bound=1)


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    cli.require("data_dir")
    info = load_dataset_info(values.data_dir)
    runs: dict[str, list[Measurement]] = {name: [] for name in VARIANTS}
    for epoch in range(values.rounds + 1):
        for name, settings in VARIANTS.items():
            measurement = measure_epoch(info, values.data_dir, epoch, **settings)
            if epoch:  # the first round is a warm-up
                runs[name].append(measurement)
    rows = [
        [
            name,
            round(statistics.median(run.drawings / run.seconds for run in epochs)),
            round(statistics.median(run.drawings / run.cpu_seconds for run in epochs)),
            f"{statistics.mean(run.padding for run in epochs):.1%}",
        ]
        for name, epochs in runs.items()
    ]
    print(format_table(["", "drawings/s", "per CPU second", "padding"], rows))


def measure_epoch(
    info: DatasetInfo, data_dir: str, epoch: int, **settings: bool
) -> Measurement:
    """Iterates over all batches of an epoch."""
    batches = input_pipeline.training_batches(
        info,
        data_dir,
        BATCH_SIZE,
        seed=0,
        epochs=range(epoch, epoch + 1),
        partial=TrainConfig().partial,
        **settings,
    )
    start, cpu_start = time.perf_counter(), time.process_time()
    drawings = points = time_steps = 0
    for batch in batches:
        batch_size, max_length, _ = batch["ink"].shape
        drawings += batch_size
        points += int(batch["length"].numpy().sum())
        time_steps += batch_size * max_length
    return Measurement(
        drawings,
        time.perf_counter() - start,
        time.process_time() - cpu_start,
        1 - points / time_steps,
    )


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
