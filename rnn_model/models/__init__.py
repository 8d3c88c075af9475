"""The conv1d + LSTM classifier, and the table of models by name.

All models take the same batch, `ink <float32>[batch, time, 3]` padded with zeros and
`length <int32>[batch]`, and give `logits <float32>[batch, classes]`. Padding has no
say in the logits. The models that draw the ink first take bitmaps in its place: see
`reading`.

    ink (B, T, 3) ─ walk along the strokes ─▶ (B, 128, 32)
      ─ 3 × conv of stride 2 ─▶ (B, 16, 128)
      ─ 2 × (conv + its input) ─▶ (B, 16, 128)
      ─ dropout, bidirectional LSTM ─▶ (B, 16, 192)
      ─ mean and max over time ─▶ (B, 384) ─ dropout, dense ─▶ (B, classes)

The convolutions read all steps at once; an LSTM goes from one to the next. So they
shorten the sequence first.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from rnn_model.config import TrainConfig
from rnn_model.models import bitmap as baselines
from rnn_model.models.lstm import LSTM
from rnn_model.models.normalization import BatchNormalization
from tfrecords import schema

STEPS = 128
"""Steps of the walk along a drawing's strokes."""

UNITS = 255 * 8
"""In a box; the walk measures in whole ones, eighths of a pixel."""

POINT_WAY, STROKE_WAY = round(0.02 * UNITS), round(0.04 * UNITS)
"""What a point, and a stroke, add to the length of the way."""

MOVE_SCALE = 10.0
"""Brings the move from step to step to the size of the other features."""

BUMPS = 12
"""Places along each axis whose nearness is felt."""

CONVOLUTIONS = ((64, 5, 2), (96, 5, 2), (128, 5, 2), (128, 3, 1), (128, 3, 1))
"""Filters, width and stride of each; one that keeps the shape adds to its input."""

LSTM_UNITS = 96


def build(
    config: TrainConfig, num_classes: int, *, use_cudnn: str | bool = "auto"
) -> keras.Model:
    """Builds the model that a config names.

    Args:
      config: the run's settings; the precision decides what the rnn's convolutions and
        LSTM compute in, the weights are the same.
      num_classes: width of the logits.
      use_cudnn: False keeps ops out that run on a GPU alone, as an export must.

    Returns:
      A model from `{"ink", "length"}` to logits `<float32>[batch, num_classes]`.
    """
    inputs = {
        "ink": keras.Input([None, schema.INK_WIDTH], dtype="float32", name="ink"),
        "length": keras.Input([], dtype="int32", name="length"),
    }
    network = NETWORKS[config.model]
    logits = network(inputs["ink"], inputs["length"], config, num_classes, use_cudnn)
    return keras.Model(inputs, logits, name=config.model)


def reading(model: keras.Model, kind: str) -> Callable[..., tf.Tensor]:
    """The part of a model, with the same weights, that reads a kind of drawing.

    Of a bitmap model trained on bitmaps the whole still answers ink.

    Args:
      model: as `build` gives it.
      kind: what the records hold, of `schema.KINDS`.

    Returns:
      A function of the `INPUTS` of that kind, and `training`, that gives logits.

    Raises:
      ValueError: the model does not read them.
    """
    check_reads(model.name, kind)
    if kind == schema.BITMAP:
        bitmap = model.get_layer(baselines.BITMAP_LAYER).output
        return keras.Model(bitmap, model.output)
    return lambda ink, length, training: model(
        {"ink": ink, "length": length}, training=training
    )


def check_reads(name: str, kind: str) -> None:
    """Raises ValueError unless the model of that name reads that kind of drawing."""
    if kind == schema.BITMAP and name not in BITMAP_MODELS:
        raise ValueError(
            f"{name} reads strokes, the data set holds bitmaps: take "
            f"{' or '.join(BITMAP_MODELS)}"
        )


# --- Layers ---------------------------------------------------------------------------


def mask_of(x: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """1 where there is a point: `<x.dtype>[batch, time, 1]`."""
    return tf.sequence_mask(length, tf.shape(x)[1], x.dtype)[..., None]


class Walk(keras.layers.Layer):
    """Ink → what is met on a walk along the strokes: `<float32>[batch, 128, 32]`.

    The walk has 128 steps, equally far apart, whatever the number of points. A point
    of the ink adds a little to the way and a stroke's first more, so that few details
    and dots are stepped over. It is measured in whole numbers, whose sums are exact up
    to 8,000 boxes: which segment a step falls on is the same on every machine, in every
    batch and format.

        2   x and y, from -1 to 1
        2   the direction of the stroke, of length 1, or 0 in a dot
        2   dx and dy since the last step, scaled
        1   1 where a stroke begins
        1   the log of the whole way's length
        24  how near x and y are to each of 12 places: bumps of one place's width

    Of x itself a convolution could make but straight lines; of the bumps, any curve.
    """

    def call(self, ink: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        mask = mask_of(ink, length)  # (B, T, 1)
        begins = tf.pad(ink[:, :-1, 2:], [[0, 0], [1, 0], [0, 0]], constant_values=1.0)
        moved = tf.round(ink[..., :2] * UNITS)
        drawn = moved * (1 - begins)  # a pen in the air draws nothing
        ends = tf.cumsum(moved, axis=1)
        squares = tf.reduce_sum(tf.square(drawn), axis=2, keepdims=True)
        way = (_whole_root(squares) + POINT_WAY + STROKE_WAY * begins) * mask
        so_far = tf.cumsum(way, axis=1)
        whole = so_far[:, -1:]  # (B, 1, 1)
        steps = whole * ((tf.range(STEPS, dtype=tf.float32)[:, None] + 0.5) / STEPS)
        # The segment that a step falls in: as many end before it. (B, STEPS)
        passed = tf.transpose(so_far, [0, 2, 1]) < steps
        segment = tf.reduce_sum(tf.cast(passed, tf.int32), axis=2)
        segment = tf.minimum(segment, length[:, None] - 1)

        def at(values: tf.Tensor) -> tf.Tensor:
            return tf.gather(values, segment, batch_dims=1)

        left = (at(so_far) - steps) / at(way)  # share of the segment still to go
        positions = (at(ends) - at(drawn) * tf.clip_by_value(left, 0, 1)) / UNITS
        stroke = at(tf.cumsum(begins, axis=1))
        moves = tf.pad(positions[:, 1:] - positions[:, :-1], [[0, 0], [1, 0], [0, 0]])
        new = tf.cast(stroke[:, 1:] != stroke[:, :-1], tf.float32)
        parts = [
            positions * 2 - 1,
            at(drawn / tf.sqrt(tf.maximum(squares, 1.0))),
            moves * MOVE_SCALE,
            tf.pad(new, [[0, 0], [1, 0], [0, 0]], constant_values=1.0),
            tf.repeat(tf.math.log(whole / UNITS + 0.1), STEPS, axis=1),
            _bumps(positions[..., :1]),
            _bumps(positions[..., 1:]),
        ]
        features = tf.concat(parts, axis=2)
        return tf.ensure_shape(features, [None, STEPS, 8 + 2 * BUMPS])


def _whole_root(squares: tf.Tensor) -> tf.Tensor:
    """The whole number nearest to the root of whole numbers below 2²⁴.

    Libraries differ in the last bit of a root, and so, rarely, in where it is rounded.
    """
    near = tf.round(tf.sqrt(squares))
    more = tf.cast(squares > near * (near + 1), squares.dtype)
    less = tf.cast(squares <= near * (near - 1), squares.dtype)
    return tf.maximum(near + more - less, 0)


def _bumps(position: tf.Tensor) -> tf.Tensor:
    """Nearness of `<float32>[batch, steps, 1]` to each place, 0 to 1, `[…, BUMPS]`."""
    places = tf.linspace(0.0, 1.0, BUMPS)
    return tf.exp(-0.5 * tf.square((position - places) * (BUMPS - 1)))


class ConvBlock(keras.layers.Layer):
    """Convolution over time, normalisation, ReLU; `<float32>[batch, time/s, filters]`.

    Where the shape stays, the input is added.
    """

    def __init__(self, filters: int, width: int, stride: int, **kwargs):
        super().__init__(**kwargs)
        dtype = self.dtype_policy
        self.conv = keras.layers.Conv1D(
            filters, width, stride, padding="same", use_bias=False, dtype=dtype
        )
        self.norm = BatchNormalization(momentum=0.95, dtype=dtype)

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.conv.build(shape)
        self.norm.build(self.conv.compute_output_shape(shape))

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        y = tf.nn.relu(self.norm(self.conv(x), training=training))
        return x + y if x.shape[1:] == y.shape[1:] else y


# --- Networks -------------------------------------------------------------------------


def rnn(
    ink: tf.Tensor,
    length: tf.Tensor,
    config: TrainConfig,
    num_classes: int,
    use_cudnn: str | bool,
) -> tf.Tensor:
    """The stroke model; the drawing at the top of this file shows the shapes."""
    dtype = "mixed_bfloat16" if config.precision == "bfloat16" else "float32"
    x = Walk(name="walk")(ink, length)  # (B, 128, 32)
    for number, (filters, width, stride) in enumerate(CONVOLUTIONS, 1):
        x = ConvBlock(filters, width, stride, dtype=dtype, name=f"conv{number}")(x)
    x = keras.layers.Dropout(config.dropout, seed=config.seed + 1)(x)  # (B, 16, 128)
    lstm = LSTM(LSTM_UNITS, return_sequences=True, use_cudnn=use_cudnn, dtype=dtype)
    both_ways = keras.layers.Bidirectional(lstm, dtype=dtype, name="lstm")
    x = both_ways(x)  # (B, 16, 2·units)
    mean = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    highest = keras.layers.GlobalMaxPooling1D(name="max")(x)
    x = keras.layers.Concatenate()([mean, highest])  # (B, 4·units)
    x = keras.layers.Dropout(config.dropout, seed=config.seed)(x)
    return keras.layers.Dense(num_classes, name="logits")(x)


NETWORKS: dict[str, Callable[..., tf.Tensor]] = {
    "rnn": rnn,
    "cnn": baselines.cnn,
    "mlp": baselines.mlp,
}

BITMAP_MODELS = ("cnn", "mlp")

INPUTS = {schema.INK: ("ink", "length"), schema.BITMAP: ("bitmap",)}
"""What of a batch a model reads."""
