"""Features of a sequence of points → a 2-D grid over the drawing, and back.

Two strokes can meet on the paper although they are far apart in time. A convolution
over time does not see this, a convolution over the grid does. Both layers use the
bilinear weights of spatial transformer networks (Jaderberg et al. 2015,
https://arxiv.org/abs/1506.02025): a point belongs to the four cells around it.

The grid covers the drawing's box; the centers of its outermost cells lie on the edges.
"""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("quickdraw_rnn")
class ScatterToGrid(keras.layers.Layer):
    """Adds the features of each point to the cells around it.

    Args:
      side: number of cells along each side of the grid.
      **kwargs: passed to `keras.layers.Layer`.
    """

    def __init__(self, side: int, **kwargs: Any):
        # Positions stay float32: bfloat16 has 8 bits, about one pixel of 256.
        super().__init__(autocast=False, **kwargs)
        self.side = side

    def call(self, features: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
        """Scatters a batch.

        Args:
          features: `[batch, steps, channels]`.
          positions: `<float32>[batch, steps, 2]`, x and y from 0 to 1.

        Returns:
          `[batch, side, side, channels]`, rows first.
        """
        weights = _bilinear_weights(positions, self.side, features.dtype)
        grid = tf.matmul(weights, features)  # (B, side², C)
        return tf.reshape(grid, [-1, self.side, self.side, features.shape[-1]])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        config: dict[str, Any] = super().get_config()
        return config | {"side": self.side}


@keras.saving.register_keras_serializable("quickdraw_rnn")
class SampleGrid(keras.layers.Layer):
    """Interpolates a grid at positions, the transpose of `ScatterToGrid`."""

    def __init__(self, **kwargs: Any):
        super().__init__(autocast=False, **kwargs)

    def call(self, grid: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
        """Samples a batch.

        Args:
          grid: `[batch, side, side, channels]`.
          positions: `<float32>[batch, steps, 2]`, x and y from 0 to 1.

        Returns:
          `[batch, steps, channels]`.
        """
        _, side, _, channels = grid.shape
        weights = _bilinear_weights(positions, side, grid.dtype)
        cells = tf.reshape(grid, [-1, side * side, channels])
        return tf.matmul(weights, cells, transpose_a=True)


def _bilinear_weights(positions: tf.Tensor, side: int, dtype: tf.DType) -> tf.Tensor:
    """Computes the weight of each cell at each position, `[batch, side², steps]`."""
    positions = tf.transpose(positions, [0, 2, 1])[:, :, None] * (side - 1)
    cells = tf.range(side, dtype=tf.float32)[:, None]
    distances = tf.abs(positions - cells)  # (B, 2, side, T)
    x, y = tf.unstack(tf.cast(tf.maximum(1 - distances, 0), dtype), axis=1)
    # The innermost dimension is the longest one, which makes the product fast.
    weights = y[:, :, None] * x[:, None]  # (B, side, side, T)
    return tf.reshape(weights, [-1, side * side, weights.shape[-1]])
