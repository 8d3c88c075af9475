"""How early a model guesses: its top-1 when it has seen a share of a drawing."""

import math
from typing import Any

import numpy as np

from pipeline import strokes
from serve_export.check import Drawings, Format
from serve_export.predictor import to_ink

SHARES = (0.25, 0.5, 0.75, 1.0)
"""Of a drawing's points."""

MOST = 1_000
"""Drawings that are cut, spread over all."""


def cut(ink: np.ndarray, share: float) -> np.ndarray:
    """Keeps the first points of ink `<float32>[T, 3]`, made as a server makes it.

    They are strokes like any other: moved and scaled to fill the box, simplified.
    """
    if share == 1:
        return ink
    points = strokes.from_ink(ink)
    return to_ink(strokes.to_drawing(points[: math.ceil(share * len(points))]))


def top1_by_share(some: Format, drawings: Drawings, kind: str) -> list[dict[str, Any]]:
    """Asks a format about drawings in progress.

    Args:
      some: who answers.
      drawings: ink, with labels.
      kind: what the format takes, of `schema.KINDS`.

    Returns:
      `{"seen": share of the points, "drawings", "top1"}` for each of `SHARES`.
    """
    step = -(-len(drawings.items) // MOST)
    items, labels = drawings.items[::step], drawings.labels[::step]
    found = []
    for share in SHARES:
        part = drawings._replace(items=[cut(ink, share) for ink in items])
        answer = some.answer(part.as_kind(kind).items, kind)
        top1 = float((answer.argmax(axis=1) == labels).mean())
        row = {"seen": share, "drawings": len(items), "top1": round(top1, 4)}
        found.append(row)
    return found
