"""The bitmap models that stand beside the rnn, and ink → bitmap in the graph."""

import keras
import numpy as np
import tensorflow as tf

from pipeline import rasterize, strokes
from rnn_model.config import TrainConfig

BITMAP_LAYER = "bitmap"
"""Name of the layer whose output a bitmap can stand for."""

SEGMENTS_AT_ONCE = 16
"""Segments whose distances are held at once: few enough for a processor's cache."""


class Rasterize(keras.layers.Layer):
    """Ink → bitmap `<float32>[batch, 28, 28, 1]`, 0 to 1.

    The same formula as `pipeline.rasterize`, equal within 1/255.
    """

    def call(self, ink: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        start, end = _segments(ink, length)
        batch, time = tf.shape(ink)[0], tf.shape(ink)[1]
        nearest = tf.fill([batch, rasterize.SIDE, rasterize.SIDE], 1e9)

        def step(first: tf.Tensor, nearest: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            some = slice(first, first + SEGMENTS_AT_ONCE)
            squared = _squared_distance(start[:, some], end[:, some])
            return first + SEGMENTS_AT_ONCE, tf.minimum(nearest, squared)

        _, nearest = tf.while_loop(
            lambda first, _: first < time, step, (tf.constant(0), nearest)
        )
        distance = tf.sqrt(tf.maximum(nearest, 0))
        white = (rasterize.PEN_RADIUS - distance) / rasterize.UNITS_PER_PIXEL + 0.5
        return tf.stop_gradient(tf.clip_by_value(white, 0, 1)[..., None])


def _segments(ink: tf.Tensor, length: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Ends of the segments on the canvas, two of `<float32>[batch, time, 2]`.

    Every point ends one: it begins at the point before, or at the point itself where
    a stroke begins. Padding repeats the last point.
    """
    last = tf.maximum(length - 1, 0)[:, None, None]
    steps = tf.range(tf.shape(ink)[1])[None, :, None]
    deltas = tf.where(steps <= last, ink[..., :2], 0)
    end = tf.cumsum(deltas, axis=1) * strokes.BOX
    lowest = tf.reduce_min(end, axis=1, keepdims=True)
    highest = tf.reduce_max(end, axis=1, keepdims=True)
    end += rasterize.MARGIN + rasterize.CANVAS / 2 - (lowest + highest) / 2
    begins = tf.pad(ink[:, :-1, 2:], [[0, 0], [1, 0], [0, 0]], constant_values=1.0)
    before = tf.pad(end[:, :-1], [[0, 0], [1, 0], [0, 0]])
    return tf.where(begins > 0.5, end, before), end


def _squared_distance(start: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    """Squared distance of each pixel's centre to the nearest of some segments.

    The square of how far it is beside the segment's line, and of how far beyond the
    segment's ends along it. The one is a quadratic function of the pixel's x and y, the
    other begins with a linear one: both are a product of matrices.

    Args:
      start, end: `<float32>[batch, segments, 2]`.

    Returns:
      `<float32>[batch, 28, 28]`.
    """
    along = end - start
    length = tf.sqrt(tf.reduce_sum(along**2, axis=2, keepdims=True))  # (B, S, 1)
    # A dot has no direction; any will do.
    unit = tf.where(length > 0, tf.math.divide_no_nan(along, length), [1.0, 0.0])
    ux, uy = tf.unstack(unit, axis=2)
    x, y = tf.unstack((start + end) / 2 - _CENTRE, axis=2)
    c = x * uy - y * ux  # beside the line are ux·y - uy·x + c
    squared = [uy * uy, ux * ux, -2 * ux * uy, -2 * uy * c, 2 * ux * c, c * c]
    beside = tf.stack(squared, axis=2) @ _QUADRATIC  # (B, S, 28·28)
    from_middle = tf.stack([ux, uy, -(x * ux + y * uy)], axis=2) @ _QUADRATIC[3:]
    beyond = tf.nn.relu(tf.abs(from_middle) - length / 2)
    nearest = tf.reduce_min(beside + tf.square(beyond), axis=1)
    return tf.reshape(nearest, [-1, rasterize.SIDE, rasterize.SIDE])


_CENTRE = np.float32(rasterize.CANVAS / 2 + rasterize.MARGIN)


def _quadratic() -> np.ndarray:
    """x², y², x·y, x, y and 1 of each pixel from the centre, `<float32>[6, 28·28]`."""
    offsets = rasterize.PIXEL_CENTRES - _CENTRE
    y, x = (axis.ravel() for axis in np.meshgrid(offsets, offsets, indexing="ij"))
    return np.stack([x * x, y * y, x * y, x, y, np.ones_like(x)])


_QUADRATIC = _quadratic()


def cnn(
    ink: tf.Tensor,
    length: tf.Tensor,
    config: TrainConfig,
    num_classes: int,
    use_cudnn: str | bool,
) -> tf.Tensor:
    """The well-known bitmap network of TensorFlow's MNIST tutorial."""
    del use_cudnn  # no LSTM here
    x = Rasterize(name=BITMAP_LAYER)(ink, length)  # (B, 28, 28, 1)
    for number, filters in enumerate((32, 64), 1):
        x = keras.layers.Conv2D(
            filters, 5, padding="same", activation="relu", name=f"conv{number}"
        )(x)
        x = keras.layers.MaxPooling2D(name=f"pool{number}")(x)
    x = keras.layers.Flatten()(x)  # (B, 7·7·64)
    x = keras.layers.Dense(1024, activation="relu", name="dense")(x)
    x = keras.layers.Dropout(config.dropout, seed=config.seed)(x)
    return keras.layers.Dense(num_classes, name="logits")(x)


def mlp(
    ink: tf.Tensor,
    length: tf.Tensor,
    config: TrainConfig,
    num_classes: int,
    use_cudnn: str | bool,
) -> tf.Tensor:
    """784 → 32 → 32 → classes."""
    del config, use_cudnn  # neither dropout nor LSTM here
    x = keras.layers.Flatten()(Rasterize(name=BITMAP_LAYER)(ink, length))  # (B, 784)
    x = keras.layers.Dense(32, activation="relu", name="dense1")(x)
    x = keras.layers.Dense(32, activation="relu", name="dense2")(x)
    return keras.layers.Dense(num_classes, name="logits")(x)
