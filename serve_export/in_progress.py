"""How early a model guesses: its top-1 when it has seen a share of a drawing."""

from typing import Any

from rnn_model.evaluation import partial_drawings
from serve_export.validate import Drawings, Format

MOST = 1_000
"""Drawings that are cut, spread over all."""


def top1_by_share(some: Format, drawings: Drawings, kind: str) -> list[dict[str, Any]]:
    """Asks a format about drawings in progress.

    Args:
      some: who answers.
      drawings: ink, with labels.
      kind: what the format takes, of `schema.KINDS`.

    Returns:
      `{"seen": share of the points, "drawings", "top1"}` for each of `partial.PARTS`.
    """
    step = -(-len(drawings.items) // MOST)
    items, labels = drawings.items[::step], drawings.labels[::step]
    found = []
    for part in partial_drawings.PARTS:
        cut = [partial_drawings.first_points(ink, part) for ink in items]
        answer = some.answer(drawings._replace(items=cut).as_kind(kind).items, kind)
        top1 = float((answer.argmax(axis=1) == labels).mean())
        row = {"seen": part, "drawings": len(items), "top1": round(top1, 4)}
        found.append(row)
    return found
