"""Trains the rnn as one worker and as two; prints how far apart they come, as JSON.

A process of its own: TensorFlow splits a processor in two before it first uses it.
"""

import json

import keras
import numpy as np
import tensorflow as tf

from rnn_model import models
from rnn_model.config import TrainConfig

CLASSES, STEPS, BATCH = 7, 3, 8
SLICES = (slice(0, 5), slice(5, BATCH))


def main() -> None:
    """Makes the same steps twice, on whole batches and on slices of them."""
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], halves
    )
    alone = build(tf.distribute.get_strategy())
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    together = build(strategy)
    together.set_weights(alone.get_weights())
    before = alone.get_weights()
    train(alone, tf.distribute.get_strategy(), [slice(0, BATCH)])
    train(together, strategy, SLICES)
    triples = list(zip(before, alone.get_weights(), together.get_weights()))
    moved = [float(np.abs(old - one).max()) for old, one, _ in triples]
    apart = [float(np.abs(one - other).max()) for _, one, other in triples]
    print(json.dumps({"moved": moved, "apart": apart}))


def build(strategy: tf.distribute.Strategy) -> keras.Model:
    with strategy.scope():
        keras.utils.set_random_seed(1)
        model = models.build(TrainConfig(model="rnn", dropout=0.0), CLASSES)
        model.optimizer = keras.optimizers.SGD(0.1)
        model.optimizer.build(model.trainable_variables)
    return model


def train(
    model: keras.Model, strategy: tf.distribute.Strategy, slices: list[slice]
) -> None:
    """Makes steps on the same batches, each worker on its slice of every batch."""

    def take_step(ink: tf.Tensor, length: tf.Tensor, class_index: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            logits = model({"ink": ink, "length": length}, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(class_index, logits)
            loss = tf.reduce_sum(losses) / BATCH  # the optimizer adds up the workers'
        weights = model.trainable_variables
        model.optimizer.apply(tape.gradient(loss, weights), weights)

    steps = tf.function(lambda parts: strategy.run(take_step, parts))
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        ink = rng.normal(0, 0.1, (BATCH, 20, 3)).astype(np.float32)
        ink[..., 2] = rng.random((BATCH, 20)) < 0.1
        batch = (ink, np.full(BATCH, 20, np.int32), rng.integers(0, CLASSES, BATCH))
        parts = tuple(
            strategy.experimental_distribute_values_from_function(
                lambda context, whole=whole: tf.constant(
                    whole[slices[context.replica_id_in_sync_group]]
                )
            )
            for whole in batch
        )
        steps(parts)


if __name__ == "__main__":
    main()
