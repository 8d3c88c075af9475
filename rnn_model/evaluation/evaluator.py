"""How good a model is on a split: its inference as a graph, and the metrics."""

from collections.abc import Callable

import keras
import tensorflow as tf

from rnn_model import input_pipeline, models
from rnn_model.distributed import ALONE, Cluster
from rnn_model.evaluation.metrics import MetricSums
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo

BATCH_SIZE = 256

LogitsFunction = Callable[..., tf.Tensor]


def logits_function(model: keras.Model, kind: str = schema.INK) -> LogitsFunction:
    """Makes a graph of a model's inference, (ink, length) or (bitmap) → logits.

    Tracing takes seconds: make it once for a model.

    Raises:
      ValueError: the model does not read that kind of drawing.
    """
    reader = models.forward_fn(model, kind)

    @tf.function(input_signature=list(models.INPUT_SPECS[kind].values()))
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
        logits = logits_of(*(batch[name] for name in models.INPUT_SPECS[info.kind]))
        sums.update(logits.numpy(), batch["class_index"].numpy())
    sums.add_up(cluster.sum)
    return sums.result()
