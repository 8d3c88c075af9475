"""The networks: a batch of drawings → logits `<float32>[batch, classes]`.

    build_model        builds the network that a config names
    rnn                strokes: resample → conv1d → bidirectional LSTM
      resample         ink → 128 equidistant points
      rbf              a coordinate → radial basis features
      conv_block       convolution, batch normalization, ReLU, residual connection
      lstm             an LSTM that is fast on CPUs
      dropout          dropout with few random numbers
      normalization    batch normalization over all replicas
    cnn, resnet, mlp   baselines that read a 28×28 bitmap
      rasterize_layer  ink → bitmap

All networks take ink, so that they can be compared and served alike. Those that
rasterize it can take bitmaps instead: see `forward_fn`.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from rnn_model.config import BITMAP_MODELS as BITMAP_MODELS
from rnn_model.config import TrainConfig
from rnn_model.models.cnn import build_cnn
from rnn_model.models.mlp import build_mlp
from rnn_model.models.rasterize_layer import BITMAP_LAYER
from rnn_model.models.resnet import build_resnet
from rnn_model.models.rnn import build_rnn
from tfrecords import schema

_BUILDERS: dict[str, Callable[..., tf.Tensor]] = {
    "rnn": build_rnn,
    "cnn": build_cnn,
    "resnet": build_resnet,
    "mlp": build_mlp,
}
"""Function that builds the network, by `TrainConfig.model`."""

_SIDE = schema.BITMAP_SIDE

INPUT_SPECS: dict[str, dict[str, tf.TensorSpec]] = {
    schema.INK: {
        "ink": tf.TensorSpec([None, None, schema.INK_WIDTH], tf.float32, name="ink"),
        "length": tf.TensorSpec([None], tf.int32, name="length"),
    },
    schema.BITMAP: {
        "bitmap": tf.TensorSpec([None, _SIDE, _SIDE, 1], tf.float32, name="bitmap"),
    },
}
"""What a model reads of a batch, by the kind of the records (`schema.KINDS`).

Ink is padded with zeros to the longest drawing of the batch; `length` is the number of
points of each. Bitmaps range from 0 to 1, white ink on black.
"""


def build_model(
    config: TrainConfig, num_classes: int, *, use_cudnn: str | bool = "auto"
) -> keras.Model:
    """Builds the model that a config names.

    Args:
      config: the settings of the run. `precision` decides the dtype in which the rnn's
        convolutions and LSTM compute; the weights are always float32.
      num_classes: number of logits.
      use_cudnn: False builds a model without GPU-only ops, as exports need.

    Returns:
      A model from `{"ink", "length"}` to logits `<float32>[batch, num_classes]`.
    """
    inputs = {
        name: keras.Input(spec.shape[1:], dtype=spec.dtype.name, name=name)
        for name, spec in INPUT_SPECS[schema.INK].items()
    }
    build_network = _BUILDERS[config.model]
    logits = build_network(
        inputs["ink"], inputs["length"], config, num_classes, use_cudnn
    )
    return keras.Model(inputs, logits, name=config.model)


def forward_fn(model: keras.Model, kind: str) -> Callable[..., tf.Tensor]:
    """Returns the forward pass of a model for one kind of records.

    Args:
      model: built by `build_model`.
      kind: the kind of the records, one of `schema.KINDS`.

    Returns:
      A function of the tensors of `INPUT_SPECS[kind]`, in their order, and of the
      keyword `training`. It returns logits `<float32>[batch, classes]`.

    Raises:
      ValueError: the model cannot read records of this kind.
    """
    check_input_kind(model.name, kind)
    if kind == schema.BITMAP:
        bitmap = model.get_layer(BITMAP_LAYER).output
        from_bitmap: Callable[..., tf.Tensor] = keras.Model(bitmap, model.output)
        return from_bitmap

    def from_ink(ink: tf.Tensor, length: tf.Tensor, *, training: bool) -> tf.Tensor:
        return model({"ink": ink, "length": length}, training=training)

    return from_ink


def check_input_kind(model_name: str, kind: str) -> None:
    """Raises ValueError if the named model cannot read records of a kind."""
    if kind == schema.BITMAP and model_name not in BITMAP_MODELS:
        raise ValueError(
            f"--model={model_name} reads strokes, but the data set holds bitmaps. Use "
            f"--model={' or --model='.join(BITMAP_MODELS)}"
        )
