"""The state of a training run: its settings, and everything that a step changes."""

import math

import keras
import tensorflow as tf

from rnn_model import models
from rnn_model.config import TrainConfig
from rnn_model.distributed import SINGLE_WORKER, Cluster
from rnn_model.training import class_balance, warm_start
from rnn_model.training.optimizer import make_optimizer
from tfrecords.dataset_info import DatasetInfo

REPLICA_SEED_STRIDE = 0x9E3779B9
"""Difference of the dropout seeds of two replicas; those of two layers differ less."""


class TrainState(tf.Module):
    """A run before its first step; a checkpoint in `last/` holds its variables.

    All workers of a cluster have the same state, except for `seconds`.

    Args:
      config: the settings, with `epochs` and `precision` resolved.
      info: the data set.
      cluster: the workers.

    Attributes:
      config: as given, like `info` and `cluster`.
      class_counts: training drawings of each class.
      epoch_examples: drawings per epoch, repetitions of rare classes included.
      epoch_steps: steps per epoch.
      model: the network.
      optimizer: its `iterations` are the number of steps taken.
      epochs: `<int64>[]`, completed epochs.
      examples: `<int64>[]`, drawings of the current epoch that were trained on.
      loss_sum: `<float64>[]`, their summed loss.
      seconds: `<float64>[]`, duration of the current epoch so far.
    """

    def __init__(
        self, config: TrainConfig, info: DatasetInfo, cluster: Cluster = SINGLE_WORKER
    ):
        super().__init__()
        self.config, self.info, self.cluster = config, info, cluster
        self.class_counts = info.split("train").class_counts
        self.epoch_examples = class_balance.compute_epoch_size(
            self.class_counts, config.balance
        )
        self.epoch_steps = math.ceil(self.epoch_examples / config.batch_size)
        with cluster.strategy.scope():
            self.model = models.build_model(config, len(info.classes))
            if config.freeze_body:
                warm_start.freeze_body(self.model)
            self.optimizer = make_optimizer(config, config.epochs * self.epoch_steps)
            self.optimizer.build(self.model.trainable_variables)
        self.epochs = tf.Variable(0, dtype=tf.int64)
        self.examples = tf.Variable(0, dtype=tf.int64)
        self.loss_sum = tf.Variable(0.0, dtype=tf.float64)
        self.seconds = tf.Variable(0.0, dtype=tf.float64)

    @property
    def step(self) -> int:
        """Number of steps taken."""
        return int(self.optimizer.iterations.numpy())

    @property
    def step_in_epoch(self) -> int:
        """Number of steps taken in the current epoch."""
        return self.step - int(self.epochs) * self.epoch_steps

    def add_batch(self, loss: float, examples: int, seconds: float) -> None:
        """Adds a batch to the sums of the epoch.

        Args:
          loss: mean loss of the batch.
          examples: number of drawings in the batch.
          seconds: duration of the epoch so far.
        """
        self.loss_sum.assign_add(loss * examples)
        self.examples.assign_add(examples)
        self.seconds.assign(seconds)

    def finish_epoch(self) -> tuple[float, int, float]:
        """Returns mean loss, drawings and seconds of the epoch, and starts the next."""
        examples, seconds = int(self.examples), float(self.seconds)
        loss = float(self.loss_sum) / examples
        for variable in (self.examples, self.loss_sum, self.seconds):
            variable.assign(tf.zeros_like(variable))
        self.epochs.assign_add(1)
        return loss, examples, seconds

    def seed_dropout(self) -> None:
        """Sets the seeds of dropout from the seed of the run, the step and the replica.

        Called when an epoch starts and when a run is resumed, so that a resumed run
        gets the same dropout as an uninterrupted one.
        """
        self._seed_dropout(tf.constant(self.step, tf.uint32))

    @tf.function
    def _seed_dropout(self, step: tf.Tensor) -> None:
        def seed_replica() -> None:
            context = tf.distribute.get_replica_context()
            replica = tf.cast(context.replica_id_in_sync_group, tf.uint32)
            for layer in self.model.layers:
                if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                    seed = tf.constant(layer.seed, tf.uint32)
                    seed += replica * REPLICA_SEED_STRIDE
                    layer.seed_generator.state.assign(tf.stack([seed, step]))

        self.cluster.strategy.run(seed_replica)

    def describe_position(self) -> str:
        """Describes the position in the data, e.g. "epoch 3 and 1,024 drawings"."""
        examples = int(self.examples)
        rest = f" and {examples:,} drawings" if examples else ""
        return f"epoch {int(self.epochs)}{rest}"
