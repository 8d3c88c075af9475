"""Example drawings for the report, a few per class, kept from a stream of drawings."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pipeline import strokes
from rnn_model.evaluation import metrics
from tfrecords import schema

TOP_K = 3
"""Predictions shown per drawing."""

TopPredictions = tuple[tuple[int, float], ...]
"""Class and probability of the `TOP_K` predictions, the most probable first."""


class ExampleDrawing(NamedTuple):
    """A drawing with the predictions of one or two runs.

    Attributes:
      score: the drawings with the highest scores are kept.
      key: key of the drawing.
      label: its true class.
      drawing: ink `<float32>[T, 3]` or a bitmap `<float32>[28, 28, 1]`.
      predictions: of each run.
    """

    score: float
    key: str
    label: int
    drawing: np.ndarray
    predictions: tuple[TopPredictions, ...]

    @property
    def is_bitmap(self) -> bool:
        """Whether the drawing is a bitmap."""
        return self.drawing.ndim == 3

    def points(self) -> np.ndarray:
        """Converts ink to points, `<uint8>[T, 3]`."""
        return strokes.from_ink(self.drawing)

    def pixels(self) -> np.ndarray:
        """Converts a bitmap to pixels, `<uint8>[28, 28]`."""
        return np.rint(self.drawing[..., 0] * 255).astype(np.uint8)


class Gallery:
    """Keeps the drawings with the highest scores of each class.

    Args:
      num_classes: number of classes.
      per_class: drawings to keep per class.
    """

    def __init__(self, num_classes: int, per_class: int):
        self._per_class = per_class
        self._examples: dict[int, list[ExampleDrawing]] = {}
        self._thresholds = np.full(num_classes, -np.inf)

    def offer(
        self,
        scores: np.ndarray,
        labels: np.ndarray,
        make_example: Callable[[int, float], ExampleDrawing],
    ) -> None:
        """Offers the drawings of a batch.

        Args:
          scores: `<float64>[n]`; drawings with -inf are never kept.
          labels: `<int64>[n]`, their classes.
          make_example: makes an example from an index in the batch and a score. Only
            called for drawings that are kept.
        """
        for index in np.flatnonzero(scores > self._thresholds[labels]).tolist():
            label, score = int(labels[index]), float(scores[index])
            if score > self._thresholds[label]:
                examples = self._examples.setdefault(label, [])
                examples.append(make_example(index, score))
                examples.sort(key=lambda example: (-example.score, example.key))
                del examples[self._per_class :]
                if len(examples) == self._per_class:
                    self._thresholds[label] = examples[-1].score

    def best(self, count: int) -> list[ExampleDrawing]:
        """Returns `count` examples: the best of each class, then the second best, …."""
        ranked = [
            (rank, -example.score, example.key, example)
            for examples in self._examples.values()
            for rank, example in enumerate(examples)
        ]
        ranked.sort(key=lambda row: row[:3])
        return [example for *_, example in ranked[:count]]


def get_drawing(batch: dict[str, np.ndarray], kind: str, index: int) -> np.ndarray:
    """Copies one drawing of a batch, without its padding."""
    if kind == schema.BITMAP:
        return batch[schema.BITMAP][index].copy()
    return batch[schema.INK][index, : batch["length"][index]].copy()


def top_predictions(logits: np.ndarray) -> TopPredictions:
    """Returns the most probable classes for logits `<float32>[classes]`."""
    probabilities = metrics.softmax(logits)
    classes = metrics.top_k(logits, TOP_K)
    return tuple(zip(classes.tolist(), probabilities[classes].tolist()))
