"""Random changes of training drawings that keep what they show.

The change of a drawing depends only on its key, its copy number, the seed and the
epoch, not on its batch or on the number of workers.
"""

import math

import numpy as np
import tensorflow as tf

from tfrecords import schema

MAX_ROTATION = math.radians(15)
MAX_STRETCH = 0.15
MAX_SHEAR = 0.1

JITTER = 0.008
"""Standard deviation of the noise of the points; 1 is the side of the box (255 px)."""

MIN_KEPT_SHARE = 0.2
"""Smallest share of its points that a truncated drawing keeps."""


def augment(
    batch: dict[str, tf.Tensor],
    seed: int,
    epoch: int | tf.Tensor,
    partial: float = 0.0,
) -> dict[str, tf.Tensor]:
    """Mirrors, rotates, stretches, shears and jitters drawings, and truncates some.

    Args:
      batch: as of `input_pipeline.training_batches`, but with ragged ink, as
        `decode.parse_examples` returns it: padding would take as long as points.
      seed: seed of the run.
      epoch: number of the epoch.
      partial: share of the drawings that are truncated.

    Returns:
      The batch with changed ink and length. Each drawing fills the box again.
    """
    random = _DrawingRandom(batch, seed, epoch)
    length = _truncated_lengths(batch["length"], random, partial)
    # The points that are kept: row in the batch and index in the drawing, (points,).
    kept = tf.cast(tf.where(tf.sequence_mask(length)), tf.int32)
    row, index = kept[:, 0], kept[:, 1]
    source = tf.gather(batch["ink"].row_starts() // schema.INK_WIDTH, row) + index
    ink = tf.gather(tf.reshape(batch["ink"].values, [-1, schema.INK_WIDTH]), source)
    # In float64, so that the previous drawings of the batch do not affect the sums.
    positions = tf.cumsum(tf.cast(ink[:, :2], tf.float64))
    maps = tf.cast(_random_linear_maps(random), tf.float64)  # (batch, 4)
    if partial:
        maps /= _extent(*_bounds(positions, row), smallest=1e-3)
    maps = tf.gather(maps, row)
    positions = positions[:, :1] * maps[:, :2] + positions[:, 1:] * maps[:, 2:]
    positions += tf.cast(JITTER * random.normal(row, index), tf.float64)
    # A dot must stay small: its jitter must not be scaled up to the whole box.
    lowest, highest = _bounds(positions, row)
    scale = 1 / _extent(lowest, highest, smallest=0.5)
    to_box = tf.gather(tf.concat([scale, lowest * scale], axis=1), row)
    positions = tf.cast(positions * to_box[:, :1] - to_box[:, 1:], tf.float32)
    previous = tf.pad(positions[:-1], [[1, 0], [0, 0]])
    deltas = tf.where(index[:, None] == 0, positions, positions - previous)
    # The last point of a drawing ends its stroke; the next point has index 0.
    is_last = tf.pad(index[1:], [[0, 1]]) == 0
    pen = tf.where(is_last[:, None], 1.0, ink[:, 2:])
    changed = tf.RaggedTensor.from_row_lengths(
        tf.reshape(tf.concat([deltas, pen], axis=1), [-1]),
        schema.INK_WIDTH * length,
        validate=False,
    )
    return batch | {"ink": changed, "length": length}


class _DrawingRandom:
    """Random numbers of each drawing, from a hash of its key and copy number."""

    def __init__(self, batch: dict[str, tf.Tensor], seed: int, epoch: int | tf.Tensor):
        copy = tf.strings.as_string(batch["copy"])
        parts = [batch["key_id"], copy, f"{seed}", tf.strings.as_string(epoch)]
        salted = tf.strings.join(parts, separator="/")
        self._hashes = tf.strings.to_hash_bucket_fast(salted, 1 << 32)
        self._num_streams = 0

    def uniform(self, count: int, low: float = 0.0) -> tf.Tensor:
        """Returns `<float32>[batch, count]` from `low` to below 1."""
        numbers = self._new_stream()[:, None] + np.arange(count, dtype=np.uint32)
        return low + (1 - low) * _to_uniform(numbers)

    def normal(self, row: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        """Returns two standard normal numbers per point (Box-Muller transform).

        Args:
          row: `<int32>[points]`, the point's drawing in the batch.
          index: `<int32>[points]`, the point's index in the drawing.

        Returns:
          `<float32>[points, 2]`.
        """
        numbers = tf.gather(self._new_stream(), row) + tf.cast(2 * index, tf.uint32)
        u1, u2 = _to_uniform(numbers), _to_uniform(numbers + 1)
        radius, angle = tf.sqrt(-2 * tf.math.log1p(-u1)), 2 * math.pi * u2
        return radius[:, None] * tf.stack([tf.cos(angle), tf.sin(angle)], axis=1)

    def _new_stream(self) -> tf.Tensor:
        """Returns the first number of a new stream for each drawing, `<uint32>`."""
        self._num_streams += 1
        return _hash(tf.cast(self._hashes + self._num_streams * 0x9E3779B9, tf.uint32))


def _to_uniform(numbers: tf.Tensor) -> tf.Tensor:
    """Hashes `<uint32>` numbers to `<float32>` from 0 to below 1."""
    # 24 bits, which a float32 holds exactly; otherwise rounding could give 1.
    bits = tf.bitwise.right_shift(_hash(numbers), 8)
    return tf.cast(bits, tf.float32) / (1 << 24)


def _hash(x: tf.Tensor) -> tf.Tensor:
    """Hashes `<uint32>` numbers.

    The constants are those of lowbias32, https://nullprogram.com/blog/2018/07/31.
    """
    x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, 16)) * 0x7FEB352D
    x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, 15)) * 0x846CA68B
    return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, 16))


def _truncated_lengths(
    length: tf.Tensor, random: _DrawingRandom, partial: float
) -> tf.Tensor:
    """Computes how many points of each drawing are kept, `<int32>[batch]`.

    The first points of a simplified drawing, scaled to fill the box, are almost what a
    server gets for a drawing in progress: simplifying them again changes little.
    """
    is_whole = random.uniform(1)[:, 0] >= partial
    share = tf.where(is_whole, 1.0, random.uniform(1, low=MIN_KEPT_SHARE)[:, 0])
    return tf.cast(tf.math.ceil(tf.cast(length, tf.float32) * share), tf.int32)


def _random_linear_maps(random: _DrawingRandom) -> tf.Tensor:
    """Returns 2×2 matrices in row-major order, `<float32>[batch, 4]`."""
    u = tf.unstack(random.uniform(5, low=-1.0), axis=1)
    rotation, shear = MAX_ROTATION * u[0], MAX_SHEAR * u[1]
    mirror = tf.where(u[2] < 0, -1.0, 1.0)
    width, height = 1 + MAX_STRETCH * u[3], 1 + MAX_STRETCH * u[4]
    cos, sin = tf.cos(rotation), tf.sin(rotation)
    rows = [
        *(mirror * width * cos, mirror * width * sin),
        *(height * (shear * cos - sin), height * (shear * sin + cos)),
    ]
    return tf.stack(rows, axis=1)


def _bounds(positions: tf.Tensor, row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes the lowest and highest x and y of each drawing, `[batch, 2]`."""
    return tf.math.segment_min(positions, row), tf.math.segment_max(positions, row)


def _extent(lowest: tf.Tensor, highest: tf.Tensor, smallest: float) -> tf.Tensor:
    """Computes the longer side of each drawing, at least `smallest`: `[batch, 1]`."""
    sides = highest - lowest
    return tf.maximum(tf.reduce_max(sides, axis=1, keepdims=True), smallest)
