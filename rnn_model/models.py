"""The conv1d + LSTM classifier, and the table of models by name.

All models take the same batch, `ink <float32>[batch, time, 3]` padded with zeros and
`length <int32>[batch]`, and give `logits <float32>[batch, classes]`. Padding has no
say in the logits: a layer that could carry it into the answer zeroes it again.

    ink (B, T, 3) ─ features ─▶ (B, T, 33) ─ 3 × conv, two of stride 2 ─▶ (B, T/4, 128)
      ─ 4 × (conv + itself) ─▶ (B, T/4, 128)
      ─ 2 × (dropout, bidirectional LSTM) ─▶ (B, T/4, 256)
      ─ mean and max over time ─▶ (B, 512) ─ dropout, dense ─▶ (B, classes)

The convolutions read all points at once; an LSTM goes from point to point and is most
of a step. So they shorten the sequence first, and there are more of them.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from rnn_model import baselines
from rnn_model.config import TrainConfig
from tfrecords import schema

CONVOLUTIONS = ((64, 1), (96, 2), (128, 2), (128, 1), (128, 1), (128, 1), (128, 1))
"""Filters and stride of each; one that keeps the shape adds to its input."""

KERNEL = 5
DELTA_SCALE = 8.0
"""Brings dx and dy, about 0.1 boxes, to the size of the other features."""

BUMPS = 12
"""Places along each axis whose nearness a point feels."""

LSTM_UNITS = 128
LSTM_LAYERS = 2


def build(
    config: TrainConfig, num_classes: int, *, use_cudnn: str | bool = "auto"
) -> keras.Model:
    """Builds the model that a config names.

    Args:
      config: the run's settings.
      num_classes: width of the logits.
      use_cudnn: False keeps ops out that run on a GPU alone, as an export must.

    Returns:
      A model from `{"ink", "length"}` to logits `<float32>[batch, num_classes]`.
    """
    inputs = {
        "ink": keras.Input([None, schema.INK_WIDTH], dtype="float32", name="ink"),
        "length": keras.Input([], dtype="int32", name="length"),
    }
    network = NETWORKS[config.model]
    logits = network(inputs["ink"], inputs["length"], config, num_classes, use_cudnn)
    return keras.Model(inputs, logits, name=config.model)


# --- Layers ---------------------------------------------------------------------------


def mask_of(x: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """1 where there is a point: `<x.dtype>[batch, time, 1]`."""
    return tf.sequence_mask(length, tf.shape(x)[1], x.dtype)[..., None]


class InkFeatures(keras.layers.Layer):
    """Ink → what the first convolution sees: `<float32>[batch, time, 33]`.

        2   dx and dy, scaled
        3   the same as a direction, of length 1, and the log of the distance
        2   pen; 1 where a stroke begins
        2   x and y, from -1 to 1
        24  how near x and y are to each of 12 places: bumps of one place's width

    Of x itself a convolution could make but straight lines; of the bumps, any curve.
    """

    def call(self, ink: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        deltas, pen = ink[..., :2], ink[..., 2:]
        distance = tf.sqrt(tf.reduce_sum(deltas**2, axis=2, keepdims=True) + 1e-8)
        log_distance = tf.math.log(distance * DELTA_SCALE + 0.05)
        begins = tf.pad(pen[:, :-1], [[0, 0], [1, 0], [0, 0]], constant_values=1.0)
        positions = tf.cumsum(deltas, axis=1)
        parts = [deltas * DELTA_SCALE, deltas / distance, log_distance, pen, begins]
        parts += [
            positions * 2 - 1,
            _bumps(positions[..., :1]),
            _bumps(positions[..., 1:]),
        ]
        return tf.concat(parts, axis=2) * mask_of(ink, length)


def _bumps(position: tf.Tensor) -> tf.Tensor:
    """Nearness of `<float32>[batch, time, 1]` to each place, 0 to 1, `[…, BUMPS]`."""
    places = tf.linspace(0.0, 1.0, BUMPS)
    return tf.exp(-0.5 * tf.square((position - places) * (BUMPS - 1)))


class ConvBlock(keras.layers.Layer):
    """Convolution over time, normalisation, ReLU; padding is zero again after it.

    With stride s, T points become ⌈T/s⌉. Where the shape stays, the input is added. The
    borders are padded here, the same on both sides: "same" padding would depend on the
    length of the padded batch.
    """

    def __init__(self, filters: int, stride: int, **kwargs):
        super().__init__(**kwargs)
        self.stride = stride
        self.border = keras.layers.ZeroPadding1D(KERNEL // 2)
        self.conv = keras.layers.Conv1D(filters, KERNEL, stride, use_bias=False)
        self.norm = keras.layers.BatchNormalization(momentum=0.95)

    def call(
        self, x: tf.Tensor, length: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Gives the new `x <float32>[batch, ⌈time/stride⌉, filters]` and lengths."""
        before, x = x, self.conv(self.border(x))
        length = -(-length // self.stride)
        mask = mask_of(x, length)
        x = self.norm(x, training=training, mask=mask[..., 0] > 0)
        x = tf.nn.relu(x) * mask
        same = self.stride == 1 and x.shape[2] == before.shape[2]
        return x + before if same else x, length


class BiLSTM(keras.layers.Layer):
    """An LSTM forwards and one backwards: `<float32>[batch, time, 2·units]`.

    The backward one reads each drawing reversed in its own length, so that for both
    the padding comes last, where it cannot reach a point's output.
    """

    def __init__(self, units: int, use_cudnn: str | bool, **kwargs):
        super().__init__(**kwargs)
        self.forwards, self.backwards = (
            keras.layers.LSTM(
                units, return_sequences=True, use_cudnn=use_cudnn, name=name
            )
            for name in ("forwards", "backwards")
        )

    def call(self, x: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        def reverse(sequence: tf.Tensor) -> tf.Tensor:
            return tf.reverse_sequence(sequence, length, seq_axis=1)

        both = [self.forwards(x), reverse(self.backwards(reverse(x)))]
        return tf.concat(both, axis=2) * mask_of(x, length)


class MeanAndMax(keras.layers.Layer):
    """Mean and maximum over the points: `<float32>[batch, 2·features]`."""

    def call(self, x: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        mask = mask_of(x, length)
        count = tf.maximum(tf.cast(length, x.dtype), 1)[:, None]
        mean = tf.reduce_sum(x * mask, axis=1) / count
        highest = tf.reduce_max(x + (mask - 1) * 1e9, axis=1)
        return tf.concat([mean, highest], axis=1)


# --- Networks -------------------------------------------------------------------------


def rnn(
    ink: tf.Tensor,
    length: tf.Tensor,
    config: TrainConfig,
    num_classes: int,
    use_cudnn: str | bool,
) -> tf.Tensor:
    """The stroke model; the drawing at the top of this file shows the shapes."""
    x = InkFeatures(name="features")(ink, length)  # (B, T, 33)
    for number, (filters, stride) in enumerate(CONVOLUTIONS, 1):
        x, length = ConvBlock(filters, stride, name=f"conv{number}")(x, length)
    for number in range(1, LSTM_LAYERS + 1):  # x is (B, T/4, 128)
        x = keras.layers.Dropout(config.dropout, seed=config.seed + number)(x)
        x = BiLSTM(LSTM_UNITS, use_cudnn, name=f"lstm{number}")(x, length)
    x = MeanAndMax(name="pool")(x, length)  # (B, 4·units)
    x = keras.layers.Dropout(config.dropout, seed=config.seed)(x)
    return keras.layers.Dense(num_classes, name="logits")(x)


NETWORKS: dict[str, Callable[..., tf.Tensor]] = {
    "rnn": rnn,
    "cnn": baselines.cnn,
    "mlp": baselines.mlp,
}
