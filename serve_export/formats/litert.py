"""A model → LiteRT: a flatbuffer that runs without TensorFlow, also on a phone.

One drawing at a time, of any length: a batch of any size does not convert with an
LSTM. The rnn takes ink, the length of which is its number of points; cnn and mlp take
the bitmap, as `pipeline.rasterize` draws it. LiteRT.js takes no input of any length:
for it ink is padded, and its length is told.
"""

from collections.abc import Callable

import keras
import tensorflow as tf
from tensorflow.python.framework import convert_to_constants

from rnn_model import models
from tfrecords import schema

INPUTS = {
    schema.INK: tf.TensorSpec([1, None, schema.INK_WIDTH], tf.float32, schema.INK),
    schema.BITMAP: tf.TensorSpec(
        [1, schema.BITMAP_SIDE, schema.BITMAP_SIDE, 1], tf.float32, schema.BITMAP
    ),
}

OUTPUT = "probabilities"


def kind_of(model: keras.Model) -> str:
    """What the converted model takes, of `schema.KINDS`."""
    return schema.BITMAP if model.name in models.BITMAP_MODELS else schema.INK


def convert(model: keras.Model, *, quantise: bool) -> bytes:
    """Converts a model that was built with `use_cudnn=False`.

    Args:
      model: as `models.build_model` gives it.
      quantise: keep weights in eight bits (dynamic-range quantisation,
        https://ai.google.dev/edge/litert/models/post_training_quantization).

    Returns:
      The flatbuffer, from one of `INPUTS` to `probabilities <float32>[1, classes]`.
    """
    kind = kind_of(model)
    reader = models.forward_fn(model, kind)

    def logits(drawing: tf.Tensor) -> tf.Tensor:
        lengths = [] if kind == schema.BITMAP else [tf.shape(drawing)[1:2]]
        return reader(drawing, *lengths, training=False)

    return _convert(model, logits, [INPUTS[kind]], quantise)


def convert_padded(model: keras.Model, points: int) -> bytes:
    """Converts a model that reads ink, with weights of eight bits, for LiteRT.js.

    Args:
      model: as for `convert`.
      points: of the ink with its padding.

    Returns:
      The flatbuffer, from `ink <float32>[1, points, 3]` and `length <int32>[1]` to
      `probabilities <float32>[1, classes]`.
    """
    reader = models.forward_fn(model, schema.INK)

    def logits(ink: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        return reader(ink, length, training=False)

    padded = tf.TensorSpec([1, points, schema.INK_WIDTH], tf.float32, schema.INK)
    length = tf.TensorSpec([1], tf.int32, "length")
    return _convert(model, logits, [padded, length], quantise=True)


def _convert(
    model: keras.Model,
    logits: Callable[..., tf.Tensor],
    signature: list[tf.TensorSpec],
    quantise: bool,
) -> bytes:
    @tf.function(input_signature=signature)
    def probabilities(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT: tf.nn.softmax(logits(*inputs))}

    # Frozen, or the weights would stay outside.
    frozen = convert_to_constants.convert_variables_to_constants_v2(
        probabilities.get_concrete_function()
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT] if quantise else []
    return converter.convert()
