"""Evaluation of one model on one split of a data set."""

from collections.abc import Callable

import keras
import tensorflow as tf

from rnn_model import input_pipeline, models
from rnn_model.distributed import SINGLE_WORKER, Cluster
from rnn_model.evaluation.metrics import MetricSums
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo

BATCH_SIZE = 256

LogitsFn = Callable[..., tf.Tensor]
"""(ink, length) or (bitmap,) → logits `<float32>[batch, classes]`."""


def make_logits_fn(model: keras.Model, kind: str = schema.INK) -> LogitsFn:
    """Compiles the inference of a model to a graph.

    Tracing takes seconds, so make one function per model and keep it. It is traced
    here: if the first calls of several functions did it, TensorFlow would warn.

    Args:
      model: a model of `models.build_model`.
      kind: the kind of drawing that the function takes, one of `schema.KINDS`.

    Raises:
      ValueError: the model does not take that kind of drawing.
    """
    forward_fn = models.forward_fn(model, kind)

    @tf.function(input_signature=list(models.INPUT_SPECS[kind].values()))
    def logits_fn(*inputs: tf.Tensor) -> tf.Tensor:
        return forward_fn(*inputs, training=False)

    logits_fn.get_concrete_function()
    return logits_fn


def evaluate_split(
    logits_fn: LogitsFn,
    info: DatasetInfo,
    data_dir: str,
    split: str,
    batch_size: int = BATCH_SIZE,
    cluster: Cluster = SINGLE_WORKER,
) -> dict[str, float | int]:
    """Computes the metrics of a model on all drawings of a split.

    With several workers, each evaluates some of the batches and all return the same
    metrics.

    Args:
      logits_fn: the function of `make_logits_fn`.
      info: description of the data set.
      data_dir: folder of the data set.
      split: name of the split.
      batch_size: drawings per batch.
      cluster: the workers.

    Returns:
      Metrics by name; see `metrics.MetricSums`.
    """
    sums = MetricSums(len(info.classes))
    batches = input_pipeline.evaluation_batches(info, data_dir, split, batch_size)
    for batch in batches.shard(cluster.num_workers, cluster.rank):
        logits = logits_fn(*(batch[name] for name in models.INPUT_SPECS[info.kind]))
        sums.update(logits.numpy(), batch[schema.CLASS_INDEX].numpy())
    sums.all_reduce(cluster.sum_over_workers)
    return sums.result()
