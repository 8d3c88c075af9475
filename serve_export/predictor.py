"""Classifies drawings with an exported model.

    from serve_export.predictor import Predictor

    predictor = Predictor()  # the bundled model; or Predictor("exports/rnn")
    predictor.guess([[[10.5, 90, 90], [20, 20, 80]], [[50], [50]]], top_k=3)

Raw strokes are simplified by the functions that made the training data. A LiteRT model
runs without TensorFlow.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from pipeline import simplification, strokes
from rnn_model.evaluation import metrics
from serve_export import layout
from serve_export.formats.litert_runtime import LiteRTRuntime
from serve_export.formats.savedmodel_runtime import SavedModelRuntime
from tfrecords import schema, storage

RAW, SIMPLIFIED, AUTO = "raw", "simplified", "auto"

INPUT_FORMATS = (RAW, SIMPLIFIED, AUTO)
"""Raw strokes on any canvas, Google's simplified strokes, or detected. Detection takes
integers within 0..255 for simplified, which is wrong for 1 in 200 raw drawings."""


class Guess(NamedTuple):
    """A class and its probability."""

    word: str
    probability: float


class Runtime(Protocol):
    """Runs an exported model.

    Attributes:
      classes: in the order of the probabilities.
      preprocessing: the content of preprocessing.json.
    """

    classes: tuple[str, ...]
    preprocessing: Mapping[str, Any]

    def predict_probabilities(
        self, drawings: Sequence[np.ndarray], kind: str = schema.INK
    ) -> np.ndarray:
        """Computes the class probabilities of drawings.

        Args:
          drawings: ink `<float32>[time, 3]` or bitmaps `<uint8>[28, 28]`, at least one.
          kind: one of `schema.KINDS`; bitmaps if `preprocessing["reads"]` has them.

        Returns:
          `<float32>[batch, classes]`.
        """


RUNTIMES: Mapping[str, tuple[str, Callable[[str], Runtime]]] = {
    "litert": (
        layout.LITERT_INT8_FILE,
        lambda path: LiteRTRuntime(storage.join(path, layout.LITERT_INT8_FILE)),
    ),
    "savedmodel": (layout.SAVED_MODEL_FILE, SavedModelRuntime),
}
"""The file that each runtime needs, and its constructor; the preferred one first."""


def choose_runtime(path: str, name: str = AUTO) -> str:
    """Returns the name of the runtime for `EXPORT_DIR/<version>`.

    Args:
      path: the version's directory.
      name: one of `RUNTIMES`, or `AUTO` for the first that the export supports.

    Raises:
      ValueError: the export does not contain that format.
    """
    available = [
        runtime
        for runtime, (file, _) in RUNTIMES.items()
        if storage.exists(storage.join(path, file))
    ]
    if name == AUTO and available:
        name = available[0]
    if name not in available:
        raise ValueError(
            f"{path} does not contain the format {name}. "
            f"Available: {', '.join(available) or 'none'}"
        )
    return name


class Predictor:
    """Classifies drawings with an exported model.

    Attributes:
      path: directory of the loaded version.
      classes: in the order of the probabilities.
      runtime: runs the model.
    """

    def __init__(self, export_dir: str | None = None, runtime: str = AUTO):
        """Loads an export.

        Args:
          export_dir: `EXPORT_DIR/<version>`, or `EXPORT_DIR` for its newest version;
            the bundled model if None.
          runtime: one of `RUNTIMES`, or `AUTO`: LiteRT if the export contains it.

        Raises:
          ValueError: there is no export, or it does not contain that format.
        """
        self.path = layout.find_newest_version(export_dir)
        _, load = RUNTIMES[choose_runtime(self.path, runtime)]
        self.runtime = load(self.path)
        self.classes = self.runtime.classes

    @property
    def accepts_bitmaps(self) -> bool:
        """Whether the model classifies bitmaps too, as cnn and mlp do."""
        return schema.BITMAP in self.runtime.preprocessing["reads"]

    def guess(
        self, drawing: Sequence[strokes.Stroke], top_k: int = 3, input_format: str = RAW
    ) -> list[Guess]:
        """Classifies a drawing.

        Args:
          drawing: strokes `[[xs, ys, …], …]`.
          top_k: number of guesses; all classes if there are fewer.
          input_format: one of `INPUT_FORMATS`.

        Returns:
          The most probable classes, in descending order.

        Raises:
          ValueError: the strokes are not a drawing in that format.
        """
        return self.guess_batch([to_ink(drawing, input_format)], top_k)[0]

    def guess_batch(
        self, drawings: Sequence[np.ndarray], top_k: int = 3, kind: str = schema.INK
    ) -> list[list[Guess]]:
        """Like `guess`, for a batch of ink or bitmaps (see `predict_probabilities`)."""
        return [
            select_top_k(row, self.classes, top_k)
            for row in self.predict_probabilities(drawings, kind)
        ]

    def predict_probabilities(
        self, drawings: Sequence[np.ndarray], kind: str = schema.INK
    ) -> np.ndarray:
        """See `Runtime.predict_probabilities`."""
        return self.runtime.predict_probabilities(drawings, kind)


def select_top_k(
    probabilities: np.ndarray, classes: Sequence[str], top_k: int
) -> list[Guess]:
    """Returns the most probable classes, in descending order.

    Args:
      probabilities: `<float32>[classes]` of one drawing.
      classes: their names.
      top_k: how many; all classes if there are fewer.

    Raises:
      ValueError: `top_k` is below 1.
    """
    if top_k < 1:
        raise ValueError(f"top_k must be ≥ 1. Received: {top_k}")
    best = metrics.top_k(probabilities, top_k)
    return [Guess(classes[i], float(probabilities[i])) for i in best]


def to_ink(
    drawing: Sequence[strokes.Stroke],
    input_format: str = RAW,
    max_length: float = math.inf,
) -> np.ndarray:
    """Converts strokes to ink, exactly as for the training data.

    Args:
      drawing: strokes `[[xs, ys, …], …]`, or lists of points `[[[x, y, …], …], …]`.
      input_format: one of `INPUT_FORMATS`.
      max_length: limit for the length of raw strokes (see `simplification.simplify`).

    Returns:
      Ink `<float32>[time, 3]`.

    Raises:
      ValueError: the strokes are not a drawing in that format.
      simplification.StrokesTooLongError: raw strokes longer than `max_length`.
    """
    drawing = strokes.to_axes(drawing, strokes.find_layout([drawing]))
    if input_format == AUTO:
        return strokes.to_ink(simplification.to_simplified_points(drawing))
    if input_format == RAW:
        simplified = simplification.simplify(drawing, max_length)
        return strokes.to_ink(strokes.to_points(simplified))
    if not strokes.is_simplified(drawing):
        raise ValueError(
            f"not a simplified drawing: coordinates must be integers within "
            f"0..{strokes.BOX}"
        )
    return strokes.to_ink(strokes.to_points(drawing))
