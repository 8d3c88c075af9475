"""Measures training steps of the models, and of the tutorial's model.

    python -m benchmarks.train --data_dir=DIR

A step includes reading, parsing, shuffling and augmenting the records (no augmentation
for the tutorial's model), the forward and backward pass and the optimizer. The
tutorial's model uses this project's input pipeline, sorted by length, which is faster
than its own. It is measured at its default batch size and at 128. "cnn, bitmaps" gets
precomputed bitmaps; the difference to the cnn is the cost of its rasterizer.

The models alternate, so that other load on the machine affects all of them. Drawings
per CPU second show the speed of a core even while other programs run. The speed depends
on the vector instructions of the processor, which are printed too.

To measure as on a processor with AVX2 alone, set `ONEDNN_MAX_CPU_ISA=AVX2` and pass
--precision=float32; the parts of TensorFlow that oneDNN does not compute use AVX-512
all the same.
"""

import dataclasses
import math
import os
import statistics
import time
from collections.abc import Iterator
from typing import NamedTuple

import tensorflow as tf
from absl import flags

from benchmarks.tutorial import model as tutorial_model
from benchmarks.tutorial.model import TrainStep
from pipeline import cli
from pipeline.report.text_table import format_table
from rnn_model import input_pipeline
from rnn_model.config import TrainConfig
from rnn_model.training import loop, precision
from rnn_model.training.train_state import TrainState
from rnn_model.training.train_step import make_train_step, run_train_step
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

Batches = Iterator[tutorial_model.Batch]
Trainer = tuple[TrainStep, Batches]

BITMAP_SHAPE = (schema.BITMAP_SIDE, schema.BITMAP_SIDE, 1)

BASELINE = "tutorial, batch 128"

EPOCHS = range(1, 10_000)
"""More epochs than any measurement needs."""

WARM_UP_STEPS = 3
"""Steps before the measurement, for tracing and first allocations."""


VECTOR_INSTRUCTIONS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_bf16": "AVX-512-BF16",
    "amx_bf16": "AMX-BF16",
}
"""Linux's names of vector instructions and their usual names."""


class Rates(NamedTuple):
    """Drawings per second and per CPU second."""

    per_second: float
    per_cpu_second: float


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_integer("rounds", 3, "Number of rounds.", lower_bound=1)
    flags.DEFINE_float("seconds", 20.0, "Seconds per model and round.", lower_bound=0.1)
    flags.DEFINE_enum(
        "precision",
        "auto",
        ["auto", "float32"],
        "float32: as on processors without bfloat16.",
    )


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    cli.require("data_dir")
    info = load_dataset_info(values.data_dir)
    print(describe_processor())
    tutorial_step = tutorial_model.make_train_step(
        tutorial_model.build_model(len(info.classes))
    )
    trainers: dict[str, Trainer] = {
        f"tutorial, batch {size}": (
            tutorial_step,
            make_batches(
                info, values.data_dir, size, augment=False, sort_by_length=True
            ),
        )
        for size in (tutorial_model.BATCH_SIZE, 128)
    }
    for model in ("rnn", "cnn", "resnet"):
        trainers[model] = make_trainer(info, values.data_dir, model, values.precision)
    trainers["cnn, bitmaps"] = make_bitmap_trainer(info, values.data_dir)
    for trainer in trainers.values():
        measure(*trainer, steps=WARM_UP_STEPS)
    rates: dict[str, list[Rates]] = {name: [] for name in trainers}
    for _ in range(values.rounds):
        for name, trainer in trainers.items():
            rates[name].append(measure(*trainer, seconds=values.seconds))
    print(format_rates(rates))


def describe_processor() -> str:
    """Formats the number of processors and their vector instructions."""
    cpu_flags = precision.read_cpu_flags()
    names = [name for flag, name in VECTOR_INSTRUCTIONS.items() if flag in cpu_flags]
    count = len(os.sched_getaffinity(0))
    return f"{count} processors with {', '.join(names) or 'no known vector unit'}"


def format_rates(rates: dict[str, list[Rates]]) -> str:
    """Formats a table of the median rates, with ratios to the tutorial's model."""
    medians = {
        name: Rates(*map(statistics.median, zip(*rounds)))
        for name, rounds in rates.items()
    }
    baseline = medians[BASELINE]
    head = ["", "drawings/s", "min", "max", "× tutorial"]
    head += ["per CPU second", "× tutorial", "cores used"]
    rows = []
    for name, median in medians.items():
        per_second = [each.per_second for each in rates[name]]
        rows.append(
            [
                name,
                round(median.per_second),
                round(min(per_second)),
                round(max(per_second)),
                f"{median.per_second / baseline.per_second:.2f}",
                round(median.per_cpu_second),
                f"{median.per_cpu_second / baseline.per_cpu_second:.2f}",
                f"{median.per_second / median.per_cpu_second:.2f}",
            ]
        )
    shares = [
        1 - cnn / without_rasterizer
        for cnn, without_rasterizer in zip(medians["cnn"], medians["cnn, bitmaps"])
    ]
    return (
        format_table(head, rows)
        + f"\nthe rasterizer takes {shares[0]:.1%} of the cnn's step and "
        f"{shares[1]:.1%} of its CPU time"
    )


def measure(
    train_step: TrainStep,
    batches: Batches,
    steps: float = math.inf,
    seconds: float = math.inf,
) -> Rates:
    """Trains for a number of steps or seconds."""
    start, cpu_start = time.perf_counter(), time.process_time()
    num_steps = num_drawings = 0
    while num_steps < steps and time.perf_counter() - start < seconds:
        batch = next(batches)
        train_step(batch)
        num_steps += 1
        num_drawings += len(batch["length"])
    return Rates(
        num_drawings / (time.perf_counter() - start),
        num_drawings / (time.process_time() - cpu_start),
    )


def make_trainer(
    info: DatasetInfo, data_dir: str, model: str, model_precision: str = "auto"
) -> Trainer:
    """Returns the training step and the batches of train.py with its defaults."""
    config = TrainConfig(model=model, epochs=len(EPOCHS), precision=model_precision)
    config = precision.resolve_precision(config)
    state = TrainState(config, info)
    batches = iter(loop.training_batches(state, data_dir))
    return _make_train_step(state), batches


def make_bitmap_trainer(info: DatasetInfo, data_dir: str) -> Trainer:
    """Returns a trainer of the cnn that gets random bitmaps instead of strokes."""
    _, batches = make_trainer(info, data_dir, "cnn")
    bitmap_info = dataclasses.replace(info, kind=schema.BITMAP)
    config = TrainConfig(model="cnn", epochs=len(EPOCHS), precision="float32")
    state = TrainState(config, bitmap_info)
    shape = [config.batch_size, *BITMAP_SHAPE]
    bitmaps = tf.random.stateless_uniform(shape, [0, 0])
    return _make_train_step(state), (
        batch | {"bitmap": bitmaps[: len(batch["length"])]} for batch in batches
    )


def _make_train_step(state: TrainState) -> TrainStep:
    train_step = make_train_step(state)
    return lambda batch: run_train_step(train_step, batch)[0]


def make_batches(
    info: DatasetInfo, data_dir: str, batch_size: int, **settings: bool
) -> Batches:
    """Returns the batches of the train split, epoch after epoch."""
    return iter(
        input_pipeline.training_batches(
            info, data_dir, batch_size, seed=0, epochs=EPOCHS, **settings
        )
    )


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
