"""A bitmap baseline: the convolutional network of TensorFlow's MNIST tutorial."""

import keras
import tensorflow as tf

from rnn_model.config import TrainConfig
from rnn_model.models.rasterize_layer import BITMAP_LAYER, Rasterize


def build_cnn(
    ink: tf.Tensor,
    length: tf.Tensor,
    config: TrainConfig,
    num_classes: int,
    use_cudnn: str | bool,
) -> tf.Tensor:
    """Builds the network; the arguments are those of `rnn.build_rnn`."""
    del use_cudnn  # The network has no LSTM.
    x = Rasterize(name=BITMAP_LAYER)(ink, length)  # (B, 28, 28, 1)
    for number, filters in enumerate((32, 64), 1):
        x = keras.layers.Conv2D(
            filters, 5, padding="same", activation="relu", name=f"conv{number}"
        )(x)
        x = keras.layers.MaxPooling2D(name=f"pool{number}")(x)
    x = keras.layers.Flatten()(x)  # (B, 7·7·64)
    x = keras.layers.Dense(1024, activation="relu", name="dense")(x)
    x = keras.layers.Dropout(config.dropout, seed=config.seed)(x)
    return keras.layers.Dense(num_classes, name="logits")(x)  # (B, classes)
