"""LiteRT conversion: Keras model to flatbuffer, which runs without TensorFlow.

A LiteRT model classifies one drawing at a time, because an LSTM with a dynamic batch
size does not convert. The rnn takes ink of any length; cnn and mlp take the bitmap that
`pipeline.rasterize` draws. LiteRT.js does not support inputs of dynamic length: its
model takes padded ink and the length.
"""

from collections.abc import Callable

import keras
import tensorflow as tf
from tensorflow.python.framework import convert_to_constants

from rnn_model import models
from serve_export.formats.preprocessing import get_input_kind
from tfrecords import schema

INPUT_SPECS = {
    schema.INK: tf.TensorSpec([1, None, schema.INK_WIDTH], tf.float32, schema.INK),
    schema.BITMAP: tf.TensorSpec(
        [1, schema.BITMAP_SIDE, schema.BITMAP_SIDE, 1], tf.float32, schema.BITMAP
    ),
}

OUTPUT_NAME = "probabilities"


def convert(model: keras.Model, *, quantize: bool) -> bytes:
    """Converts a model to LiteRT.

    Args:
      model: built with `use_cudnn=False`.
      quantize: store weights in 8 bits (dynamic-range quantization,
        https://ai.google.dev/edge/litert/models/post_training_quantization).

    Returns:
      The flatbuffer, from one of `INPUT_SPECS` to `probabilities
      <float32>[1, classes]`.
    """
    kind = get_input_kind(model.name)
    forward = models.forward_fn(model, kind)

    def compute_logits(drawing: tf.Tensor) -> tf.Tensor:
        length = [] if kind == schema.BITMAP else [tf.shape(drawing)[1:2]]
        return forward(drawing, *length, training=False)

    return _convert(model, compute_logits, [INPUT_SPECS[kind]], quantize)


def convert_padded(model: keras.Model, max_points: int) -> bytes:
    """Converts a model that takes ink to LiteRT with 8-bit weights, for LiteRT.js.

    Args:
      model: built with `use_cudnn=False`.
      max_points: number of rows of the padded ink.

    Returns:
      The flatbuffer, from `ink <float32>[1, max_points, 3]` and `length <int32>[1]` to
      `probabilities <float32>[1, classes]`.
    """
    forward = models.forward_fn(model, schema.INK)

    def compute_logits(ink: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        return forward(ink, length, training=False)

    ink = tf.TensorSpec([1, max_points, schema.INK_WIDTH], tf.float32, schema.INK)
    length = tf.TensorSpec([1], tf.int32, "length")
    return _convert(model, compute_logits, [ink, length], quantize=True)


def _convert(
    model: keras.Model,
    compute_logits: Callable[..., tf.Tensor],
    input_signature: list[tf.TensorSpec],
    quantize: bool,
) -> bytes:
    @tf.function(input_signature=input_signature)
    def compute_probabilities(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT_NAME: tf.nn.softmax(compute_logits(*inputs))}

    # The converter leaves the weights out of the flatbuffer unless they are constants.
    frozen = convert_to_constants.convert_variables_to_constants_v2(
        compute_probabilities.get_concrete_function()
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT] if quantize else []
    return converter.convert()
