"""Compares the formats of an export with the Keras model, on the same drawings.

The compared values are probabilities. A format with float32 weights must agree with
Keras; one with 8-bit weights may differ, and `quantization_check` reports its accuracy.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pipeline import cli
from rnn_model.evaluation.latency import measure_latency
from serve_export.formats.writer import ModelFormat
from serve_export.validation.drawings import BATCH_SIZE, ValidationDrawings

TOLERANCE = 1e-3
"""Largest difference in probability that rounding explains."""

TIMED_DRAWINGS = 100


class FormatResult(NamedTuple):
    """Result of one format.

    Attributes:
      name: of the format.
      bytes: its size; None for the Keras model.
      difference: the largest difference from Keras in a probability.
      top1: top-1 accuracy; None without labels.
      milliseconds: median latency of one drawing.
    """

    name: str
    bytes: int | None
    difference: float
    top1: float | None
    milliseconds: float


def compare_formats(
    formats: Sequence[ModelFormat], drawings: ValidationDrawings
) -> tuple[list[FormatResult], list[np.ndarray]]:
    """Classifies the same drawings with every format.

    Args:
      formats: the first is the reference.
      drawings: of a kind that all formats take.

    Returns:
      The result and the probabilities `<float32>[drawings, classes]` of each format.

    Raises:
      ValueError: an exact format differs from the reference.
    """
    results: list[FormatResult] = []
    probabilities: list[np.ndarray] = []
    with cli.progress(len(formats) * len(drawings.items), "validate") as bar:
        for model in formats:
            predicted = predict_probabilities(model, drawings, bar.update)
            probabilities.append(predicted)
            difference = float(np.abs(predicted - probabilities[0]).max())
            if results and model.is_exact and not difference <= TOLERANCE:
                raise ValueError(
                    f"the format {model.name} differs from Keras by up to "
                    f"{difference:.2g} in a probability; at most {TOLERANCE} is allowed"
                )
            top1 = None
            if drawings.labels is not None:
                top1 = float((predicted.argmax(axis=1) == drawings.labels).mean())
            step = max(1, len(drawings.items) // TIMED_DRAWINGS)
            latency = measure_latency(
                lambda item: model.predict([item], drawings.kind),  # noqa: B023
                drawings.items[::step],
            )
            results.append(
                FormatResult(model.name, model.num_bytes, difference, top1, latency)
            )
    return results, probabilities


def predict_probabilities(
    model: ModelFormat,
    drawings: ValidationDrawings,
    update: Callable[[int], Any] = lambda _: None,
) -> np.ndarray:
    """Classifies drawings in batches.

    Args:
      model: a format.
      drawings: of a kind that the format takes.
      update: called with the size of each batch.

    Returns:
      Probabilities `<float32>[drawings, classes]`.
    """
    batches = []
    for start in range(0, len(drawings.items), BATCH_SIZE):
        batch = drawings.items[start : start + BATCH_SIZE]
        batches.append(model.predict(batch, drawings.kind))
        update(len(batch))
    return np.concatenate(batches)
