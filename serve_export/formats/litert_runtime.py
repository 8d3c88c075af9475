"""Runs a LiteRT model, without TensorFlow and with one interpreter per thread."""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline import cli, rasterize, strokes
from serve_export.formats import litert_metadata
from tfrecords import schema, storage


class LiteRTRuntime:
    """Runs a `.tflite` file of an export; implements `predictor.Runtime`."""

    def __init__(self, path: str):
        """Loads a file.

        Raises:
          ValueError: it is not a LiteRT export, or LiteRT is not installed.
        """
        self._litert = cli.import_extra("ai_edge_litert.interpreter", "serve")
        self._model = storage.read_bytes(path)
        try:
            classes, preprocessing = litert_metadata.read_metadata(self._model)
            self._input_kind = preprocessing["input"]
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path} is not an exported LiteRT model: {error}")
        self.classes = classes
        self.preprocessing: Mapping[str, Any] = preprocessing
        self._thread_local = threading.local()

    def predict_probabilities(
        self, drawings: Sequence[np.ndarray], kind: str = schema.INK
    ) -> np.ndarray:
        """Returns `<float32>[batch, classes]`; see `predictor.Runtime`."""
        interpreter = self._get_interpreter()
        input_index = interpreter.get_input_details()[0]["index"]
        output_index = interpreter.get_output_details()[0]["index"]
        rows = []
        for drawing in drawings:
            values = self._make_input(drawing, kind)
            if values.shape != self._thread_local.input_shape:
                interpreter.resize_tensor_input(input_index, values.shape)
                interpreter.allocate_tensors()
                self._thread_local.input_shape = values.shape
            interpreter.set_tensor(input_index, values)
            interpreter.invoke()
            rows.append(interpreter.get_tensor(output_index)[0])
        return np.stack(rows)

    def _make_input(self, drawing: np.ndarray, kind: str) -> np.ndarray:
        """Returns the model's input for one drawing, with a batch dimension of 1."""
        if self._input_kind == schema.INK:
            return drawing[None]
        bitmap = drawing if kind == schema.BITMAP else rasterize_ink(drawing)
        return bitmap.astype(np.float32)[None, ..., None] / 255

    def _get_interpreter(self) -> Any:
        """Returns this thread's interpreter; interpreters are not thread-safe."""
        if not hasattr(self._thread_local, "interpreter"):
            self._thread_local.interpreter = create_interpreter(
                self._litert, self._model
            )
            self._thread_local.input_shape = None
        return self._thread_local.interpreter


def rasterize_ink(ink: np.ndarray) -> np.ndarray:
    """Draws ink `<float32>[time, 3]` as a bitmap `<uint8>[28, 28]`."""
    points = ink.copy()
    points[:, :2] = np.cumsum(ink[:, :2], axis=0) * strokes.BOX
    return rasterize.rasterize(points)


def create_interpreter(litert: Any, model: bytes) -> Any:
    """Creates a single-threaded interpreter with allocated tensors.

    Args:
      litert: the module `ai_edge_litert.interpreter`.
      model: the content of a `.tflite` file.
    """
    with _silence_stderr():
        interpreter = litert.Interpreter(model_content=model, num_threads=1)
        interpreter.allocate_tensors()
    return interpreter


_stderr_lock = threading.Lock()


@contextlib.contextmanager
def _silence_stderr() -> Iterator[None]:
    """Drops the messages that LiteRT's C++ code writes for each new interpreter."""
    with _stderr_lock:
        stderr, devnull = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            os.close(devnull)
