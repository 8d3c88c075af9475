"""The ancestor's network, for `benchmarks.train`.

That of TensorFlow's tutorial `tutorials/rnn/quickdraw/train_model.py` with its default
settings, repaired where it was broken: dropout is off in evaluation, the LSTMs end
where a drawing ends (with its default cell they did), and padding stays out of the
convolutions.

    ink (B, T, 3) ─ conv 48×5, 64×5, 96×3, linear, dropout between ─▶ (B, T, 96)
      ─ 3 × bidirectional LSTM(128) ─▶ (B, T, 256) ─ sum over time ─▶ dense
"""

from collections.abc import Callable, Iterable

import keras
import tensorflow as tf

from rnn_model import models

Batch = dict[str, tf.Tensor]
Batches = Iterable[Batch]
Step = Callable[[Batch], float]

CONVOLUTIONS = ((48, 5), (64, 5), (96, 3))
LSTM_UNITS, LSTM_LAYERS = 128, 3
DROPOUT = 0.3
LEARNING_RATE = 1e-4
CLIP_NORM = 9.0
BATCH_SIZE = 8
"""Its default; at 128 it is faster."""


class Masked(keras.layers.Layer):
    """Zero where there is no point."""

    def call(self, x: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        return x * tf.sequence_mask(length, tf.shape(x)[1], x.dtype)[..., None]


class Reversed(keras.layers.Layer):
    """Each drawing backwards, in its own length."""

    def call(self, x: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        return tf.reverse_sequence(x, length, seq_axis=1)


class Sum(keras.layers.Layer):
    """Over time."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(x, axis=1)


def build(num_classes: int) -> keras.Model:
    """Builds it, from `{"ink", "length"}` to logits `<float32>[batch, num_classes]`."""
    ink = keras.Input([None, 3], dtype="float32", name="ink")
    length = keras.Input([], dtype="int32", name="length")
    x = ink
    for number, (filters, width) in enumerate(CONVOLUTIONS):
        if number:
            x = keras.layers.Dropout(DROPOUT)(x)
        x = keras.layers.Conv1D(filters, width, padding="same")(x)
        x = Masked()(x, length)
    for _ in range(LSTM_LAYERS):
        forwards = keras.layers.LSTM(LSTM_UNITS, return_sequences=True)(x)
        backwards = keras.layers.LSTM(LSTM_UNITS, return_sequences=True)(
            Reversed()(x, length)
        )
        x = keras.layers.Concatenate()([forwards, Reversed()(backwards, length)])
    logits = keras.layers.Dense(num_classes)(Sum()(Masked()(x, length)))
    return keras.Model({"ink": ink, "length": length}, logits, name="ancestor")


def make_step(model: keras.Model) -> Step:
    """Makes what takes a training step on a batch and gives its mean loss."""
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(model.trainable_variables)

    labels = tf.TensorSpec([None], tf.int64)

    @tf.function(input_signature=(*models.INPUT_SPECS["ink"].values(), labels))
    def graph(ink: tf.Tensor, length: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = model({"ink": ink, "length": length}, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits)
            loss = tf.reduce_mean(losses)
        weights = model.trainable_variables
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, weights), CLIP_NORM)
        optimizer.apply(gradients, weights)
        return loss

    return lambda batch: float(
        graph(batch["ink"], batch["length"], batch["class_index"])
    )
