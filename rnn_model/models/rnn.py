"""The conv1d + LSTM network, which reads strokes.

    ink (B, T, 3) ─ resample along the strokes ─▶ (B, 128, 32)
      ─ 3 × convolution of stride 2 ─▶ (B, 16, 128)
      ─ 2 × convolution with a residual connection ─▶ (B, 16, 128)
      ─ dropout, bidirectional LSTM ─▶ (B, 16, 192)
      ─ mean and max over time ─▶ (B, 384) ─ dropout, dense ─▶ (B, classes)

A convolution computes all time steps in parallel, an LSTM one after the other.
Therefore the convolutions shorten the sequence before the LSTM reads it.
"""

import keras
import tensorflow as tf

from rnn_model.config import TrainConfig
from rnn_model.models.conv_block import ConvBlock
from rnn_model.models.lstm import LSTM
from rnn_model.models.resample import Resample

CONV_BLOCKS = ((64, 5, 2), (96, 5, 2), (128, 5, 2), (128, 3, 1), (128, 3, 1))
"""Filters, kernel size and stride of each block."""

LSTM_UNITS = 96
"""Units of each direction."""


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
      config: its `dropout`, `precision` and `seed` apply.
      num_classes: number of logits.
      use_cudnn: passed to the LSTM.

    Returns:
      Logits `<float32>[batch, num_classes]`.
    """
    dtype = "mixed_bfloat16" if config.precision == "bfloat16" else "float32"
    x = Resample(name="resample")(ink, length)  # (B, 128, 32)

    for number, (filters, kernel_size, stride) in enumerate(CONV_BLOCKS, 1):
        block = ConvBlock(
            filters, kernel_size, stride, dtype=dtype, name=f"conv{number}"
        )
        x = block(x)  # (B, 64, 64), (B, 32, 96), (B, 16, 128) …

    x = keras.layers.Dropout(config.dropout, seed=config.seed + 1)(x)
    lstm = LSTM(LSTM_UNITS, return_sequences=True, use_cudnn=use_cudnn, dtype=dtype)
    x = keras.layers.Bidirectional(lstm, dtype=dtype, name="lstm")(x)  # (B, 16, 192)

    mean = keras.layers.GlobalAveragePooling1D(name="mean")(x)  # (B, 192)
    maximum = keras.layers.GlobalMaxPooling1D(name="max")(x)  # (B, 192)
    x = keras.layers.Concatenate()([mean, maximum])  # (B, 384)
    x = keras.layers.Dropout(config.dropout, seed=config.seed)(x)
    return keras.layers.Dense(num_classes, name="logits")(x)  # (B, classes)
