"""Random changes to training drawings that leave what they show the same.

What happens to a drawing depends on its key, the seed and the epoch alone: not on the
batch that it is in, nor on how many workers there are.
"""

import math

import tensorflow as tf

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
      batch: see `input_pipeline.training_batches`.
      seed, epoch: the same give the same changes.
      partial: share of the drawings that are cut short.

    Returns:
      The batch with other ink, moved and scaled to fill the box again.
    """
    ink = batch["ink"]
    random = _Random(batch, seed, epoch)
    length = _cut_short(batch["length"], random, partial)
    mask = tf.sequence_mask(length, tf.shape(ink)[1], tf.float32)[..., None]
    positions = tf.cumsum(ink[..., :2], axis=1)  # (batch, time, 2)
    if partial:
        positions = _fill_box(positions, mask, smallest=1e-3)
    positions = tf.matmul(positions, _random_maps(random))
    noise = tf.stack([random.normal(tf.shape(ink)[1]) for _ in "xy"], axis=2)
    # A dot is to stay small: its jitter is not to be blown up to the whole box.
    positions = _fill_box(positions + JITTER * noise, mask, smallest=0.5)
    before = tf.pad(positions[:, :-1], [[0, 0], [1, 0], [0, 0]])
    last = tf.one_hot(length - 1, tf.shape(ink)[1])[..., None]
    pen = tf.maximum(ink[..., 2:], last)  # the last point left ends its stroke
    return batch | {
        "ink": tf.concat([positions - before, pen], axis=2) * mask,
        "length": length,
    }


class _Random:
    """Random numbers of each drawing's own, from a hash of its key and copy."""

    def __init__(self, batch: dict[str, tf.Tensor], seed: int, epoch: int | tf.Tensor):
        copy = tf.strings.as_string(batch["copy"])
        parts = [batch["key_id"], copy, f"{seed}", tf.strings.as_string(epoch)]
        salted = tf.strings.join(parts, separator="/")
        self._hashes = tf.strings.to_hash_bucket_fast(salted, 1 << 32)
        self._drawn = 0

    def uniform(self, count: tf.Tensor | int, low: float = 0.0) -> tf.Tensor:
        """Draws `<float32>[batch, count]` from low to 1."""
        self._drawn += 1
        stream = tf.cast(_scramble(self._hashes + self._drawn * 0x9E3779B9), tf.int64)
        bits = _scramble(stream[:, None] + tf.range(tf.cast(count, tf.int64)))
        # As many bits as a float32 holds exactly: 1 itself is never drawn.
        share = tf.cast(tf.bitwise.right_shift(bits, 8), tf.float32) / (1 << 24)
        return low + (1 - low) * share

    def normal(self, count: tf.Tensor | int) -> tf.Tensor:
        """Draws `<float32>[batch, count]` of mean 0 and variance 1 (Box and Muller)."""
        radius = tf.sqrt(-2 * tf.math.log1p(-self.uniform(count)))
        return radius * tf.cos(2 * math.pi * self.uniform(count))


def _scramble(numbers: tf.Tensor) -> tf.Tensor:
    """Hashes the low 32 bits of `<int64>` numbers to `<uint32>`.

    Constants: "lowbias32" of https://nullprogram.com/blog/2018/07/31.
    """
    x = tf.cast(numbers, tf.uint32)
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
    """Draws linear maps of the plane, `<float32>[batch, 2, 2]`."""
    u = tf.unstack(random.uniform(5, low=-1.0), axis=1)
    turn, shear = MAX_TURN * u[0], MAX_SHEAR * u[1]
    mirror = tf.where(u[2] < 0, -1.0, 1.0)
    width, height = 1 + MAX_STRETCH * u[3], 1 + MAX_STRETCH * u[4]
    cos, sin = tf.cos(turn), tf.sin(turn)
    rows = [
        [mirror * width * cos, mirror * width * sin],
        [height * (shear * cos - sin), height * (shear * sin + cos)],
    ]
    return tf.transpose(tf.convert_to_tensor(rows), [2, 0, 1])


def _fill_box(positions: tf.Tensor, mask: tf.Tensor, smallest: float) -> tf.Tensor:
    """Moves to minimum 0 and scales uniformly to maximum 1, as in the records.

    What is smaller than `smallest` boxes is scaled as if it were as large.
    """
    outside = (1 - mask) * 1e9
    lowest = tf.reduce_min(positions + outside, axis=1, keepdims=True)
    highest = tf.reduce_max(positions - outside, axis=1, keepdims=True)
    extent = tf.reduce_max(highest - lowest, axis=2, keepdims=True)
    return (positions - lowest) / tf.maximum(extent, smallest)
