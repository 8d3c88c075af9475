"""The content of metrics.json and examples.ndjson."""

from collections.abc import Sequence
from typing import Any

import ndjson
import numpy as np

from pipeline import strokes
from rnn_model.evaluation import partial_drawings
from rnn_model.evaluation.metrics import MetricSums
from serve_export.formats.writer import ModelFormat
from serve_export.validation.compare_formats import FormatResult
from serve_export.validation.drawings import ValidationDrawings, choose_examples

MAX_PARTIAL_DRAWINGS = 1_000

ACCURACY_METRICS = ("top1", "top3", "macro_top1")

TABLE_HEADER = (
    "format", "size", "max. difference", "top-1", "top-1 loss", "latency"
)  # fmt: skip


def make_table(results: Sequence[FormatResult]) -> list[list[str]]:
    """Returns the results as rows of text, the header first."""
    rows = [list(TABLE_HEADER)]
    reference, *_ = results
    for result in results:
        is_reference = result is reference
        loss = "-"
        if result.top1 is not None and reference.top1 is not None and not is_reference:
            loss = f"{100 * (reference.top1 - result.top1):.2f} points"
        rows.append(
            [
                result.name,
                "-" if result.bytes is None else f"{result.bytes / 1e6:.2f} MB",
                "-" if is_reference else f"{result.difference:.1e}",
                "-" if result.top1 is None else f"{result.top1:.4f}",
                loss,
                f"{result.milliseconds:.2f} ms",
            ]
        )
    return rows


def compute_accuracy(
    probabilities: np.ndarray, drawings: ValidationDrawings
) -> dict[str, dict[str, float | int]]:
    """Computes top-1, top-3 and macro top-1.

    Args:
      probabilities: `<float32>[drawings, classes]`.
      drawings: with labels.

    Returns:
      The accuracy on all drawings and, as far as it is known, on those that the game
      recognized.
    """
    assert drawings.labels is not None
    assert drawings.recognized is not None
    groups = {
        "all": np.full(len(drawings.labels), True),
        "recognized": drawings.recognized == 1,
    }
    accuracy: dict[str, dict[str, float | int]] = {}
    for name, rows in groups.items():
        if not rows.any():
            continue
        sums = MetricSums(probabilities.shape[1])
        with np.errstate(divide="ignore"):
            sums.update(np.log(probabilities[rows]), drawings.labels[rows])
        result = sums.result()
        accuracy[name] = {"drawings": int(rows.sum())} | {
            metric: round(result[metric], 4) for metric in ACCURACY_METRICS
        }
    return accuracy


def compute_class_top1(
    probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> dict[str, dict[str, float | int]]:
    """Computes the top-1 accuracy of each class that has drawings.

    Args:
      probabilities: `<float32>[drawings, classes]`.
      labels: class indices `<int64>[drawings]`.
      classes: their names.
    """
    is_correct = probabilities.argmax(axis=1) == labels
    return {
        classes[label]: {
            "drawings": int((labels == label).sum()),
            "top1": round(float(is_correct[labels == label].mean()), 4),
        }
        for label in np.unique(labels)
    }


def compute_partial_top1(
    model: ModelFormat, drawings: ValidationDrawings, kind: str
) -> list[dict[str, Any]]:
    """Computes the top-1 accuracy on the first points of drawings.

    Args:
      model: a format.
      drawings: ink with labels; at most `MAX_PARTIAL_DRAWINGS` of them are used.
      kind: what the format takes, one of `schema.KINDS`.

    Returns:
      `{"seen": share of the points, "drawings", "top1"}` for each of
      `partial_drawings.PARTS`.
    """
    assert drawings.labels is not None
    step = -(-len(drawings.items) // MAX_PARTIAL_DRAWINGS)
    inks, labels = drawings.items[::step], drawings.labels[::step]
    rows = []
    for part in partial_drawings.PARTS:
        partial = [partial_drawings.first_points(ink, part) for ink in inks]
        items = drawings._replace(items=partial).convert_to(kind).items
        top1 = float((model.predict(items, kind).argmax(axis=1) == labels).mean())
        rows.append({"seen": part, "drawings": len(inks), "top1": round(top1, 4)})
    return rows


def format_examples(
    probabilities: np.ndarray, drawings: ValidationDrawings, classes: Sequence[str]
) -> str:
    """Returns typical drawings of each class as simplified ndjson.

    Args:
      probabilities: `<float32>[drawings, classes]`.
      drawings: ink with labels.
      classes: their names.
    """
    lines = [
        {
            "word": classes[label],
            "key_id": drawings.key_ids[index],
            "drawing": strokes.to_drawing(strokes.from_ink(drawings.items[index])),
        }
        for label, indices in choose_examples(probabilities, drawings).items()
        for index in indices
    ]
    return ndjson.dumps(lines, separators=(",", ":")) + "\n"
