"""Trains the ancestor's network until its validation no longer improves.

    python -m benchmarks.train_ancestor --data_dir=DIR --workdir=runs/ancestor \
        --runs=runs/rnn

At batch 128, not its default of 8, as it is faster. Leaves history.json, a dict per
epoch, and metrics.json, those of its best epoch on the test split. Of each of --runs,
of train.py on the same drawings, it tells how long that took to the ancestor's best
validation top-1. The same command again trains no more, and compares.
"""

import itertools
import json
import math
import time
from pathlib import Path
from typing import Any

import keras
from absl import flags

from benchmarks import ancestor_model
from pipeline import cli
from rnn_model import input_pipeline
from rnn_model.evaluation import evaluator
from rnn_model.workdir import Workdir
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

BATCH_SIZE = 128

EPOCHS = range(1, 10_000)
"""More than any patience lasts."""

Row = dict[str, Any]


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("workdir", None, "Folder for history.json and metrics.json.")
    flags.DEFINE_list("runs", [], "Workdirs of train.py to compare with.")
    flags.DEFINE_integer(
        "patience",
        5,
        "Stop when so many epochs in a row brought no better validation top-1.",
        lower_bound=1,
    )
    flags.DEFINE_float(
        "hours", 2.0, "Stop after so long, in the middle of an epoch too.", 0.0
    )
    flags.DEFINE_integer("seed", 0, "Decides all that is random.", lower_bound=0)


def main() -> None:
    """Trains, unless that is done, and compares."""
    values = flags.FLAGS
    cli.require("data_dir", "workdir")
    runs = {path: Workdir(path).history() for path in values.runs}
    workdir = Workdir(values.workdir)
    metrics = Path(values.workdir) / "metrics.json"
    if not metrics.exists():
        keras.utils.set_random_seed(values.seed)
        info = load_dataset_info(values.data_dir)
        metrics.parent.mkdir(parents=True, exist_ok=True)
        found = train(info, values.data_dir, workdir)
        metrics.write_text(json.dumps(found, indent=1) + "\n")
    history, test = workdir.history(), json.loads(metrics.read_text())
    row = best(history)
    needed = seconds_to(history, row["validation_top1"])
    print(
        f"ancestor: validation top-1 {row['validation_top1']:.4f} after {needed:,.0f} "
        f"s, in epoch {row['epoch']} of {len(history)}; test top-1 {test['top1']:.4f}, "
        f"macro {test['macro_top1']:.4f}, MAP@3 {test['map3']:.4f}"
    )
    for path, its in runs.items():
        print(f"{path}: {comparison(its, row['validation_top1'], needed)}")


def train(info: DatasetInfo, data_dir: str, workdir: Workdir) -> dict[str, float | int]:
    """Trains, writes the history; gives the test metrics of the best epoch."""
    values = flags.FLAGS
    model = ancestor_model.build(len(info.classes))
    step = ancestor_model.make_step(model)
    logits_of = evaluator.make_logits_fn(model)
    ends = time.monotonic() + 3600 * values.hours
    history: list[Row] = []
    weights = model.get_weights()
    batches = iter(
        input_pipeline.training_batches(
            info, data_dir, BATCH_SIZE, seed=values.seed, epochs=EPOCHS, augment=False
        )
    )
    steps_per_epoch = math.ceil(info.split("train").examples / BATCH_SIZE)
    for epoch in EPOCHS:
        began = time.monotonic()
        loss = train_epoch(step, itertools.islice(batches, steps_per_epoch), ends)
        row = evaluator.evaluate_split(logits_of, info, data_dir, "validation")
        history.append(
            {
                "epoch": epoch,
                "loss": loss,
                "validation_loss": row["loss"],
                "validation_top1": row["top1"],
                "seconds": time.monotonic() - began,
            }
        )
        workdir.write_history(history)
        print(
            f"epoch {epoch}  loss {loss:.4f}  validation loss {row['loss']:.4f}  "
            f"top-1 {row['top1']:.4f}  {history[-1]['seconds']:,.0f} s",
            flush=True,
        )
        if best(history)["epoch"] == epoch:
            weights = model.get_weights()
        waited = epoch - best(history)["epoch"]
        if waited >= values.patience or time.monotonic() >= ends:
            break
    model.set_weights(weights)
    return evaluator.evaluate_split(logits_of, info, data_dir, "test")


def train_epoch(
    step: ancestor_model.Step, batches: ancestor_model.Batches, ends: float
) -> float:
    """Trains on all batches, or until the clock says `ends`; gives the mean loss."""
    losses = []
    for batch in batches:
        losses.append(step(batch))
        if time.monotonic() >= ends:
            break
    return math.fsum(losses) / len(losses)


def best(history: list[Row]) -> Row:
    """The row of the best validation top-1, the first of several."""
    return max(history, key=lambda row: row["validation_top1"])


def seconds_to(history: list[Row], top1: float) -> float | None:
    """How long until an epoch ended with that validation top-1; None if none did."""
    seconds = 0.0
    for row in history:
        seconds += row["seconds"]
        if row["validation_top1"] >= top1:
            return seconds
    return None


def comparison(history: list[Row], top1: float, seconds: float) -> str:
    """Says in a line when a run was as good as another became in `seconds`."""
    ours = seconds_to(history, top1)
    if ours is None:
        return f"never reached validation top-1 {top1:.4f}"
    return (
        f"reached validation top-1 {top1:.4f} after {ours:,.0f} s, "
        f"{ours / seconds:.3f} of the ancestor's time"
    )


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
