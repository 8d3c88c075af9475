"""Drawings worth looking at, kept as they stream by: a few of each class."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pipeline import strokes
from tfrecords import schema

GUESSES = 3

Answer = tuple[tuple[int, float], ...]
"""The first guesses, the best first: class and probability of each."""


class Shown(NamedTuple):
    """A drawing that is kept.

    Attributes:
      score: why; of two the higher is kept.
      key: the drawing's.
      label: its class.
      drawing: ink `<float32>[T, 3]` or a bitmap `<float32>[28, 28, 1]`.
      answers: of one run, or of two that are compared.
    """

    score: float
    key: str
    label: int
    drawing: np.ndarray
    answers: tuple[Answer, ...]

    @property
    def is_bitmap(self) -> bool:
        return self.drawing.ndim == 3

    def points(self) -> np.ndarray:
        """The points of ink, `<uint8>[T, 3]`."""
        return strokes.from_ink(self.drawing)

    def pixels(self) -> np.ndarray:
        """The pixels of a bitmap, `<uint8>[28, 28]`."""
        return np.rint(self.drawing[..., 0] * 255).astype(np.uint8)


class Gallery:
    """The drawings of the highest scores, at most `per_class` of a class."""

    def __init__(self, num_classes: int, per_class: int):
        self._per_class = per_class
        self._kept: dict[int, list[Shown]] = {}
        self._least = np.full(num_classes, -np.inf)

    def offer(
        self,
        scores: np.ndarray,
        labels: np.ndarray,
        show: Callable[[int, float], Shown],
    ) -> None:
        """Keeps what is better than what there is.

        Args:
          scores: `<float64>[n]`, -inf for a drawing that is none of these.
          labels: `<int64>[n]`.
          show: gives a drawing by its place and score; asked for those kept only.
        """
        for place in np.flatnonzero(scores > self._least[labels]).tolist():
            label, score = int(labels[place]), float(scores[place])
            if score > self._least[label]:
                kept = self._kept.setdefault(label, [])
                kept.append(show(place, score))
                kept.sort(key=lambda shown: (-shown.score, shown.key))
                del kept[self._per_class :]
                if len(kept) == self._per_class:
                    self._least[label] = kept[-1].score

    def best(self, count: int) -> list[Shown]:
        """The best of all classes: first the best of each, then the second of each."""
        ranked = [
            (place, -shown.score, shown.key, shown)
            for kept in self._kept.values()
            for place, shown in enumerate(kept)
        ]
        return [shown for *_, shown in sorted(ranked, key=lambda row: row[:3])[:count]]


def drawing_of(batch: dict[str, np.ndarray], kind: str, place: int) -> np.ndarray:
    """A drawing of a batch, without padding, as a copy."""
    if kind == schema.BITMAP:
        return batch[schema.BITMAP][place].copy()
    return batch[schema.INK][place, : batch["length"][place]].copy()


def answer(logits: np.ndarray) -> Answer:
    """The first guesses of logits `<float32>[classes]`."""
    logits = logits.astype(np.float64)
    powers = np.exp(logits - logits.max())
    best = np.argsort(-logits, kind="stable")[:GUESSES]
    shares = powers[best] / powers.sum()
    return tuple(zip(best.tolist(), shares.tolist()))
