"""Measures training steps of our rnn beside those of the ancestor's network.

    python -m benchmarks.train --data_dir=DIR

A step is all of it: records read, parsed, shuffled, augmented (ours alone), forward,
backward, optimizer. The ancestor's network gets our input pipeline, sorted by length,
which is faster than its own; it is measured at its default batch size and at 128. What
the cnn is faster with its bitmaps given is what drawing them costs it. All take turns,
so that a slow moment of the machine meets them all.
"""

import dataclasses
import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Iterator

import tensorflow as tf
from absl import flags

from benchmarks import ancestor_model
from pipeline import command
from rnn_model import input_pipeline, models, training
from rnn_model.config import TrainConfig
from rnn_model.workdir import Workdir
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo

Batches = Iterator[ancestor_model.Batch]
Contender = tuple[ancestor_model.Step, Batches]

SIDES = (schema.BITMAP_SIDE, schema.BITMAP_SIDE)

WARM_UP = 3
"""Steps before the clock starts: tracing, first allocations."""


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_integer("rounds", 3, "How often each takes its turn.", lower_bound=1)
    flags.DEFINE_float("seconds", 20.0, "How long a turn is.", lower_bound=0.1)


def main() -> None:
    """Measures, and prints a table."""
    values = flags.FLAGS
    command.require("data_dir")
    info = input_pipeline.load_info(values.data_dir)
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
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(values.rounds):
        for name, (step, batches) in contenders.items():
            rates[name].append(run(step, batches, seconds=values.seconds))
    medians = {name: statistics.median(some) for name, some in rates.items()}
    base = medians["ancestor, batch 128"]
    for name, rate in medians.items():
        spread = f"{min(rates[name]):,.0f} to {max(rates[name]):,.0f}"
        print(f"{name:<20} {rate:>8,.0f} drawings/s ({spread})  {rate / base:6.2f} ×")
    share = 1 - medians["cnn"] / medians["cnn, bitmaps given"]
    print(f"the rasteriser takes {share:.1%} of the cnn's step")


def run(
    step: ancestor_model.Step,
    batches: Batches,
    steps: float = math.inf,
    seconds: float = math.inf,
) -> float:
    """Trains for so many steps or seconds; gives drawings/s."""
    began, done, drawings = time.perf_counter(), 0, 0
    while done < steps and time.perf_counter() - began < seconds:
        batch = next(batches)
        step(batch)
        done += 1
        drawings += len(batch["length"])
    return drawings / (time.perf_counter() - began)


def ours(info: DatasetInfo, data_dir: str, model: str) -> Contender:
    """A model of ours with its defaults, as `train.py` runs it."""
    config = TrainConfig(model=model)
    settings = {"augment": config.augment, "by_length": model != "rnn"}
    batches = epochs(info, data_dir, config.batch_size, **settings)
    return step_of(config, info), batches


def with_bitmaps(info: DatasetInfo, data_dir: str) -> Contender:
    """The cnn on the same batches, that finds bitmaps drawn; whose, costs the same."""
    _, batches = ours(info, data_dir, "cnn")
    config = TrainConfig(model="cnn")
    step = step_of(config, dataclasses.replace(info, kind=schema.BITMAP))
    bitmaps = tf.random.stateless_uniform([config.batch_size, *SIDES, 1], [0, 0])
    return step, (
        batch | {"bitmap": bitmaps[: len(batch["length"])]} for batch in batches
    )


def step_of(config: TrainConfig, info: DatasetInfo) -> ancestor_model.Step:
    """What takes a step of a run that has just begun."""
    with tempfile.TemporaryDirectory() as folder:
        run = training._Run(config, info, Workdir(folder))
    names = (*models.INPUTS[info.kind], "class_index")
    return lambda batch: float(run._step(*(batch[name] for name in names)))


def epochs(
    info: DatasetInfo, data_dir: str, batch_size: int, **settings: bool
) -> Batches:
    """Batches of the train split, epoch after epoch."""
    for epoch in itertools.count(1):
        yield from input_pipeline.training_batches(
            info, data_dir, batch_size, seed=0, epoch=epoch, **settings
        )


if __name__ == "__main__":
    command.run(main, _define_flags, doc=__doc__ or "")
