"""How good a run is on a split: the metrics, their table and `metrics.json`."""

import json
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from rnn_model import input_pipeline, models
from rnn_model.cluster import ALONE, Cluster
from rnn_model.metrics import MetricSums
from rnn_model.workdir import Workdir
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo

BATCH_SIZE = 256

INPUT_SIGNATURE = (
    tf.TensorSpec([None, None, schema.INK_WIDTH], tf.float32, name="ink"),
    tf.TensorSpec([None], tf.int32, name="length"),
)

INPUT_SIGNATURES = {
    schema.INK: INPUT_SIGNATURE,
    schema.BITMAP: (
        tf.TensorSpec(
            [None, schema.BITMAP_SIDE, schema.BITMAP_SIDE, 1],
            tf.float32,
            name="bitmap",
        ),
    ),
}
"""Of the `models.INPUTS` of each kind of drawing."""

LogitsFunction = Callable[..., tf.Tensor]


def logits_function(model: keras.Model, kind: str = schema.INK) -> LogitsFunction:
    """Makes a graph of a model's inference, (ink, length) or (bitmap) → logits.

    Tracing takes seconds: make it once for a model.

    Raises:
      ValueError: the model does not read that kind of drawing.
    """
    reader = models.reading(model, kind)

    @tf.function(input_signature=INPUT_SIGNATURES[kind])
    def logits_of(*inputs: tf.Tensor) -> tf.Tensor:
        return reader(*inputs, training=False)

    return logits_of


def evaluate(
    logits_of: LogitsFunction,
    info: DatasetInfo,
    data_dir: str,
    split: str,
    batch_size: int = BATCH_SIZE,
    cluster: Cluster = ALONE,
) -> dict[str, float | int]:
    """Gives the metrics (see `metrics.MetricSums`) of a model on a whole split.

    Of several workers each takes some of the batches; all get the same metrics.
    """
    sums = MetricSums(len(info.classes))
    batches = input_pipeline.evaluation_batches(info, data_dir, split, batch_size)
    for batch in batches.shard(cluster.workers, cluster.rank):
        logits = logits_of(*(batch[name] for name in models.INPUTS[info.kind]))
        sums.update(logits.numpy(), batch["class_index"].numpy())
    sums.add_up(cluster.sum)
    return sums.result()


def evaluate_runs(
    workdirs: list[str], data_dir: str, split: str, report_dir: str
) -> dict[str, Any]:
    """Evaluates runs on the same drawings; writes `<report_dir>/metrics.json`.

    Args:
      workdirs: the runs.
      data_dir: a data set with the runs' classes.
      split: on which part of it.
      report_dir: where to; made if it is not there.

    Returns:
      What was written: `{"split", "data_dir", "runs": [{"name", …}, …]}`.

    Raises:
      ValueError: no run, no checkpoint, other classes, no such split, or drawings
        of a kind that a run's model does not read.
    """
    info = input_pipeline.load_info(data_dir)
    if not info.split(split).examples:
        raise ValueError(f"{data_dir}: the split {split} has no drawing")
    runs = [_evaluate_run(Workdir(path), info, data_dir, split) for path in workdirs]
    report = {"split": split, "data_dir": data_dir, "runs": runs}
    tf.io.gfile.makedirs(report_dir)
    with tf.io.gfile.GFile(tf.io.gfile.join(report_dir, "metrics.json"), "w") as file:
        file.write(json.dumps(report, indent=1) + "\n")
    return report


def _evaluate_run(
    workdir: Workdir, info: DatasetInfo, data_dir: str, split: str
) -> dict[str, Any]:
    config = workdir.config()
    if workdir.classes() != info.classes:
        raise ValueError(
            f"{workdir.path} was trained on other classes than {data_dir} has: "
            + _difference(set(workdir.classes()), set(info.classes))
        )
    model = workdir.load_best()
    history = workdir.history()
    return {
        "name": workdir.path.rstrip("/").rpartition("/")[2],
        "workdir": workdir.path,
        "model": config.model,
        "parameters": int(sum(weight.shape.num_elements() for weight in model.weights)),
        "epochs": len(history),
        "train_seconds": sum(row["seconds"] for row in history),
        **evaluate(logits_function(model, info.kind), info, data_dir, split),
    }


def table(report: dict[str, Any]) -> str:
    """Lays a report out as lines of text, a run each."""
    head = (
        "run",
        "model",
        "parameters",
        "top-1",
        "top-3",
        "MAP@3",
        "macro",
        "training",
    )
    rows = [head]
    for run in report["runs"]:
        minutes, seconds = divmod(round(run["train_seconds"]), 60)
        rows.append(
            (
                run["name"],
                run["model"],
                f"{run['parameters']:,}",
                f"{run['top1']:.4f}",
                f"{run['top3']:.4f}",
                f"{run['map3']:.4f}",
                f"{run['macro_top1']:.4f}",
                f"{minutes}:{seconds:02d} min",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        )
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _difference(some: set[str], others: set[str], limit: int = 5) -> str:
    words = sorted(some ^ others)
    if not words:
        return "the same in another order"
    more = ", …" if len(words) > limit else ""
    return f"{', '.join(words[:limit])}{more} only in one of them"
