"""Dropout that needs a quarter of the random numbers."""

import keras
import tensorflow as tf

_VALUES_PER_NUMBER = 4
"""Bytes of a random number."""


@keras.saving.register_keras_serializable("quickdraw_rnn")
class Dropout(keras.layers.Dropout):
    """`keras.layers.Dropout` with 8 random bits per value instead of 32.

    Random numbers take most of the time of dropout on CPUs. The rate is rounded to a
    multiple of 1/256. The number of features must be a multiple of 4.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Drops values of `[batch, …, features]` in training."""
        num_dropped = round(self.rate * 256)
        if not training or num_dropped == 0:
            return inputs
        *dimensions, features = tf.unstack(tf.shape(inputs))
        numbers = tf.random.stateless_uniform(
            [*dimensions, features // _VALUES_PER_NUMBER],
            tf.cast(self.seed_generator.next(), tf.int32),
            minval=None,  # all bits are random
            dtype=tf.uint32,
        )
        random_bytes = tf.reshape(tf.bitcast(numbers, tf.uint8), tf.shape(inputs))
        scaled = inputs * tf.cast(256 / (256 - num_dropped), inputs.dtype)
        return tf.where(random_bytes >= num_dropped, scaled, tf.zeros_like(scaled))
