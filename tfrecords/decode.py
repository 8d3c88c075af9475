"""Serialized records → tensors. The only module of this package with TensorFlow."""

import tensorflow as tf

from tfrecords import schema

_DRAWINGS = {
    schema.INK: tf.io.RaggedFeature(tf.float32),
    schema.BITMAP: tf.io.FixedLenFeature([], tf.string),
}
_SPEC = {
    schema.CLASS_INDEX: tf.io.FixedLenFeature([], tf.int64, default_value=-1),
    schema.KEY_ID: tf.io.FixedLenFeature([], tf.string, default_value=""),
    schema.COUNTRYCODE: tf.io.FixedLenFeature([], tf.string, default_value=""),
    schema.RECOGNIZED: tf.io.FixedLenFeature([], tf.int64, default_value=-1),
}


def parse_examples(
    serialized: tf.Tensor, kind: str = schema.INK
) -> dict[str, tf.Tensor]:
    """Parses a batch of serialized examples.

    Parsing them one by one takes four times as long.

    Args:
      serialized: `<string>[batch]`.
      kind: what the records hold (see `DatasetInfo.kind`).

    Returns:
      A dict with

      - ink: ragged `<float32>[batch, (3·T)]`, the flattened rows of each drawing,
      - length: `<int32>[batch]`, the number of points T,
      - class_index, recognized: `<int64>[batch]`,
      - key_id, countrycode: `<string>[batch]`,

      and for bitmaps, instead of ink and length,

      - bitmap: `<float32>[batch, 28, 28, 1]`, 0 to 1, white ink on black.
    """
    features: dict[str, tf.Tensor] = tf.io.parse_example(
        serialized, _SPEC | {kind: _DRAWINGS[kind]}
    )
    if kind == schema.BITMAP:
        pixels = tf.io.decode_raw(features[schema.BITMAP], tf.uint8)
        shape = [-1, schema.BITMAP_SIDE, schema.BITMAP_SIDE, 1]
        features[schema.BITMAP] = tf.cast(tf.reshape(pixels, shape), tf.float32) / 255
        return features
    sizes = features[schema.INK].row_lengths()
    features["length"] = tf.cast(sizes // schema.INK_WIDTH, tf.int32)
    return features


def parse_classes(serialized: tf.Tensor) -> tf.Tensor:
    """Parses class_index only: `<string>[batch]` to `<int64>[batch]`."""
    name = schema.CLASS_INDEX
    return tf.io.parse_example(serialized, {name: _SPEC[name]})[name]


def to_dense(ink: tf.RaggedTensor) -> tf.Tensor:
    """Pads ragged ink with zeros to the longest drawing.

    Args:
      ink: ragged `<float32>[batch, (3·T)]`.

    Returns:
      `<float32>[batch, time, 3]`.
    """
    dense = ink.to_tensor()  # (batch, 3·time)
    return tf.reshape(
        dense, [tf.shape(dense)[0], tf.shape(dense)[1] // schema.INK_WIDTH, 3]
    )
