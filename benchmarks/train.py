"""Measures training steps of our rnn beside those of the ancestor's network.

    python -m benchmarks.train --data_dir=DIR

A step is all of it: records read, parsed, shuffled, augmented (ours alone), forward,
backward, optimizer. The ancestor's network gets our input pipeline, sorted by length,
which is faster than its own; it is measured at its default batch size and at 128. What
the cnn is faster with its bitmaps given is what drawing them costs it. All take turns,
so that a slow moment of the machine meets them all; drawings/s of CPU time tell what a
core does also while others use the machine.
"""

import dataclasses
import math
import statistics
import tempfile
import time
from collections.abc import Iterator
from typing import NamedTuple

import tensorflow as tf
from absl import flags

from benchmarks import ancestor_model
from pipeline import cli
from rnn_model import input_pipeline
from rnn_model.config import TrainConfig
from rnn_model.training import loop
from rnn_model.workdir import Workdir
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

Batches = Iterator[ancestor_model.Batch]
Contender = tuple[ancestor_model.Step, Batches]

SIDES = (schema.BITMAP_SIDE, schema.BITMAP_SIDE)

EPOCHS = range(1, 10_000)
"""More than any clock leaves time for."""

WARM_UP = 3
"""Steps before the clock starts: tracing, first allocations."""


class Turn(NamedTuple):
    """Drawings per second, and per second of CPU time."""

    rate: float
    of_cpu: float


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_integer("rounds", 3, "How often each takes its turn.", lower_bound=1)
    flags.DEFINE_float("seconds", 20.0, "How long a turn is.", lower_bound=0.1)


def main() -> None:
    """Measures, and prints a table."""
    values = flags.FLAGS
    cli.require("data_dir")
    info = load_dataset_info(values.data_dir)
    ancestor = ancestor_model.make_step(ancestor_model.build(len(info.classes)))
    contenders = {
        f"ancestor, batch {size}": (
            ancestor,
            epochs(info, values.data_dir, size, augment=False, by_length=True),
        )
        for size in (ancestor_model.BATCH_SIZE, 128)
    }
    contenders |= {
        "rnn": ours(info, values.data_dir, "rnn"),
        "cnn": ours(info, values.data_dir, "cnn"),
        "cnn, bitmaps given": with_bitmaps(info, values.data_dir),
    }
    for step, batches in contenders.values():
        run(step, batches, steps=WARM_UP)
    turns: dict[str, list[Turn]] = {name: [] for name in contenders}
    for _ in range(values.rounds):
        for name, (step, batches) in contenders.items():
            turns[name].append(run(step, batches, seconds=values.seconds))
    print(table(turns))


def table(turns: dict[str, list[Turn]]) -> str:
    """Lays the medians out, each beside the ancestor's at batch 128."""
    medians = {
        name: Turn(*map(statistics.median, zip(*some))) for name, some in turns.items()
    }
    base = medians["ancestor, batch 128"]
    lines = [
        f"{'':<20}{'drawings/s':>12}{'from':>8}{'to':>8}{'× ancestor':>12}"
        f"{'of CPU time':>13}{'× ancestor':>12}"
    ]
    for name, (rate, of_cpu) in medians.items():
        rates = [turn.rate for turn in turns[name]]
        lines.append(
            f"{name:<20}{rate:>12,.0f}{min(rates):>8,.0f}{max(rates):>8,.0f}"
            f"{rate / base.rate:>12.2f}{of_cpu:>13,.0f}{of_cpu / base.of_cpu:>12.2f}"
        )
    drawn, given = medians["cnn"], medians["cnn, bitmaps given"]
    lines.append(
        f"the rasteriser takes {1 - drawn.rate / given.rate:.1%} of the cnn's step, "
        f"{1 - drawn.of_cpu / given.of_cpu:.1%} of its CPU time"
    )
    return "\n".join(lines)


def run(
    step: ancestor_model.Step,
    batches: Batches,
    steps: float = math.inf,
    seconds: float = math.inf,
) -> Turn:
    """Trains for so many steps or seconds."""
    began, cpu_began = time.perf_counter(), time.process_time()
    done = drawings = 0
    while done < steps and time.perf_counter() - began < seconds:
        batch = next(batches)
        step(batch)
        done += 1
        drawings += len(batch["length"])
    return Turn(
        drawings / (time.perf_counter() - began),
        drawings / (time.process_time() - cpu_began),
    )


def ours(info: DatasetInfo, data_dir: str, model: str) -> Contender:
    """A model of ours with its defaults, as `train.py` runs it."""
    run = begin(TrainConfig(model=model, epochs=len(EPOCHS)), info)
    return step_of(run), run.batches(data_dir)


def with_bitmaps(info: DatasetInfo, data_dir: str) -> Contender:
    """The cnn on the same batches, that finds bitmaps drawn; whose, costs the same."""
    _, batches = ours(info, data_dir, "cnn")
    run = begin(TrainConfig(model="cnn"), dataclasses.replace(info, kind=schema.BITMAP))
    bitmaps = tf.random.stateless_uniform([run.config.batch_size, *SIDES, 1], [0, 0])
    return step_of(run), (
        batch | {"bitmap": bitmaps[: len(batch["length"])]} for batch in batches
    )


def begin(config: TrainConfig, info: DatasetInfo) -> loop._Run:
    """A run that nothing is kept of."""
    with tempfile.TemporaryDirectory() as folder:
        return loop._Run(config, info, Workdir(folder))


def step_of(run: loop._Run) -> ancestor_model.Step:
    """What takes a step of a run."""
    return lambda batch: run.step(batch)[0]


def epochs(
    info: DatasetInfo, data_dir: str, batch_size: int, **settings: bool
) -> Batches:
    """Batches of the train split, epoch after epoch."""
    return iter(
        input_pipeline.training_batches(
            info, data_dir, batch_size, seed=0, epochs=EPOCHS, **settings
        )
    )


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
