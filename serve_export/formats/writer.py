"""Writes a model in the chosen export formats."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from serve_export import layout
from serve_export.formats import litert, litert_metadata
from serve_export.formats.keras_file import load_keras_file
from serve_export.formats.litert_runtime import LiteRTRuntime
from serve_export.formats.savedmodel import write_assets, write_savedmodel
from serve_export.formats.savedmodel_runtime import SavedModelRuntime
from serve_export.formats.web import WebModelRuntime, write_web
from tfrecords import storage

PredictFunction = Callable[[Sequence[np.ndarray], str], np.ndarray]
"""See `predictor.Runtime.predict_probabilities`."""


class ModelFormat(NamedTuple):
    """A model in one format, loaded for validation.

    Attributes:
      name: shown in tables.
      predict: classifies drawings.
      num_bytes: size on disk; None for the model in memory.
      is_exact: whether all weights are kept in float32.
    """

    name: str
    predict: PredictFunction
    num_bytes: int | None
    is_exact: bool


def write_formats(
    model: keras.Model,
    classes: Sequence[str],
    preprocessing: Mapping[str, Any],
    folder: str,
    formats: Sequence[str],
) -> list[ModelFormat]:
    """Writes a model in the chosen formats.

    Args:
      model: built with `use_cudnn=False`.
      classes: in the order of its logits.
      preprocessing: see `describe_preprocessing`.
      folder: a local directory.
      formats: names from `export.FORMATS`.

    Returns:
      The written formats; the one that the server prefers is the last.
    """
    written = []
    if "savedmodel" in formats:
        write_savedmodel(model, classes, preprocessing, folder)
        predict = SavedModelRuntime(folder).predict_probabilities
        written.append(
            ModelFormat("savedmodel", predict, _directory_size(folder), True)
        )
    if "keras" in formats:
        path = storage.join(folder, layout.KERAS_FILE)
        model.save(path)
        write_assets(classes, preprocessing, storage.join(folder, layout.ASSETS_DIR))
        predict = load_keras_file(path).predict_probabilities
        size = Path(path).stat().st_size
        written.append(ModelFormat("keras file", predict, size, True))
    if "web" in formats:
        web_dir = storage.join(folder, layout.WEB_DIR)
        write_web(model, classes, preprocessing, web_dir)
        predict = WebModelRuntime(web_dir).predict_probabilities
        size = _directory_size(web_dir)
        written.append(ModelFormat("web, int8", predict, size, False))

    def write_litert(name: str, file_name: str, quantize: bool) -> None:
        path = Path(folder, file_name)
        flatbuffer = litert.convert(model, quantize=quantize)
        data = litert_metadata.add_metadata(
            flatbuffer, classes, preprocessing, litert.OUTPUT_NAME
        )
        path.write_bytes(data)
        predict = LiteRTRuntime(str(path)).predict_probabilities
        written.append(ModelFormat(name, predict, len(data), not quantize))

    if "litert" in formats:
        write_litert("litert, float", layout.LITERT_FLOAT_FILE, quantize=False)
    if "litert" in formats or "litert_int8" in formats:
        write_litert("litert, int8", layout.LITERT_INT8_FILE, quantize=True)
    return written


def _directory_size(folder: str) -> int:
    return sum(
        path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()
    )
