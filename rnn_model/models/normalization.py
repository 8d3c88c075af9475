"""Batch normalization: over all replicas of a model, and fast where there is one."""

import keras
import tensorflow as tf


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer; each replica sees the mean and variance of the whole batch.

    Keras itself (`synchronized=True`) adds up sum, squares and count one after the
    other, and so their gradients: five times as long to wait for the slowest. And it
    leaves bfloat16 for float32; one fused op reads and writes half of the bytes, and
    adds up in float32 all the same.
    """

    def call(
        self,
        inputs: tf.Tensor,
        training: bool | None = None,
        mask: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Normalises `[..., channels]`."""
        low = inputs.dtype in (tf.bfloat16, tf.float16)
        if training and self.trainable and mask is None and low and _alone():
            return self._fused(inputs)
        return super().call(inputs, training=training, mask=mask)

    def _fused(self, inputs: tf.Tensor) -> tf.Tensor:
        """What training does with `<bfloat16 or float16>[batch, time, channels]`."""
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=tf.expand_dims(inputs, 1),  # it wants images
            scale=self.gamma,
            offset=self.beta,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)
        found = (mean, variance * (count - 1) / count)  # without Bessel's correction
        for moving, new in zip((self.moving_mean, self.moving_variance), found):
            moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return tf.squeeze(y, 1)

    def _moments(
        self, inputs: tf.Tensor, mask: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and variance `<float32>[channels]`."""
        if mask is not None or _alone():
            return super()._moments(inputs, mask)
        axes = list(range(len(inputs.shape) - 1))
        sums = [tf.reduce_sum(some, axes) for some in (inputs, tf.square(inputs))]
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), inputs.dtype)
        told = tf.concat([*sums, count[None]], 0)
        context = tf.distribute.get_replica_context()
        told = context.all_reduce(tf.distribute.ReduceOp.SUM, told)
        mean, squared = tf.split(told[:-1] / told[-1], 2)
        # Rounding must not make it negative.
        return mean, tf.maximum(squared - tf.square(mean), 0.0)


def _alone() -> bool:
    """Whether there is no other replica, or none of them is at work."""
    context = tf.distribute.get_replica_context()
    return context is None or context.num_replicas_in_sync == 1
