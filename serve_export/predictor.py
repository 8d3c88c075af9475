"""Strokes → guesses, with an export and nothing else.

    from serve_export.predictor import Predictor

    predictor = Predictor("exports/rnn")
    predictor.guess([[[10, 90, 90], [20, 20, 80]], [[50], [50]]], top_k=3)

What is raw is simplified first, by the functions that made the training data.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipeline import strokes
from serve_export.layout import CLASSES_ASSET, newest_version, tensorflow


class Guess(NamedTuple):
    """A word, and how likely it is what was drawn."""

    word: str
    probability: float


class Predictor:
    """Answers drawings with an exported model.

    Attributes:
      classes: the words, in the order of the probabilities.
    """

    def __init__(self, export_dir: str):
        """Loads an export.

        Args:
          export_dir: `DIR/<version>`, or `DIR` for its newest version.

        Raises:
          ValueError: there is no export.
        """
        tf = tensorflow()
        path = newest_version(export_dir)
        self._model = tf.saved_model.load(path)  # it must outlive its signature
        self._signature = self._model.signatures["serving_default"]
        with tf.io.gfile.GFile(tf.io.gfile.join(path, "assets", CLASSES_ASSET)) as file:
            self.classes = tuple(file.read().splitlines())

    def probabilities(self, inks: Sequence[np.ndarray]) -> np.ndarray:
        """Gives the model's answer to a batch.

        Args:
          inks: a drawing's ink each, `<float32>[T, 3]` (see `pipeline.strokes`).

        Returns:
          `<float32>[batch, classes]`.
        """
        lengths = np.array([len(ink) for ink in inks], np.int32)
        padded = np.zeros((len(inks), lengths.max(), 3), np.float32)
        for row, ink in zip(padded, inks):
            row[: len(ink)] = ink
        constant = tensorflow().constant
        answer = self._signature(ink=constant(padded), length=constant(lengths))
        return answer["probabilities"].numpy()

    def guess(self, drawing: Sequence[strokes.Stroke], top_k: int = 3) -> list[Guess]:
        """Guesses what a drawing shows, likeliest first.

        Args:
          drawing: strokes `[[xs, ys, …], …]`; simplified first unless it is already.
          top_k: how many guesses; all classes if there are fewer.

        Raises:
          ValueError: the strokes are no drawing.
        """
        return self.guesses([to_ink(drawing)], top_k)[0]

    def guesses(self, inks: Sequence[np.ndarray], top_k: int) -> list[list[Guess]]:
        """Like `guess`, for a batch of ink."""
        if top_k < 1:
            raise ValueError(f"top_k must be ≥ 1. Received: {top_k}")
        answers = []
        for row in self.probabilities(inks):
            best = np.argsort(-row, kind="stable")[:top_k]
            answers.append([Guess(self.classes[i], float(row[i])) for i in best])
        return answers


def to_ink(drawing: Sequence[strokes.Stroke]) -> np.ndarray:
    """Makes a drawing's ink, `<float32>[T, 3]`, as the training data was made.

    Raises:
      ValueError: the strokes are no drawing.
    """
    return strokes.to_ink(strokes.points_of(drawing))
