"""A convolution with batch normalization, ReLU and a residual connection."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from rnn_model.models.normalization import MOMENTUM, BatchNormalization


class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with a faster gradient on CPUs.

    For the filters of small grids, oneDNN takes twice as long in bfloat16 as in
    float32. It must have padding "same" and no dilation, bias or activation.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Convolves `[batch, height, width, channels]`."""
        if not training or tf.config.list_physical_devices("GPU"):
            return super().call(inputs)  # exports have no custom gradient
        strides = [1, *self.strides, 1]

        @tf.custom_gradient
        def convolve(
            x: tf.Tensor, filters: tf.Tensor
        ) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
            def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                d_x = tf.raw_ops.Conv2DBackpropInput(
                    input_sizes=tf.shape(x),
                    filter=filters,
                    out_backprop=upstream,
                    strides=strides,
                    padding="SAME",
                )
                d_filters = tf.raw_ops.Conv2DBackpropFilter(
                    input=tf.cast(x, tf.float32),
                    filter_sizes=filters.shape,
                    out_backprop=tf.cast(upstream, tf.float32),
                    strides=strides,
                    padding="SAME",
                )
                return d_x, tf.cast(d_filters, filters.dtype)

            return tf.nn.conv2d(x, filters, strides, "SAME"), gradient

        return convolve(inputs, tf.cast(self.kernel, inputs.dtype))


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
        conv_layer = {1: keras.layers.Conv1D, 2: Conv2D}[dimensions]
        self.conv = conv_layer(
            filters, kernel_size, stride, padding="same", use_bias=False, dtype=dtype
        )
        self.norm = BatchNormalization(momentum=MOMENTUM, dtype=dtype)

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
