"""Keras format: `model.keras`, for fine-tuning and other uses in Python.

    import keras
    import rnn_model.models  # registers the layers

    model = keras.saving.load_model("exports/rnn/1/model.keras")
    logits = model({"ink": ink, "length": length}, training=False)

`ink <float32>[batch, time, 3]` is padded with zeros, `length` is `<int32>[batch]`.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from pipeline import strokes
from rnn_model.evaluation import evaluator
from tfrecords import schema


class KerasRuntime:
    """Runs a Keras model as `predictor.Runtime` does, to validate other formats."""

    def __init__(self, model: keras.Model):
        """Wraps a model that was built with `use_cudnn=False`."""
        self._model = model
        self._logits_fns: dict[str, evaluator.LogitsFn] = {}

    def predict_probabilities(
        self, drawings: Sequence[np.ndarray], kind: str = schema.INK
    ) -> np.ndarray:
        """Returns `<float32>[batch, classes]`; see `predictor.Runtime`."""
        if kind not in self._logits_fns:
            self._logits_fns[kind] = evaluator.make_logits_fn(self._model, kind)
        if kind == schema.BITMAP:
            inputs = [np.stack(drawings)[..., None].astype(np.float32) / 255]
        else:
            inputs = list(strokes.pad_ink(drawings))
        return tf.nn.softmax(self._logits_fns[kind](*inputs)).numpy()


def load_keras_file(path: str) -> KerasRuntime:
    """Loads a `.keras` file."""
    return KerasRuntime(keras.saving.load_model(path))
