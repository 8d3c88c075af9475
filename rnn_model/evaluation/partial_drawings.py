"""Metrics on unfinished drawings: how early a model recognizes them.

The first points of a drawing are simplified and scaled to the full box again, as a
server does with the strokes that it receives. This is slow, so only a sample of the
drawings is evaluated: those with the smallest hashes.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from pipeline import cli, simplification, strokes
from rnn_model.evaluation import bootstrap
from rnn_model.evaluation.example_gallery import get_drawing
from rnn_model.evaluation.metrics import MetricSums, Predictions
from tfrecords import schema

PARTS = (0.25, 0.5, 0.75, 1.0)
"""Shares of a drawing's points that the model receives."""

BATCH_SIZE = 256


class SampledDrawing(NamedTuple):
    """A drawing of the sample.

    Attributes:
      hash: hash of its key, see `bootstrap.hash_keys`.
      label: its class.
      drawing: ink `<float32>[T, 3]` or a bitmap `<float32>[28, 28, 1]`.
    """

    hash: int
    label: int
    drawing: np.ndarray


class HashSample:
    """At most `size` drawings; the choice depends on their hashes only.

    Args:
      kind: kind of drawing, one of `schema.KINDS`.
      size: number of drawings.

    Attributes:
      drawings: the sample, ordered by hash.
    """

    def __init__(self, kind: str, size: int):
        self.drawings: list[SampledDrawing] = []
        self._kind, self._size = kind, size

    def offer(self, hashes: np.ndarray, batch: dict[str, np.ndarray]) -> None:
        """Offers the drawings of a batch, with their hashes `<uint64>[n]`."""
        if len(self.drawings) < self._size:
            indices = np.arange(len(hashes))
        else:
            indices = np.flatnonzero(hashes < self.drawings[-1].hash)
        labels = batch[schema.CLASS_INDEX]
        self.drawings += [
            SampledDrawing(
                int(hashes[index]),
                int(labels[index]),
                get_drawing(batch, self._kind, index),
            )
            for index in indices.tolist()
        ]
        self.drawings.sort(key=lambda sampled: sampled[:2])
        del self.drawings[self._size :]


def evaluate_parts(
    logits_fns: Sequence[Callable[..., Any]],
    num_classes: int,
    drawings: Sequence[SampledDrawing],
) -> dict[float, list[MetricSums]]:
    """Evaluates models on each of `PARTS` of the same drawings.

    Args:
      logits_fns: functions from (ink, length) to logits `<float32>[batch, classes]`,
        one per model.
      num_classes: width of the logits.
      drawings: drawings as ink.

    Returns:
      For each part, the sums of each model with their bootstrap replicates. Empty
      without drawings.
    """
    if not drawings:
        return {}
    result = {
        part: [MetricSums(num_classes, bootstrap.COLUMNS) for _ in logits_fns]
        for part in PARTS
    }
    with cli.progress(len(drawings) * len(PARTS), "partial drawings") as bar:
        for part, sums in result.items():
            for ink, length, labels, hashes in _batches(drawings, part):
                weights = bootstrap.poisson_weights(hashes)
                for logits_fn, run_sums in zip(logits_fns, sums):
                    logits = np.asarray(logits_fn(ink, length))
                    run_sums.add(Predictions.from_logits(logits, labels), weights)
                bar.update(len(labels))
    return result


def first_points(ink: np.ndarray, part: float) -> np.ndarray:
    """Cuts a drawing after a part of its points, simplifies and scales the rest.

    Args:
      ink: `<float32>[T, 3]`, a simplified drawing.
      part: share of the points to keep. With 1, the ink is returned unchanged.
    """
    if part == 1:
        return ink
    points = strokes.from_ink(ink)
    drawing = strokes.to_drawing(points[: math.ceil(part * len(points))])
    return strokes.to_ink(strokes.to_points(simplification.simplify(drawing)))


def _batches(
    drawings: Sequence[SampledDrawing], part: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yields ink, length, classes `<int64>[batch]` and hashes `<uint64>[batch]`."""
    cut = [
        (sampled.hash, sampled.label, first_points(sampled.drawing, part))
        for sampled in drawings
    ]
    cut.sort(key=lambda row: len(row[2]))
    for start in range(0, len(cut), BATCH_SIZE):
        hashes, labels, inks = zip(*cut[start : start + BATCH_SIZE])
        yield (
            *strokes.pad_ink(inks),
            np.array(labels, np.int64),
            np.array(hashes, np.uint64),
        )
