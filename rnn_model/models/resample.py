"""Ink of any number of points → features of 128 equidistant points.

With a fixed number of steps no padding reaches the network, and a convolution always
covers the same share of a drawing. The points are equidistant by arc length, to which
every point adds `POINT_LENGTH` and every stroke `STROKE_LENGTH`, so that few details
and dots are skipped.

Lengths are integers: eighths of a pixel, with a box of 255 pixels. Sums of such
integers are exact in float32 up to 8,000 boxes, so a resampled point falls on the same
segment on every machine, in every batch and in every export format.
"""

import keras
import tensorflow as tf

from rnn_model.models.rbf import RBF_CENTERS, rbf_features

STEPS = 128
"""Number of resampled points."""

UNITS_PER_BOX = 255 * 8
"""Units of length per side of the drawing's box: eighths of a pixel."""

POINT_LENGTH = round(0.02 * UNITS_PER_BOX)
"""Added to the arc length for every point, in units."""

STROKE_LENGTH = round(0.04 * UNITS_PER_BOX)
"""Added to the arc length for every stroke, in units."""

DELTA_SCALE = 10.0
"""Scales dx and dy to the range of the other features."""

FEATURES = 8 + 2 * RBF_CENTERS
"""Number of features of each resampled point."""


@keras.saving.register_keras_serializable("quickdraw_rnn")
class Resample(keras.layers.Layer):
    """Ink → features of equidistant points: `<float32>[batch, STEPS, FEATURES]`.

    The features of a point:

        2   x and y, from -1 to 1
        2   direction of the stroke, a unit vector; 0 in a dot
        2   dx and dy since the previous point, scaled by `DELTA_SCALE`
        1   1 where a stroke begins, else 0
        1   log of the arc length of the whole drawing
        24  radial basis features of x and of y
    """

    def call(self, ink: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """Resamples a batch.

        Args:
          ink: `<float32>[batch, time, 3]`, rows of (dx, dy, pen).
          length: `<int32>[batch]`, number of points of each drawing.
        """
        mask = tf.sequence_mask(length, tf.shape(ink)[1], ink.dtype)[..., None]
        starts = tf.pad(ink[:, :-1, 2:], [[0, 0], [1, 0], [0, 0]], constant_values=1.0)
        deltas = tf.round(ink[..., :2] * UNITS_PER_BOX)  # (B, T, 2)
        ends = tf.cumsum(deltas, axis=1)  # position of each point
        # A segment leads from the previous point of the stroke to the point. The first
        # segment of a stroke has no extent: with the pen up, nothing is drawn.
        segments = deltas * (1 - starts)  # (B, T, 2)
        squares = tf.reduce_sum(tf.square(segments), axis=2, keepdims=True)
        lengths = _integer_sqrt(squares) + POINT_LENGTH + STROKE_LENGTH * starts
        lengths *= mask  # (B, T, 1)
        arc_length = tf.cumsum(lengths, axis=1)  # at the end of each segment
        total = arc_length[:, -1:]  # (B, 1, 1)

        fractions = (tf.range(STEPS, dtype=tf.float32)[:, None] + 0.5) / STEPS
        targets = total * fractions  # arc length of each resampled point (B, STEPS, 1)
        # The index of a point's segment is the number of segments that end before it.
        before = tf.transpose(arc_length, [0, 2, 1]) < targets  # (B, STEPS, T)
        index = tf.reduce_sum(tf.cast(before, tf.int32), axis=2)  # (B, STEPS)
        index = tf.minimum(index, length[:, None] - 1)

        def at_index(values: tf.Tensor) -> tf.Tensor:
            return tf.gather(values, index, batch_dims=1)  # (B, STEPS, …)

        remaining = (at_index(arc_length) - targets) / at_index(lengths)
        remaining = tf.clip_by_value(remaining, 0, 1)  # share of the segment
        positions = at_index(ends) - at_index(segments) * remaining
        positions /= UNITS_PER_BOX  # (B, STEPS, 2), from 0 to 1
        stroke = at_index(tf.cumsum(starts, axis=1))  # number of each point's stroke
        is_new = tf.cast(stroke[:, 1:] != stroke[:, :-1], tf.float32)
        steps = positions[:, 1:] - positions[:, :-1]
        features = [
            positions * 2 - 1,
            at_index(segments / tf.sqrt(tf.maximum(squares, 1.0))),
            tf.pad(steps, [[0, 0], [1, 0], [0, 0]]) * DELTA_SCALE,
            tf.pad(is_new, [[0, 0], [1, 0], [0, 0]], constant_values=1.0),
            tf.repeat(tf.math.log(total / UNITS_PER_BOX + 0.1), STEPS, axis=1),
            rbf_features(positions[..., :1]),
            rbf_features(positions[..., 1:]),
        ]
        return tf.ensure_shape(tf.concat(features, axis=2), [None, STEPS, FEATURES])


def _integer_sqrt(squares: tf.Tensor) -> tf.Tensor:
    """Returns the integer nearest to the square root of integers below 2²⁴.

    Math libraries differ in the last bit of a square root, and so, rarely, in how it is
    rounded. The result of this function does not depend on that bit.
    """
    root = tf.round(tf.sqrt(squares))
    too_small = tf.cast(squares > root * (root + 1), squares.dtype)
    too_large = tf.cast(squares <= root * (root - 1), squares.dtype)
    return tf.maximum(root + too_small - too_large, 0)
