"""A convolution with batch normalization, ReLU and a residual connection."""

from typing import Any

import keras
import tensorflow as tf

from rnn_model.models.normalization import BatchNormalization


@keras.saving.register_keras_serializable("quickdraw_rnn")
class ConvBlock(keras.layers.Layer):
    """Convolution → batch normalization → ReLU.

    Maps `[batch, time, channels]` to `[batch, time / stride, filters]`, or, with two
    dimensions, `[batch, height, width, channels]` likewise. Where input and output have
    the same shape, the input is added to the output.

    Args:
      filters: number of output channels.
      kernel_size: width of the convolution, in steps or cells.
      stride: of the convolution.
      dimensions: 1 for a convolution over time, 2 for one over a grid.
      **kwargs: passed to `keras.layers.Layer`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        stride: int,
        dimensions: int = 1,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.stride = filters, kernel_size, stride
        self.dimensions = dimensions
        dtype = self.dtype_policy
        conv_layer = {1: keras.layers.Conv1D, 2: keras.layers.Conv2D}[dimensions]
        self.conv = conv_layer(
            filters, kernel_size, stride, padding="same", use_bias=False, dtype=dtype
        )
        self.norm = BatchNormalization(momentum=0.95, dtype=dtype)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the weights."""
        self.conv.build(input_shape)
        self.norm.build(self.conv.compute_output_shape(input_shape))

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Computes the block."""
        y = tf.nn.relu(self.norm(self.conv(x), training=training))
        return x + y if x.shape[1:] == y.shape[1:] else y

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        config: dict[str, Any] = super().get_config()
        return config | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "dimensions": self.dimensions,
        }
