"""The network of the TensorFlow tutorial, for `benchmarks.train`.

The network of `tutorials/rnn/quickdraw/train_model.py` with its default settings and
three corrections: no dropout in evaluation, the LSTMs stop at the end of a drawing (as
they did with the tutorial's default cell), and padding does not reach the convolutions.

    ink (B, T, 3) ─ conv 48×5, 64×5, 96×3, linear, dropout between ─▶ (B, T, 96)
      ─ 3 × bidirectional LSTM(128) ─▶ (B, T, 256) ─ sum over time ─▶ dense
"""

from collections.abc import Callable, Iterable

import keras
import tensorflow as tf

from rnn_model import models

Batch = dict[str, tf.Tensor]
Batches = Iterable[Batch]
TrainStep = Callable[[Batch], float]

CONVOLUTIONS = ((48, 5), (64, 5), (96, 3))
LSTM_UNITS, LSTM_LAYERS = 128, 3
DROPOUT = 0.3
LEARNING_RATE = 1e-4
CLIP_NORM = 9.0
BATCH_SIZE = 8
"""The tutorial's default; 128 is faster."""


class ZeroPadding(keras.layers.Layer):
    """Sets all time steps after the end of a drawing to zero."""

    def call(self, x: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """Returns `<float32>[batch, time, channels]`, like `x`."""
        return x * tf.sequence_mask(length, tf.shape(x)[1], x.dtype)[..., None]


class ReverseSequence(keras.layers.Layer):
    """Reverses each drawing within its own length."""

    def call(self, x: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """Returns `<float32>[batch, time, channels]`, like `x`."""
        return tf.reverse_sequence(x, length, seq_axis=1)


class SumOverTime(keras.layers.Layer):
    """Sums over the time axis."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Returns `<float32>[batch, channels]`."""
        return tf.reduce_sum(x, axis=1)


def build_model(num_classes: int) -> keras.Model:
    """Builds the network.

    Returns:
      A model from `{"ink", "length"}` to logits `<float32>[batch, num_classes]`.
    """
    ink = keras.Input([None, 3], dtype="float32", name="ink")
    length = keras.Input([], dtype="int32", name="length")
    x = ink
    for index, (filters, width) in enumerate(CONVOLUTIONS):
        if index:
            x = keras.layers.Dropout(DROPOUT)(x)
        x = keras.layers.Conv1D(filters, width, padding="same")(x)
        x = ZeroPadding()(x, length)
    for _ in range(LSTM_LAYERS):
        forward = keras.layers.LSTM(LSTM_UNITS, return_sequences=True)(x)
        backward = keras.layers.LSTM(LSTM_UNITS, return_sequences=True)(
            ReverseSequence()(x, length)
        )
        backward = ReverseSequence()(backward, length)
        x = keras.layers.Concatenate()([forward, backward])
    logits = keras.layers.Dense(num_classes)(SumOverTime()(ZeroPadding()(x, length)))
    return keras.Model({"ink": ink, "length": length}, logits, name="tutorial")


def make_train_step(model: keras.Model) -> TrainStep:
    """Makes a function that trains on a batch and returns the mean loss."""
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(model.trainable_variables)

    labels_spec = tf.TensorSpec([None], tf.int64)

    @tf.function(input_signature=(*models.INPUT_SPECS["ink"].values(), labels_spec))
    def train_step(ink: tf.Tensor, length: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = model({"ink": ink, "length": length}, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        weights = model.trainable_variables
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, weights), CLIP_NORM)
        optimizer.apply(gradients, weights)
        return loss

    return lambda batch: float(
        train_step(batch["ink"], batch["length"], batch["class_index"])
    )
