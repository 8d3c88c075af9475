"""Trains the tutorial's model until its validation top-1 stops improving.

    python -m benchmarks.tutorial.train --data_dir=DIR --workdir=runs/tutorial \
        --runs=runs/rnn

The batch size is 128, which is faster than the tutorial's default of 8. Writes
history.json, one row per epoch, and metrics.json, the test metrics of the best epoch.
For each run of train.py in --runs, prints the time it needed for the best validation
top-1 of the tutorial's model. The same command again only prints the comparison.
"""

import itertools
import json
import math
import time
from pathlib import Path
from typing import Any

import keras
from absl import flags

from benchmarks.tutorial import model as tutorial_model
from pipeline import cli
from rnn_model import input_pipeline
from rnn_model.evaluation import evaluator
from rnn_model.workdir import Workdir
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

BATCH_SIZE = 128

EPOCHS = range(1, 10_000)
"""More epochs than any training needs."""

Row = dict[str, Any]


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("workdir", None, "Folder for history.json and metrics.json.")
    flags.DEFINE_list("runs", [], "Workdirs of train.py to compare with.")
    flags.DEFINE_integer(
        "patience",
        5,
        "Number of epochs without improvement after which training stops.",
        lower_bound=1,
    )
    flags.DEFINE_float("hours", 2.0, "Maximum duration of the training.", 0.0)
    flags.DEFINE_integer("seed", 0, "Seed of the weights and batches.", lower_bound=0)


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    cli.require("data_dir", "workdir")
    histories = {path: Workdir(path).read_history() for path in values.runs}
    workdir = Workdir(values.workdir)
    metrics_path = Path(values.workdir) / "metrics.json"
    if not metrics_path.exists():
        keras.utils.set_random_seed(values.seed)
        info = load_dataset_info(values.data_dir)
        metrics_path.parent.mkdir(parents=True, exist_ok=True)
        metrics = train(info, values.data_dir, workdir)
        metrics_path.write_text(json.dumps(metrics, indent=1) + "\n")
    history, test = workdir.read_history(), json.loads(metrics_path.read_text())
    best = find_best_epoch(history)
    top1 = best["validation_top1"]
    seconds = compute_seconds_to(history, top1)
    print(
        f"tutorial: validation top-1 {top1:.4f} after {seconds:,.0f} s, in epoch "
        f"{best['epoch']} of {len(history)}; test top-1 {test['top1']:.4f}, "
        f"macro {test['macro_top1']:.4f}, MAP@3 {test['map3']:.4f}"
    )
    for path, run_history in histories.items():
        print(f"{path}: {compare(run_history, top1, seconds)}")


def train(info: DatasetInfo, data_dir: str, workdir: Workdir) -> dict[str, float | int]:
    """Trains, writes history.json and returns the test metrics of the best epoch."""
    values = flags.FLAGS
    model = tutorial_model.build_model(len(info.classes))
    train_step = tutorial_model.make_train_step(model)
    logits_fn = evaluator.make_logits_fn(model)
    deadline = time.monotonic() + 3600 * values.hours
    history: list[Row] = []
    weights = model.get_weights()
    batches = iter(
        input_pipeline.training_batches(
            info, data_dir, BATCH_SIZE, seed=values.seed, epochs=EPOCHS, augment=False
        )
    )
    steps_per_epoch = math.ceil(info.split("train").examples / BATCH_SIZE)
    for epoch in EPOCHS:
        start = time.monotonic()
        epoch_batches = itertools.islice(batches, steps_per_epoch)
        loss = train_epoch(train_step, epoch_batches, deadline)
        metrics = evaluator.evaluate_split(logits_fn, info, data_dir, "validation")
        history.append(
            {
                "epoch": epoch,
                "loss": loss,
                "validation_loss": metrics["loss"],
                "validation_top1": metrics["top1"],
                "seconds": time.monotonic() - start,
            }
        )
        workdir.write_history(history)
        print(
            f"epoch {epoch}  loss {loss:.4f}  validation loss {metrics['loss']:.4f}  "
            f"top-1 {metrics['top1']:.4f}  {history[-1]['seconds']:,.0f} s",
            flush=True,
        )
        best_epoch = find_best_epoch(history)["epoch"]
        if best_epoch == epoch:
            weights = model.get_weights()
        if epoch - best_epoch >= values.patience or time.monotonic() >= deadline:
            break
    model.set_weights(weights)
    return evaluator.evaluate_split(logits_fn, info, data_dir, "test")


def train_epoch(
    train_step: tutorial_model.TrainStep,
    batches: tutorial_model.Batches,
    deadline: float,
) -> float:
    """Trains on all batches or until the deadline; returns the mean loss."""
    losses = []
    for batch in batches:
        losses.append(train_step(batch))
        if time.monotonic() >= deadline:
            break
    return math.fsum(losses) / len(losses)


def find_best_epoch(history: list[Row]) -> Row:
    """Returns the first row with the best validation top-1."""
    return max(history, key=lambda row: row["validation_top1"])


def compute_seconds_to(history: list[Row], top1: float) -> float | None:
    """Returns the seconds until a validation top-1 was reached, or None."""
    seconds = 0.0
    for row in history:
        seconds += row["seconds"]
        if row["validation_top1"] >= top1:
            return seconds
    return None


def compare(history: list[Row], top1: float, tutorial_seconds: float) -> str:
    """Formats the time a run needed for the top-1 of the tutorial's model."""
    seconds = compute_seconds_to(history, top1)
    if seconds is None:
        return f"never reached validation top-1 {top1:.4f}"
    return (
        f"reached validation top-1 {top1:.4f} after {seconds:,.0f} s, "
        f"{seconds / tutorial_seconds:.3f} of the tutorial's time"
    )


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
