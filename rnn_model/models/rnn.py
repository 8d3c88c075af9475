"""The conv1d + LSTM network, which reads strokes.

    ink (B, T, 3) ─ resample along the strokes ─▶ (B, 128, 32)
      ─ 3 × conv1d of stride 2 ─▶ (B, 64, 64), (B, 32, 96), (B, 16, 128) ───────┐
           └ scatter to a grid ─▶ (B, 14, 14, 32)                               │
             ─ 3 × conv2d ─▶ (B, 7, 7, 64), (B, 4, 4, 128), (B, 4, 4, 128)      │
             ─ sample at the 16 steps ─▶ (B, 16, 128) ──────── concatenate ─────┤
      ─ dropout, bidirectional LSTM ─▶ (B, 16, 192) ◀───────────────────────────┘
      ─ mean and max of the LSTM and of the grid ─▶ (B, 640)
      ─ batch normalization, dropout, dense ─▶ (B, classes)

A convolution computes all time steps in parallel, an LSTM one after the other.
Therefore the convolutions shorten the sequence before the LSTM reads it. The grid shows
the network which strokes meet on the paper; the LSTM, in which order they were drawn.
"""

import keras
import tensorflow as tf

from rnn_model.config import TrainConfig
from rnn_model.models.conv_block import ConvBlock
from rnn_model.models.dropout import Dropout
from rnn_model.models.feature_grid import SampleGrid, ScatterToGrid
from rnn_model.models.lstm import LSTM
from rnn_model.models.normalization import MOMENTUM, FeatureNormalization
from rnn_model.models.resample import STEPS, Resample

CONV_BLOCKS = ((64, 5, 2), (96, 5, 2), (128, 5, 2))
"""Filters, kernel size and stride of each convolution over time."""

GRID_SIDE = 14
"""Cells along each side of the grid."""

GRID_CHANNELS = 32
"""Channels of the grid."""

GRID_BLOCKS = ((64, 3, 2), (128, 3, 2), (128, 3, 1))
"""Filters, kernel size and stride of each convolution over the grid."""

LSTM_UNITS = 96
"""Units of each direction."""

UNIT_MULTIPLE = 16
"""Channels and units are multiples of it, which fill the vector registers of CPUs."""


def build_rnn(
    ink: tf.Tensor,
    length: tf.Tensor,
    config: TrainConfig,
    num_classes: int,
    use_cudnn: str | bool,
) -> tf.Tensor:
    """Builds the network.

    Args:
      ink: `<float32>[batch, time, 3]`, padded with zeros.
      length: `<int32>[batch]`, number of points of each drawing.
      config: its `width`, `dropout`, `precision` and `seed` apply.
      num_classes: number of logits.
      use_cudnn: passed to the LSTM.

    Returns:
      Logits `<float32>[batch, num_classes]`.
    """
    dtype = "mixed_bfloat16" if config.precision == "bfloat16" else "float32"
    points = Resample(name="resample")(ink, length)  # (B, 128, 32)

    sequences = []  # (B, 64, 64), (B, 32, 96), (B, 16, 128)
    x = points
    for number, (filters, *settings) in enumerate(CONV_BLOCKS, 1):
        filters = scale_units(filters, config.width)
        x = ConvBlock(filters, *settings, dtype=dtype, name=f"conv{number}")(x)
        sequences.append(x)

    first_positions = mean_positions(points, sequences[0])
    grid = build_grid(sequences[0], first_positions, config.width, dtype)
    at_steps = SampleGrid(dtype=dtype, name="sample")(grid, mean_positions(points, x))
    x = keras.layers.Concatenate(dtype=dtype)([x, at_steps])  # (B, 16, 256)

    x = Dropout(config.dropout, seed=config.seed + 1)(x)
    units = scale_units(LSTM_UNITS, config.width)
    lstm = LSTM(units, return_sequences=True, use_cudnn=use_cudnn, dtype=dtype)
    x = keras.layers.Bidirectional(lstm, dtype=dtype, name="lstm")(x)  # (B, 16, 192)

    pooled = [
        keras.layers.GlobalAveragePooling1D(name="mean")(x),  # (B, 192)
        keras.layers.GlobalMaxPooling1D(name="max")(x),
        keras.layers.GlobalAveragePooling2D(name="grid_mean")(grid),  # (B, 128)
        keras.layers.GlobalMaxPooling2D(name="grid_max")(grid),
    ]
    x = keras.layers.Concatenate()(pooled)  # (B, 640)
    x = FeatureNormalization(momentum=MOMENTUM, name="head_norm")(x)
    x = Dropout(config.dropout, seed=config.seed)(x)
    return keras.layers.Dense(num_classes, name="logits")(x)  # (B, classes)


def mean_positions(points: tf.Tensor, sequence: tf.Tensor) -> tf.Tensor:
    """Computes the mean position of the points that each step of a sequence covers.

    Args:
      points: the features of `Resample`, of which the first are x and y from -1 to 1.
      sequence: `[batch, steps, channels]`, from convolutions over the points.

    Returns:
      `<float32>[batch, steps, 2]`, from 0 to 1.
    """
    positions = (points[..., :2] + 1) / 2  # (B, 128, 2)
    width = STEPS // sequence.shape[1]
    return keras.layers.AveragePooling1D(width, dtype="float32")(positions)


def build_grid(
    sequence: tf.Tensor, positions: tf.Tensor, width: float, dtype: str
) -> tf.Tensor:
    """Scatters a sequence to a grid and convolves it.

    Args:
      sequence: `[batch, steps, channels]`.
      positions: `<float32>[batch, steps, 2]`, x and y of each step, from 0 to 1.
      width: factor of the channels.
      dtype: the policy to compute with.

    Returns:
      `[batch, 4, 4, 128 · width]`.
    """
    # With the bias, the grid also counts the points of a cell.
    channels = scale_units(GRID_CHANNELS, width)
    project = keras.layers.Dense(channels, dtype=dtype, name="grid_project")
    scatter = ScatterToGrid(GRID_SIDE, dtype=dtype, name="scatter")
    grid = scatter(project(sequence), positions)  # (B, 14, 14, 32)
    for number, (filters, kernel_size, stride) in enumerate(GRID_BLOCKS, 1):
        filters = scale_units(filters, width)
        block = ConvBlock(
            filters, kernel_size, stride, 2, dtype=dtype, name=f"grid{number}"
        )
        grid = block(grid)  # (B, 7, 7, 64), (B, 4, 4, 128), (B, 4, 4, 128)
    return grid


def scale_units(units: int, width: float) -> int:
    """Multiplies a number of channels or units, and rounds it to `UNIT_MULTIPLE`."""
    return UNIT_MULTIPLE * max(round(units * width / UNIT_MULTIPLE), 1)
