"""A step of training: a batch's loss, its gradient, and the move of the optimizer."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnn_model import models
from rnn_model.config import TrainConfig
from rnn_model.distributed import Cluster

WARMUP_STEPS = 100

SEED_STRIDE = 0x9E3779B9
"""Between the seeds of two replicas: far more than between those of two layers."""

Batch = dict[str, tf.Tensor]


def make_optimizer(config: TrainConfig, total_steps: int) -> keras.Optimizer:
    """The optimizer of a config; its rate rises, then falls along a cosine.

    It expects gradients that are added up over all replicas already.
    """
    warmup = min(WARMUP_STEPS, total_steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else config.learning_rate,
        decay_steps=total_steps - warmup,
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    settings: dict[str, Any] = {"name": config.optimizer}
    if config.optimizer == "adamw":
        settings["weight_decay"] = config.weight_decay
    named = type(keras.optimizers.get(config.optimizer))
    # Keras would add them up itself, after the clipping: that is N times too much.
    added_up = {"_all_reduce_sum_gradients": lambda self, pairs: pairs}
    return type(named.__name__, (named,), added_up)(learning_rate=rate, **settings)


def signature(kind: str) -> tuple[tf.TensorSpec, ...]:
    """What a step takes: one trace for all shapes.

    A model's inputs, class_index and drawings of a batch, and the wish to stop.
    """
    return (
        *models.INPUT_SPECS[kind].values(),
        tf.TensorSpec([None], tf.int64, name="class_index"),
        tf.TensorSpec([], tf.int32, name="drawings"),
        tf.TensorSpec([], tf.bool, name="stop"),
    )


class Step:
    """Moves a model's weights by a batch, of which every replica takes a part.

    The weights move as if one took it all: losses are added up over the replicas and
    divided by the drawings of the whole batch, and so are gradients; what is clipped is
    their sum.

    Args:
      config: the run's settings.
      kind: what the records hold, of `schema.KINDS`.
      model, optimizer: made in the scope of the cluster's strategy.
      offsets: `<float32>[classes]`, added to the logits (see `balance.offsets`).
      cluster: who takes part.
    """

    def __init__(
        self,
        config: TrainConfig,
        kind: str,
        model: keras.Model,
        optimizer: keras.Optimizer,
        offsets: np.ndarray,
        cluster: Cluster,
    ):
        self._config, self._offsets, self._cluster = config, offsets, cluster
        self._model, self._optimizer = model, optimizer
        self._names = (*models.INPUT_SPECS[kind], "class_index", "drawings")
        self._reader = models.forward_fn(model, kind)
        self.function = tf.function(self._on_all, input_signature=signature(kind))

    def __call__(self, batch: Batch, stop: bool = False) -> tuple[float, bool]:
        """Takes the step.

        Args:
          batch: this worker's rows (see `input_pipeline.training_batches`).
          stop: whether this worker wishes to stop.

        Returns:
          The mean loss of the whole batch, and whether any worker wishes to stop: the
          same for all.
        """
        tensors = (batch[name] for name in self._names)
        loss, wishes = self.function(*tensors, stop).numpy()
        return float(loss), wishes > 0

    @property
    def number(self) -> int:
        """Steps behind us."""
        return int(self._optimizer.iterations.numpy())

    def _on_all(self, *batch: tf.Tensor) -> tf.Tensor:
        """The loss and the wishes to stop, `<float32>[2]`, of all replicas together."""
        strategy = self._cluster.strategy
        parts = strategy.run(self._on_replica, batch)
        return strategy.experimental_local_results(parts)[0]

    def _on_replica(self, *batch: tf.Tensor) -> tf.Tensor:
        *values, drawings, stop = batch
        *inputs, class_index = self._cluster.part_of_replica(values, drawings)
        with tf.GradientTape() as tape:
            logits = self._reader(*inputs, training=True) + self._offsets
            losses = tf.nn.softmax_cross_entropy_with_logits(
                self._target(class_index), logits
            )
            divisor = self._cluster.drawings_taken(drawings)
            loss = tf.reduce_sum(losses) / tf.cast(divisor, tf.float32)
        weights = self._model.trainable_variables
        gradients = tape.gradient(loss, weights)
        told = tf.stack([loss, tf.cast(stop, tf.float32)])
        *gradients, told = self._cluster.all_reduce([*gradients, told])
        gradients, _ = tf.clip_by_global_norm(gradients, self._config.clip_norm)
        self._optimizer.apply(gradients, weights)
        return told

    def _target(self, class_index: tf.Tensor) -> tf.Tensor:
        """Smoothed one-hot targets, `<float32>[batch, classes]`."""
        classes, smoothing = len(self._offsets), self._config.label_smoothing
        return tf.one_hot(
            class_index,
            classes,
            on_value=1 - smoothing * (1 - 1 / classes),
            off_value=smoothing / classes,
        )

    def seed_dropout(self) -> None:
        """Makes what is hidden depend on seed, step and replica, not on where we began.

        The steps that follow are counted on from here.
        """
        self._seed(tf.constant(self.number, tf.uint32))

    @tf.function
    def _seed(self, step: tf.Tensor) -> None:
        def seed() -> None:
            context = tf.distribute.get_replica_context()
            replica = tf.cast(context.replica_id_in_sync_group, tf.uint32)
            for layer in self._model.layers:
                if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                    own = tf.constant(layer.seed, tf.uint32) + replica * SEED_STRIDE
                    layer.seed_generator.state.assign(tf.stack([own, step]))

        self._cluster.strategy.run(seed)
