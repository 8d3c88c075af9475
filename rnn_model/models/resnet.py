"""A bitmap baseline: a small residual network with batch normalization.

    bitmap (B, 28, 28, 1)
      ─ 3 × (convolution of stride 2, 2 convolutions with residual connections) ─▶
      (B, 14, 14, 32) ─▶ (B, 7, 7, 64) ─▶ (B, 4, 4, 128)
      ─ mean and maximum over positions ─▶ (B, 256)
      ─ batch normalization, dropout, dense ─▶ (B, classes)

A training step takes 1.2 times as long as one of the rnn. The residual connections
follow He et al. 2015, https://arxiv.org/abs/1512.03385.
"""

import keras
import tensorflow as tf

from rnn_model.config import TrainConfig
from rnn_model.models.conv_block import ConvBlock
from rnn_model.models.normalization import MOMENTUM, FeatureNormalization
from rnn_model.models.rasterize_layer import BITMAP_LAYER, Rasterize

CONV_BLOCKS = (
    *((32, 2), (32, 1), (32, 1)),
    *((64, 2), (64, 1), (64, 1)),
    *((128, 2), (128, 1), (128, 1)),
)
"""Filters and stride of each 3×3 convolution."""


def build_resnet(
    ink: tf.Tensor,
    length: tf.Tensor,
    config: TrainConfig,
    num_classes: int,
    use_cudnn: str | bool,
) -> tf.Tensor:
    """Builds the network; the arguments are those of `rnn.build_rnn`."""
    del use_cudnn  # The network has no LSTM.
    dtype = "mixed_bfloat16" if config.precision == "bfloat16" else "float32"
    x = Rasterize(name=BITMAP_LAYER)(ink, length)  # (B, 28, 28, 1)
    for number, (filters, stride) in enumerate(CONV_BLOCKS, 1):
        block = ConvBlock(
            filters, 3, stride, dimensions=2, dtype=dtype, name=f"conv{number}"
        )
        x = block(x)  # (B, 14, 14, 32), … (B, 4, 4, 128)
    pooled = [
        keras.layers.GlobalAveragePooling2D(name="mean")(x),  # (B, 128)
        keras.layers.GlobalMaxPooling2D(name="max")(x),
    ]
    x = keras.layers.Concatenate()(pooled)  # (B, 256)
    x = FeatureNormalization(momentum=MOMENTUM, name="head_norm")(x)
    x = keras.layers.Dropout(config.dropout, seed=config.seed)(x)
    return keras.layers.Dense(num_classes, name="logits")(x)  # (B, classes)
