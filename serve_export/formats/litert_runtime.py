"""Answers with a LiteRT export: no TensorFlow, an interpreter per thread."""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from pipeline import cli, rasterize, strokes
from serve_export import layout
from serve_export.formats import litert_metadata
from tfrecords import schema


class LiteRT:
    """A `.tflite` file of an export.

    Attributes:
      words: in the order of the probabilities.
      facts: what was exported (see `export.facts`).
      lanes: how many may well ask at once.
      forkable: whether a loaded model may be forked.
    """

    lanes = os.cpu_count() or 1
    forkable = True

    def __init__(self, path: str):
        """Loads a file.

        Raises:
          ValueError: it is no LiteRT export, or LiteRT is not installed.
        """
        self._library = cli.import_extra("ai_edge_litert.interpreter", "serve")
        self._model = layout.read_bytes(path)
        try:
            self.words, self.facts = litert_metadata.unpack(self._model)
            self._kind = self.facts["input"]
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path} is no model of this project: {error}")
        self._mine = threading.local()

    def probabilities(
        self, drawings: Sequence[np.ndarray], kind: str = schema.INK
    ) -> np.ndarray:
        """Gives `<float32>[batch, classes]`; see `predictor.Runtime`."""
        interpreter = self._interpreter()
        taken = interpreter.get_input_details()[0]["index"]
        given = interpreter.get_output_details()[0]["index"]
        answers = []
        for drawing in drawings:
            values = self._input(drawing, kind)
            if values.shape != self._mine.shape:
                interpreter.resize_tensor_input(taken, values.shape)
                interpreter.allocate_tensors()
                self._mine.shape = values.shape
            interpreter.set_tensor(taken, values)
            interpreter.invoke()
            answers.append(interpreter.get_tensor(given)[0])
        return np.stack(answers)

    def _input(self, drawing: np.ndarray, kind: str) -> np.ndarray:
        """What the model takes, with a batch of 1 in front."""
        if self._kind == schema.INK:
            return drawing[None]
        bitmap = drawing if kind == schema.BITMAP else to_bitmap(drawing)
        return bitmap.astype(np.float32)[None, ..., None] / 255

    def _interpreter(self):
        """This thread's own: an interpreter is not for two at once."""
        if not hasattr(self._mine, "interpreter"):
            with silence():
                self._mine.interpreter = self._library.Interpreter(
                    model_content=self._model, num_threads=1
                )
                self._mine.interpreter.allocate_tensors()
            self._mine.shape = None
        return self._mine.interpreter


def to_bitmap(ink: np.ndarray) -> np.ndarray:
    """Draws ink `<float32>[T, 3]` as `<uint8>[28, 28]`."""
    points = ink.copy()
    points[:, :2] = np.cumsum(ink[:, :2], axis=0) * strokes.BOX
    return rasterize.rasterize(points)


_silencing = threading.Lock()


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keeps stderr free of what LiteRT says of each interpreter."""
    with _silencing:
        stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            os.close(nowhere)
