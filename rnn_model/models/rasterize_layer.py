"""A layer that draws ink as a 28×28 bitmap, for the bitmap models.

It computes the same formula as `pipeline.rasterize`; the results are equal within
1/255.
"""

import keras
import numpy as np
import tensorflow as tf

from pipeline import rasterize, strokes

BITMAP_LAYER = "bitmap"
"""Name of the layer in a model; its output can be replaced by bitmaps."""

SEGMENTS_PER_BLOCK = 16
"""Segments whose distances are computed at once: they fit into a CPU's cache."""


@keras.saving.register_keras_serializable("quickdraw_rnn")
class Rasterize(keras.layers.Layer):
    """Ink → bitmap `<float32>[batch, 28, 28, 1]`, from 0 to 1, white ink on black.

    No gradient flows through it.
    """

    def call(self, ink: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """Draws a batch.

        Args:
          ink: `<float32>[batch, time, 3]`, rows of (dx, dy, pen).
          length: `<int32>[batch]`, number of points of each drawing.
        """
        start, end = _segment_ends(ink, length)
        batch, time = tf.shape(ink)[0], tf.shape(ink)[1]
        far_away = tf.fill([batch, rasterize.SIDE, rasterize.SIDE], 1e9)

        def block(first: tf.Tensor, nearest: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            rows = slice(first, first + SEGMENTS_PER_BLOCK)
            squared = _squared_distance(start[:, rows], end[:, rows])
            return first + SEGMENTS_PER_BLOCK, tf.minimum(nearest, squared)

        _, nearest = tf.while_loop(
            lambda first, _: first < time, block, (tf.constant(0), far_away)
        )
        distance = tf.sqrt(tf.maximum(nearest, 0))
        white = (rasterize.PEN_RADIUS - distance) / rasterize.UNITS_PER_PIXEL + 0.5
        return tf.stop_gradient(tf.clip_by_value(white, 0, 1)[..., None])


def _segment_ends(ink: tf.Tensor, length: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes where the line segments start and end on the canvas.

    Every point is the end of a segment, which starts at the previous point, or at the
    point itself if the point begins a stroke. Padding repeats the last point.

    Args:
      ink: `<float32>[batch, time, 3]`.
      length: `<int32>[batch]`.

    Returns:
      Two tensors `<float32>[batch, time, 2]`, in units of the canvas.
    """
    last = tf.maximum(length - 1, 0)[:, None, None]
    steps = tf.range(tf.shape(ink)[1])[None, :, None]
    deltas = tf.where(steps <= last, ink[..., :2], 0)
    end = tf.cumsum(deltas, axis=1) * strokes.BOX
    lowest = tf.reduce_min(end, axis=1, keepdims=True)
    highest = tf.reduce_max(end, axis=1, keepdims=True)
    end += rasterize.MARGIN + rasterize.CANVAS / 2 - (lowest + highest) / 2
    is_first = tf.pad(ink[:, :-1, 2:], [[0, 0], [1, 0], [0, 0]], constant_values=1.0)
    previous = tf.pad(end[:, :-1], [[0, 0], [1, 0], [0, 0]])
    return tf.where(is_first > 0.5, end, previous), end


def _squared_distance(start: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    """Computes the squared distance of each pixel's center to the nearest segment.

    It is the squared distance to the segment's line, plus the squared distance along
    the line to the segment. The former is a quadratic polynomial of the pixel's x and
    y, the latter starts from a linear one: both are matrix products.

    Args:
      start: `<float32>[batch, segments, 2]`, on the canvas.
      end: likewise.

    Returns:
      `<float32>[batch, 28, 28]`.
    """
    vector = end - start
    length = tf.sqrt(tf.reduce_sum(vector**2, axis=2, keepdims=True))  # (B, S, 1)
    # A dot has no direction; any unit vector will do.
    unit = tf.where(length > 0, tf.math.divide_no_nan(vector, length), [1.0, 0.0])
    ux, uy = tf.unstack(unit, axis=2)
    x, y = tf.unstack((start + end) / 2 - _CENTER, axis=2)
    c = x * uy - y * ux  # the distance to the line is |ux·y - uy·x + c|
    coefficients = [uy * uy, ux * ux, -2 * ux * uy, -2 * uy * c, 2 * ux * c, c * c]
    to_line = tf.stack(coefficients, axis=2) @ _MONOMIALS  # (B, S, 28·28), squared
    along = tf.stack([ux, uy, -(x * ux + y * uy)], axis=2) @ _MONOMIALS[3:]
    beyond_end = tf.nn.relu(tf.abs(along) - length / 2)  # (B, S, 28·28)
    nearest = tf.reduce_min(to_line + tf.square(beyond_end), axis=1)
    return tf.reshape(nearest, [-1, rasterize.SIDE, rasterize.SIDE])  # (B, 28, 28)


_CENTER = np.float32(rasterize.CANVAS / 2 + rasterize.MARGIN)


def _monomials() -> np.ndarray:
    """Returns x², y², xy, x, y and 1 of each pixel, `<float32>[6, 28·28]`.

    x and y are the distances of the pixel's center from the canvas's center.
    """
    offsets = rasterize.PIXEL_CENTERS - _CENTER
    y, x = (axis.ravel() for axis in np.meshgrid(offsets, offsets, indexing="ij"))
    return np.stack([x * x, y * y, x * y, x, y, np.ones_like(x)])


_MONOMIALS = _monomials()
