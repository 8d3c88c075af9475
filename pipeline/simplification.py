"""Raw strokes to the simplified form, by the steps that Google used.

    move to minimum 0, scale to maximum 255     `fill_box`
    resample at 1 px of arc length              `_resample`
    Ramer-Douglas-Peucker with ε = 2 px         `_ramer_douglas_peucker`
    round

The steps are those of https://github.com/googlecreativelab/quickdraw-dataset. What that
page leaves open was settled by comparison with Google's own results: the last point is
kept, distances are to the infinite line, and the order of the arithmetic is the one
below. All of 1,890 drawings that are published in both forms come out equal.

The order of the arithmetic matters: along a segment parallel to the chord all points
have the same distance from it, and the last bit decides which one is kept. Another
order selects another point in 1 of 20 drawings.
"""

import math
from collections.abc import Sequence

import numpy as np

from pipeline.strokes import (
    BOX,
    FILLED_EXTENT,
    Stroke,
    check_strokes,
    is_simplified,
    to_points,
)

EPSILON = 2.0
"""Largest distance in pixels between the curve and its simplification."""


class StrokesTooLongError(ValueError):
    """The strokes are longer than the limit."""


def simplify(
    drawing: Sequence[Stroke], max_length: float = math.inf
) -> list[list[list[int]]]:
    """Simplifies raw strokes.

    Args:
      drawing: strokes `[[xs, ys, …], …]`, real numbers on any canvas; anything after
        `xs` and `ys`, such as the times, is ignored.
      max_length: largest total length of the strokes, in pixels of the box. The work
        grows with the square of the length in the worst case.

    Returns:
      Strokes `[[xs, ys], …]` of integers in 0..255. A stroke without extent becomes
      two equal points.

    Raises:
      ValueError: there are no strokes, a stroke has no points or unequal x and y, or
        a coordinate is not a finite number.
      StrokesTooLongError: the strokes are longer than `max_length`.
    """
    boxed = fill_box(_to_arrays(drawing))
    if max_length < math.inf:
        length = sum(_lengths(*np.diff(stroke, axis=0).T).sum() for stroke in boxed)
        if length > max_length:
            raise StrokesTooLongError(
                f"strokes too long: {length / BOX:,.0f} times the side of the drawing, "
                f"the limit is {max_length / BOX:,.0f}"
            )
    return [_simplify_stroke(stroke) for stroke in boxed]


def to_simplified_points(drawing: Sequence[Stroke]) -> np.ndarray:
    """Converts strokes to points `<uint8>[T, 3]`; simplifies them first if raw.

    Integers in 0..255 that do not fill the box are raw, from a small canvas.

    Raises:
      ValueError: see `simplify`.
    """
    check_strokes(drawing)
    if is_simplified(drawing):
        points = to_points(drawing)
        if np.ptp(points[:, :2], axis=0).max() >= FILLED_EXTENT:
            return points
    return to_points(simplify(drawing))


def fill_box(strokes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Moves strokes to minimum 0 and scales them uniformly to maximum 255.

    Args:
      strokes: `<float64>[points, 2]` each.

    Raises:
      ValueError: the range of the coordinates is not finite.
    """
    lowest = np.min([stroke.min(axis=0) for stroke in strokes], axis=0)
    highest = np.max([stroke.max(axis=0) for stroke in strokes], axis=0)
    with np.errstate(over="ignore"):
        extent = (highest - lowest).max()
        if not np.isfinite(extent * BOX):
            raise ValueError("coordinates too far apart")
    if extent == 0:
        extent = BOX
    # In this order: Google's rounding of halves depends on it.
    return [(stroke - lowest) * BOX / extent for stroke in strokes]


def _to_arrays(drawing: Sequence[Stroke]) -> list[np.ndarray]:
    """Checks raw strokes; returns each as `<float64>[points, 2]`."""
    check_strokes(drawing)
    strokes = []
    for number, stroke in enumerate(drawing, 1):
        try:
            points = np.array(stroke[:2], np.float64).T
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"coordinate is not a number: stroke {number}")
        if not np.isfinite(points).all():
            raise ValueError(f"coordinate is not finite: stroke {number}")
        strokes.append(points)
    return strokes


def _simplify_stroke(stroke: np.ndarray) -> list[list[int]]:
    """Simplifies one stroke `<float64>[points, 2]` in box coordinates."""
    dense = _resample(stroke)
    kept = dense[_ramer_douglas_peucker(dense)]
    simplified: list[list[int]] = np.rint(kept).astype(int).T.tolist()
    return simplified


def _resample(stroke: np.ndarray) -> np.ndarray:
    """Resamples `<float64>[points, 2]` at 1 px of arc length; keeps the last point."""
    lengths = _lengths(*np.diff(stroke, axis=0).T)
    arc_length = np.concatenate([[0.0], np.cumsum(lengths)])
    positions = np.arange(0.0, arc_length[-1])
    segment = np.searchsorted(arc_length, positions, side="right") - 1
    part = ((positions - arc_length[segment]) / lengths[segment])[:, None]
    dense = stroke[segment] * (1 - part) + stroke[segment + 1] * part
    return np.concatenate([dense, stroke[-1:]])


def _ramer_douglas_peucker(points: np.ndarray) -> np.ndarray:
    """Selects the points to keep of `<float64>[points, 2]`, in order.

    A point is kept when it is the farthest, by more than ε, from the infinite line
    through the ends of its segment (from the end point itself where the ends coincide).

    Returns:
      Indices `<int64>[kept]`.
    """
    xs, ys = np.ascontiguousarray(points.T)
    kept = {0, len(points) - 1}
    segments = [(0, len(points) - 1)]
    while segments:
        first, last = segments.pop()
        if last - first < 2:
            continue
        chord_x, chord_y = xs[last] - xs[first], ys[last] - ys[first]
        offset_x = xs[first + 1 : last] - xs[first]
        offset_y = ys[first + 1 : last] - ys[first]
        chord_length = _lengths(chord_x, chord_y)
        if chord_length > 0:
            distances = offset_x * chord_y  # in place: segments are small and many
            distances -= offset_y * chord_x
            np.abs(distances, out=distances)
            distances /= chord_length
        else:
            distances = _lengths(offset_x, offset_y)
        farthest = int(distances.argmax())
        if distances[farthest] > EPSILON:
            middle = first + 1 + farthest
            kept.add(middle)
            segments += [(first, middle), (middle, last)]
    return np.array(sorted(kept)) if len(points) > 1 else np.array([0, 0])


def _lengths(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns the lengths of the vectors (x, y); `np.hypot` rounds differently."""
    lengths: np.ndarray = np.sqrt(x * x + y * y)
    return lengths
