"""A convolution over time with batch normalization, ReLU and a residual connection."""

from typing import Any

import keras
import tensorflow as tf

from rnn_model.models.normalization import BatchNormalization


@keras.saving.register_keras_serializable("quickdraw_rnn")
class ConvBlock(keras.layers.Layer):
    """Conv1D → batch normalization → ReLU: `<float32>[batch, time / stride, filters]`.

    Where input and output have the same shape, the input is added to the output.

    Args:
      filters: number of output channels.
      kernel_size: width of the convolution, in time steps.
      stride: of the convolution.
      **kwargs: passed to `keras.layers.Layer`.
    """

    def __init__(self, filters: int, kernel_size: int, stride: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.stride = filters, kernel_size, stride
        dtype = self.dtype_policy
        self.conv = keras.layers.Conv1D(
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
        }
