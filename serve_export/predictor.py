"""Strokes → guesses, with an export and nothing else.

    from serve_export.predictor import Predictor

    predictor = Predictor()  # or Predictor("exports/rnn")
    predictor.guess([[[10.5, 90, 90], [20, 20, 80]], [[50], [50]]], top_k=3)

Strokes are simplified by the functions that made the training data. A LiteRT export is
answered without TensorFlow.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from pipeline import simplification, strokes
from serve_export import layout
from serve_export.formats.litert_runtime import LiteRT
from serve_export.formats.savedmodel_runtime import SavedModel
from tfrecords import schema

RAW, SIMPLIFIED, AUTO = "raw", "simplified", "auto"

FORMS = (RAW, SIMPLIFIED, AUTO)
"""What strokes may be: of any canvas; Google's simplified ones already; or whichever
they look like, which one in two hundred raw ones makes unsure of."""

RUNTIMES = {
    "litert": (layout.QUANTISED, lambda path: LiteRT(f"{path}/{layout.QUANTISED}")),
    "savedmodel": (layout.SAVED_MODEL, SavedModel),
}
"""By the file that a runtime needs, the first choice first."""


class Guess(NamedTuple):
    """A word, and how likely it is what was drawn."""

    word: str
    probability: float


class Runtime(Protocol):
    """What runs an exported model.

    Attributes:
      words: in the order of the probabilities.
      facts: what was exported (see `export.facts`).
      lanes: how many may well ask at once.
      forkable: whether a loaded model may be forked.
    """

    words: tuple[str, ...]
    facts: Mapping[str, Any]
    lanes: int
    forkable: bool

    def probabilities(
        self, drawings: Sequence[np.ndarray], kind: str = schema.INK
    ) -> np.ndarray:
        """Answers drawings.

        Args:
          drawings: ink `<float32>[T, 3]` or bitmaps `<uint8>[28, 28]`, one or more.
          kind: which, of `schema.KINDS`; bitmaps only where `facts["reads"]` has them.

        Returns:
          `<float32>[batch, classes]`.
        """


def load_runtime(path: str, name: str = AUTO) -> Runtime:
    """Loads `DIR/<version>` to be run by one of `RUNTIMES`; `AUTO` is the first it has.

    Raises:
      ValueError: the export has not that format.
    """
    there = [
        runtime
        for runtime, (file, _) in RUNTIMES.items()
        if layout.exists(layout.join(path, file))
    ]
    if name == AUTO:
        name = there[0]
    if name not in there:
        raise ValueError(f"{path} has no {name} in it, but {', '.join(there)}")
    return RUNTIMES[name][1](path)


class Predictor:
    """Answers drawings with an exported model.

    Attributes:
      path: the version that is in use.
      classes: the words, in the order of the probabilities.
      runtime: what runs the model.
    """

    def __init__(self, export_dir: str | None = None, runtime: str = AUTO):
        """Loads an export.

        Args:
          export_dir: `DIR/<version>`, or `DIR` for its newest version; without it
            the model that comes with the package.
          runtime: of `RUNTIMES`, or `AUTO`: LiteRT if the export has it.

        Raises:
          ValueError: there is no export, or it has not that format.
        """
        self.path = layout.newest_version(export_dir)
        self.runtime = load_runtime(self.path, runtime)
        self.classes = self.runtime.words

    @property
    def takes_bitmaps(self) -> bool:
        """Whether pictures can be answered: those of cnn and mlp can."""
        return schema.BITMAP in self.runtime.facts["reads"]

    def probabilities(
        self, drawings: Sequence[np.ndarray], kind: str = schema.INK
    ) -> np.ndarray:
        """Gives the model's answer to a batch (see `Runtime.probabilities`)."""
        return self.runtime.probabilities(drawings, kind)

    def guess(
        self, drawing: Sequence[strokes.Stroke], top_k: int = 3, form: str = RAW
    ) -> list[Guess]:
        """Guesses what a drawing shows, likeliest first.

        Args:
          drawing: strokes `[[xs, ys, …], …]`.
          top_k: how many guesses; all classes if there are fewer.
          form: what the strokes are, of `FORMS`.

        Raises:
          ValueError: the strokes are no drawing of that form.
        """
        return self.guesses([to_ink(drawing, form)], top_k)[0]

    def guesses(
        self, drawings: Sequence[np.ndarray], top_k: int, kind: str = schema.INK
    ) -> list[list[Guess]]:
        """Like `guess`, for a batch of ink or bitmaps."""
        if top_k < 1:
            raise ValueError(f"top_k must be ≥ 1. Received: {top_k}")
        answers = []
        for row in self.probabilities(drawings, kind):
            best = np.argsort(-row, kind="stable")[:top_k]
            answers.append([Guess(self.classes[i], float(row[i])) for i in best])
        return answers


def to_ink(
    drawing: Sequence[strokes.Stroke], form: str = RAW, longest: float = math.inf
) -> np.ndarray:
    """Makes a drawing's ink, `<float32>[T, 3]`, as the training data was made.

    Raises:
      ValueError: the strokes are no drawing of that form.
      simplification.StrokesTooLongError: raw strokes that are longer (see `simplification.simplify`).
    """
    if form == AUTO:
        return strokes.to_ink(simplification.to_simplified_points(drawing))
    if form == RAW:
        return strokes.to_ink(
            strokes.to_points(simplification.simplify(drawing, longest))
        )
    if not strokes.is_simplified(drawing):
        raise ValueError(f"not simplified: integers within 0..{strokes.BOX} are")
    return strokes.to_ink(strokes.to_points(drawing))
