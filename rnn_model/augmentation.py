"""Random changes to training drawings that leave what they show the same."""

import math

import tensorflow as tf

MAX_TURN = math.radians(15)
MAX_STRETCH = 0.15
MAX_SHEAR = 0.1
JITTER = 0.008
"""Standard deviation of the points' noise, in boxes (2 px)."""


def augment(batch: dict[str, tf.Tensor], seed: tf.Tensor) -> dict[str, tf.Tensor]:
    """Mirrors, turns, stretches and jitters each drawing of a batch.

    Args:
      batch: see `input_pipeline.evaluation_batches`.
      seed: `<int64>[2]`; the same seed gives the same changes.

    Returns:
      The batch with other ink, moved and scaled to fill the box again.
    """
    ink, length = batch["ink"], batch["length"]
    size = tf.shape(ink)[0]
    mask = tf.sequence_mask(length, tf.shape(ink)[1], tf.float32)[..., None]
    positions = tf.cumsum(ink[..., :2], axis=1)  # (batch, time, 2)
    seeds = tf.random.split(seed, 2)
    positions = tf.matmul(positions, _random_maps(size, seeds[0]))
    noise = tf.random.stateless_normal(tf.shape(positions), seeds[1])
    positions = _fill_box(positions + JITTER * noise, mask)
    before = tf.pad(positions[:, :-1], [[0, 0], [1, 0], [0, 0]])
    deltas = (positions - before) * mask
    return batch | {"ink": tf.concat([deltas, ink[..., 2:]], axis=2)}


def _random_maps(size: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draws linear maps of the plane, `<float32>[size, 2, 2]`."""
    u = tf.random.stateless_uniform([5, size], seed, -1.0, 1.0)
    turn, shear = MAX_TURN * u[0], MAX_SHEAR * u[1]
    mirror = tf.where(u[2] < 0, -1.0, 1.0)
    width, height = 1 + MAX_STRETCH * u[3], 1 + MAX_STRETCH * u[4]
    cos, sin = tf.cos(turn), tf.sin(turn)
    rows = [
        [mirror * width * cos, mirror * width * sin],
        [height * (shear * cos - sin), height * (shear * sin + cos)],
    ]
    return tf.transpose(tf.convert_to_tensor(rows), [2, 0, 1])


def _fill_box(positions: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Moves to minimum 0 and scales uniformly to maximum 1, as in the records."""
    outside = (1 - mask) * 1e9
    lowest = tf.reduce_min(positions + outside, axis=1, keepdims=True)
    highest = tf.reduce_max(positions - outside, axis=1, keepdims=True)
    extent = tf.reduce_max(highest - lowest, axis=2, keepdims=True)
    # A dot is to stay small: its jitter is not to be blown up to the whole box.
    return (positions - lowest) / tf.maximum(extent, 0.5)
