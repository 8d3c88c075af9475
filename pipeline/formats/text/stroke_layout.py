"""The two layouts of a stroke: axes `[xs, ys, …]` or points `[[x, y, …], …]`.

Google publishes axes. Other programs write points. A stroke of two points looks like a
stroke of two axes, so the layout is decided once per file.
"""

from collections.abc import Iterable, Sequence

Numbers = Sequence[float]
Drawing = Sequence[Sequence[Numbers]]

AXES, POINTS = "axes", "points"

MAX_AXES = 5
"""x, y, time, pressure and one more."""


def find_layout(drawings: Iterable[Drawing]) -> str:
    """Returns the layout of a file.

    Each drawing that has only one consistent reading counts for it.

    Args:
      drawings: a sample of the file's drawings.
    """
    axes = points = 0
    for drawing in drawings:
        if _is_axes(drawing) != _is_points(drawing):
            axes += _is_axes(drawing)
            points += _is_points(drawing)
    return POINTS if points > axes else AXES


def to_axes(drawing: Drawing, layout: str) -> Drawing:
    """Returns strokes as axes.

    Args:
      drawing: strokes in either layout.
      layout: the layout of the file.

    Raises:
      ValueError: the drawing does not have this layout. Strokes without x and y or with
        unequal x and y are left to `strokes.check_strokes`.
    """
    if layout == POINTS:
        if not _is_points(drawing):
            raise ValueError("not points: other drawings of the file are [[x, y], …]")
        return [list(zip(*stroke)) for stroke in drawing]
    for number, stroke in enumerate(drawing, 1):
        if len(stroke) > MAX_AXES:
            raise ValueError(
                f"too many axes: stroke {number} has {len(stroke)}, at most {MAX_AXES} "
                "(x, y, time, pressure)"
            )
        if len(stroke) > 2 and len({len(axis) for axis in stroke[1:]}) > 1:
            raise ValueError(f"unequal axes: stroke {number}")
    return drawing


def _is_axes(drawing: Drawing) -> bool:
    counts = {len(stroke) for stroke in drawing}
    return (
        len(counts) == 1
        and 2 <= min(counts) <= MAX_AXES
        and all(len({len(axis) for axis in stroke}) == 1 for stroke in drawing)
    )


def _is_points(drawing: Drawing) -> bool:
    sizes = {len(point) for stroke in drawing for point in stroke}
    return all(drawing) and len(sizes) == 1 and 2 <= min(sizes) <= MAX_AXES
