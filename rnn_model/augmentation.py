"""Random changes to training drawings that leave what they show the same.

What happens to a drawing depends on its key, the seed and the epoch alone: not on the
batch that it is in, nor on how many workers there are.
"""

import math

import numpy as np
import tensorflow as tf

from tfrecords import schema

MAX_TURN = math.radians(15)
MAX_STRETCH = 0.15
MAX_SHEAR = 0.1
JITTER = 0.008
"""Standard deviation of the points' noise, in boxes (2 px)."""

SHORTEST = 0.4
"""The least share of its points that a drawing cut short keeps."""


def augment(
    batch: dict[str, tf.Tensor],
    seed: int,
    epoch: int | tf.Tensor,
    partial: float = 0.0,
) -> dict[str, tf.Tensor]:
    """Mirrors, turns, stretches and jitters each drawing of a batch; cuts some short.

    Args:
      batch: see `input_pipeline.training_batches`, but the ink is not padded yet, as
        `decode.parse_examples` gives it: padding would cost as much as points.
      seed, epoch: the same give the same changes.
      partial: share of the drawings that are cut short.

    Returns:
      The batch with other ink, moved and scaled to fill the box again.
    """
    random = _Random(batch, seed, epoch)
    length = _cut_short(batch["length"], random, partial)
    # All points that are left, (points, …): whose they are, and where in the drawing.
    left = tf.cast(tf.where(tf.sequence_mask(length)), tf.int32)
    row, place = left[:, 0], left[:, 1]
    source = tf.gather(batch["ink"].row_starts() // schema.INK_WIDTH, row) + place
    ink = tf.gather(tf.reshape(batch["ink"].values, [-1, schema.INK_WIDTH]), source)
    # In float64, so that the drawings before it in the batch have no say.
    positions = tf.cumsum(tf.cast(ink[:, :2], tf.float64))
    maps = tf.cast(_random_maps(random), tf.float64)  # (batch, 4)
    if partial:
        maps /= _extent(*_bounds(positions, row), smallest=1e-3)
    maps = tf.gather(maps, row)
    positions = positions[:, :1] * maps[:, :2] + positions[:, 1:] * maps[:, 2:]
    positions += tf.cast(JITTER * random.normals(row, place), tf.float64)
    # A dot is to stay small: its jitter is not to be blown up to the whole box.
    lowest, highest = _bounds(positions, row)
    scale = 1 / _extent(lowest, highest, smallest=0.5)
    to_box = tf.gather(tf.concat([scale, lowest * scale], axis=1), row)
    positions = tf.cast(positions * to_box[:, :1] - to_box[:, 1:], tf.float32)
    before = tf.pad(positions[:-1], [[1, 0], [0, 0]])
    moves = tf.where(place[:, None] == 0, positions, positions - before)
    # The last point left ends its stroke: the next is another drawing's first.
    ends = tf.pad(place[1:], [[0, 1]]) == 0
    pen = tf.where(ends[:, None], 1.0, ink[:, 2:])
    changed = tf.RaggedTensor.from_row_lengths(
        tf.reshape(tf.concat([moves, pen], axis=1), [-1]),
        schema.INK_WIDTH * length,
        validate=False,
    )
    return batch | {"ink": changed, "length": length}


class _Random:
    """Random numbers of each drawing's own, from a hash of its key and copy."""

    def __init__(self, batch: dict[str, tf.Tensor], seed: int, epoch: int | tf.Tensor):
        copy = tf.strings.as_string(batch["copy"])
        parts = [batch["key_id"], copy, f"{seed}", tf.strings.as_string(epoch)]
        salted = tf.strings.join(parts, separator="/")
        self._hashes = tf.strings.to_hash_bucket_fast(salted, 1 << 32)
        self._drawn = 0

    def uniform(self, count: int, low: float = 0.0) -> tf.Tensor:
        """Draws `<float32>[batch, count]` from low to 1."""
        numbers = self._stream()[:, None] + np.arange(count, dtype=np.uint32)
        return low + (1 - low) * _share(numbers)

    def normals(self, row: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
        """Draws two for each point, of mean 0 and variance 1 (Box and Muller).

        Args:
          row: `<int32>[points]`, whose point in the batch.
          place: `<int32>[points]`, which of its points.

        Returns:
          `<float32>[points, 2]`.
        """
        stream = tf.gather(self._stream(), row) + tf.cast(2 * place, tf.uint32)
        one, other = _share(stream), _share(stream + 1)
        radius, angle = tf.sqrt(-2 * tf.math.log1p(-one)), 2 * math.pi * other
        return radius[:, None] * tf.stack([tf.cos(angle), tf.sin(angle)], axis=1)

    def _stream(self) -> tf.Tensor:
        """Where the next numbers of each drawing begin, `<uint32>[batch]`."""
        self._drawn += 1
        return _scramble(tf.cast(self._hashes + self._drawn * 0x9E3779B9, tf.uint32))


def _share(numbers: tf.Tensor) -> tf.Tensor:
    """Hashes `<uint32>` numbers to `<float32>` from 0 to below 1."""
    # As many bits as a float32 holds exactly: 1 itself is never drawn.
    bits = tf.bitwise.right_shift(_scramble(numbers), 8)
    return tf.cast(bits, tf.float32) / (1 << 24)


def _scramble(x: tf.Tensor) -> tf.Tensor:
    """Hashes `<uint32>` numbers to others.

    Constants: "lowbias32" of https://nullprogram.com/blog/2018/07/31.
    """
    x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, 16)) * 0x7FEB352D
    x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, 15)) * 0x846CA68B
    return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, 16))


def _cut_short(length: tf.Tensor, random: _Random, partial: float) -> tf.Tensor:
    """How many points are left of each drawing, `<int32>[batch]`.

    The first points of a simplified drawing, moved and scaled to fill the box, are
    what a server makes of a drawing in progress: simplifying them again, larger as
    they are then, changes little.
    """
    whole = random.uniform(1)[:, 0] >= partial
    share = tf.where(whole, 1.0, random.uniform(1, low=SHORTEST)[:, 0])
    return tf.cast(tf.math.ceil(tf.cast(length, tf.float32) * share), tf.int32)


def _random_maps(random: _Random) -> tf.Tensor:
    """Draws linear maps of the plane: `<float32>[batch, 4]`, row by row."""
    u = tf.unstack(random.uniform(5, low=-1.0), axis=1)
    turn, shear = MAX_TURN * u[0], MAX_SHEAR * u[1]
    mirror = tf.where(u[2] < 0, -1.0, 1.0)
    width, height = 1 + MAX_STRETCH * u[3], 1 + MAX_STRETCH * u[4]
    cos, sin = tf.cos(turn), tf.sin(turn)
    rows = [
        *(mirror * width * cos, mirror * width * sin),
        *(height * (shear * cos - sin), height * (shear * sin + cos)),
    ]
    return tf.stack(rows, axis=1)


def _bounds(positions: tf.Tensor, row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The least and the greatest x and y of each drawing, `<float64>[batch, 2]`."""
    return tf.math.segment_min(positions, row), tf.math.segment_max(positions, row)


def _extent(lowest: tf.Tensor, highest: tf.Tensor, smallest: float) -> tf.Tensor:
    """The longer side of each drawing, `smallest` at least: `<float64>[batch, 1]`."""
    sides = highest - lowest
    return tf.maximum(tf.reduce_max(sides, axis=1, keepdims=True), smallest)
