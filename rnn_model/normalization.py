"""Batch normalization over all replicas of a model: one all-reduce a layer."""

import keras
import tensorflow as tf


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer; each replica sees the mean and variance of the whole batch.

    Keras itself (`synchronized=True`) adds up sum, squares and count one after the
    other, and so their gradients: five times as long to wait for the slowest.
    """

    def _moments(
        self, inputs: tf.Tensor, mask: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and variance `<float32>[channels]`."""
        context = tf.distribute.get_replica_context()
        if mask is not None or context is None or context.num_replicas_in_sync == 1:
            return super()._moments(inputs, mask)
        axes = list(range(len(inputs.shape) - 1))
        sums = [tf.reduce_sum(some, axes) for some in (inputs, tf.square(inputs))]
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), inputs.dtype)
        told = tf.concat([*sums, count[None]], 0)
        told = context.all_reduce(tf.distribute.ReduceOp.SUM, told)
        mean, squared = tf.split(told[:-1] / told[-1], 2)
        # Rounding must not make it negative.
        return mean, tf.maximum(squared - tf.square(mean), 0.0)
