"""A bitmap baseline: a multilayer perceptron with two small hidden layers."""

import keras
import tensorflow as tf

from rnn_model.config import TrainConfig
from rnn_model.models.rasterize_layer import BITMAP_LAYER, Rasterize


def build_mlp(
    ink: tf.Tensor,
    length: tf.Tensor,
    config: TrainConfig,
    num_classes: int,
    use_cudnn: str | bool,
) -> tf.Tensor:
    """Builds the network, 784 → 32 → 32 → classes; arguments as of `build_rnn`."""
    del config, use_cudnn  # The network has neither dropout nor LSTM.
    x = Rasterize(name=BITMAP_LAYER)(ink, length)  # (B, 28, 28, 1)
    x = keras.layers.Flatten()(x)  # (B, 784)
    x = keras.layers.Dense(32, activation="relu", name="dense1")(x)
    x = keras.layers.Dense(32, activation="relu", name="dense2")(x)
    return keras.layers.Dense(num_classes, name="logits")(x)  # (B, classes)
