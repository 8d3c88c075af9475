"""Batch normalization over all replicas, and a fast one in low precision."""

import keras
import tensorflow as tf

MOMENTUM = 0.95
"""Momentum of the moving averages, for runs of a few thousand steps."""

FEATURE_LIMIT = 1e4
"""Standard deviations at which `FeatureNormalization` clips."""


@keras.saving.register_keras_serializable("quickdraw_rnn")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with the statistics of the global batch.

    With `synchronized=True`, Keras reduces sum, squared sum and count one after the
    other, and their gradients likewise, which takes five times as long. And Keras
    casts bfloat16 to float32 first; the fused op reads and writes half as many bytes
    and accumulates in float32, too.
    """

    def call(
        self,
        inputs: tf.Tensor,
        training: bool | None = None,
        mask: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Normalizes `[batch, …, channels]`."""
        is_low_precision = inputs.dtype in (tf.bfloat16, tf.float16)
        if (
            training
            and self.trainable
            and mask is None
            and is_low_precision
            and _is_single_replica()
        ):
            return self._fused_training_step(inputs)
        return super().call(inputs, training=training, mask=mask)

    def _fused_training_step(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalizes `<bfloat16 or float16>` and updates the moving statistics."""
        is_sequence = len(inputs.shape) == 3
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=tf.expand_dims(inputs, 1) if is_sequence else inputs,  # takes images
            scale=self.gamma,
            offset=self.beta,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)
        variance = variance * (count - 1) / count  # undoes Bessel's correction
        updates = ((self.moving_mean, mean), (self.moving_variance, variance))
        for moving, new in updates:
            moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return tf.squeeze(y, 1) if is_sequence else y

    def _moments(
        self, inputs: tf.Tensor, mask: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes mean and variance `<float32>[channels]`; overrides Keras."""
        if mask is not None or _is_single_replica():
            own: tuple[tf.Tensor, tf.Tensor] = super()._moments(inputs, mask)
            return own
        axes = list(range(len(inputs.shape) - 1))
        sums = [tf.reduce_sum(values, axes) for values in (inputs, tf.square(inputs))]
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), inputs.dtype)
        local = tf.concat([*sums, count[None]], 0)
        context = tf.distribute.get_replica_context()
        total = context.all_reduce(tf.distribute.ReduceOp.SUM, local)
        mean, mean_of_squares = tf.split(total[:-1] / total[-1], 2)
        # Rounding must not make the variance negative.
        return mean, tf.maximum(mean_of_squares - tf.square(mean), 0.0)


@keras.saving.register_keras_serializable("quickdraw_rnn")
class FeatureNormalization(BatchNormalization):
    """Batch normalization of `[batch, features]` before a dense layer.

    The features are clipped at `FEATURE_LIMIT`, which they do not reach. Without it,
    the LiteRT converter folds the normalization into the dense layer, whose 8-bit
    weights would then have to cover features of very different sizes.
    """

    def call(
        self,
        inputs: tf.Tensor,
        training: bool | None = None,
        mask: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Normalizes `[batch, features]`."""
        y = super().call(inputs, training=training, mask=mask)
        return tf.clip_by_value(y, -FEATURE_LIMIT, FEATURE_LIMIT)


def _is_single_replica() -> bool:
    """Returns whether there is one replica, or the call is outside of a replica."""
    context = tf.distribute.get_replica_context()
    return context is None or context.num_replicas_in_sync == 1
