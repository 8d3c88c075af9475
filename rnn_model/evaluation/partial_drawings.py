"""Drawings in progress: how early a model can guess.

A drawing's first points are simplified and scaled to the box again, as a server does
with what it is sent. That is slow, so it is done for some of the drawings.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from pipeline import simplification, strokes
from rnn_model.evaluation import bootstrap
from rnn_model.evaluation.metrics import MetricSums, judge

PARTS = (0.25, 0.5, 0.75, 1.0)
"""Shares of a drawing's points that are seen."""

BATCH_SIZE = 256

Drawings = Sequence[tuple[int, int, np.ndarray]]
"""Hash, class and ink `<float32>[T, 3]` of each, as of `hash_sample.HashSample`."""


def evaluate(
    functions: Sequence[Callable[..., Any]],
    num_classes: int,
    drawings: Drawings,
    step: Callable[[int], Any],
) -> dict[float, list[MetricSums]]:
    """Evaluates models on each of `PARTS` of the same drawings.

    Args:
      functions: (ink, length) → logits `<float32>[batch, classes]` of each model.
      num_classes: width of the logits.
      drawings: at least one.
      step: is told after each batch how many drawings it held.

    Returns:
      For each part the sums of each model, with bootstrap replicates.
    """
    found = {}
    for part in PARTS:
        sums = [MetricSums(num_classes, bootstrap.COLUMNS) for _ in functions]
        for ink, length, labels, hashed in _batches(drawings, part):
            weights = bootstrap.weights(hashed)
            for function, some in zip(functions, sums):
                some.add(judge(np.asarray(function(ink, length)), labels), weights)
            step(len(labels))
        found[part] = sums
    return found


def first_points(ink: np.ndarray, part: float) -> np.ndarray:
    """Cuts ink `<float32>[T, 3]` short and simplifies what is left, in the full box.

    The whole of a drawing stays as it is: it is simplified already.
    """
    if part == 1:
        return ink
    points = strokes.from_ink(ink)
    begun = strokes.to_drawing(points[: math.ceil(part * len(points))])
    return strokes.to_ink(strokes.to_points(simplification.simplify(begun)))


def _batches(
    drawings: Drawings, part: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yields ink, length, classes `<int64>[batch]` and hashes `<uint64>[batch]`."""
    cut = [(hashed, label, first_points(ink, part)) for hashed, label, ink in drawings]
    cut.sort(key=lambda row: len(row[2]))
    for start in range(0, len(cut), BATCH_SIZE):
        hashed, labels, inks = zip(*cut[start : start + BATCH_SIZE])
        yield (
            *strokes.pad_ink(inks),
            np.array(labels, np.int64),
            np.array(hashed, np.uint64),
        )
