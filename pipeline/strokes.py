"""The forms of a drawing, shared by training and serving, and their conversions.

    raw strokes      any canvas, real numbers     [[xs, ys, …], …]
      │ simplification.simplify
    drawing          integers in 0..255           [[xs, ys], …]
      │ to_points                                 ↑ to_drawing
    points           <uint8>[T, 3]                rows (x, y, pen)
      │ to_ink                                    ↑ from_ink
    ink              <float32>[T, 3]              rows (dx, dy, pen), unit: the box

`pen` is 1 on the last point of each stroke and 0 elsewhere.

A stroke is a list of axes, `[xs, ys]` and up to three more such as the times. Other
programs write lists of points, `[[x, y, …], …]`; `to_axes` converts them.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np

BOX = 255
"""Side of the box that Google scales a simplified drawing into, in pixels."""

FILLED_EXTENT = 250
"""A drawing with this extent in pixels or more fills the box. At least 96 % of the
first 100 drawings of each of Google's 345 simplified files do, on average 99.8 %."""

MAX_AXES = 5
"""x, y, time, pressure and one more."""

AXES, POINTS = "axes", "points"
"""The two layouts of a stroke."""

Stroke = Sequence[Sequence[float]]


def find_layout(drawings: Iterable[Sequence[Stroke]]) -> str:
    """Finds the layout of the strokes of one source.

    A stroke of two points looks like a stroke of two axes, so the drawings that can be
    read in one way only decide.

    Args:
      drawings: drawings of one source, all or a sample.

    Returns:
      AXES or POINTS.
    """
    axes = points = 0
    for drawing in drawings:
        if _is_axes(drawing) != _is_points(drawing):
            axes += _is_axes(drawing)
            points += _is_points(drawing)
    return POINTS if points > axes else AXES


def to_axes(drawing: Sequence[Stroke], layout: str) -> Sequence[Stroke]:
    """Returns strokes as axes.

    Raises:
      ValueError: the layout is POINTS, but the strokes are not lists of points.
    """
    if layout == AXES:
        return drawing
    if not _is_points(drawing):
        raise ValueError("not points: other strokes are [[x, y], …]")
    return [list(zip(*stroke)) for stroke in drawing]


def _is_axes(drawing: Sequence[Stroke]) -> bool:
    counts = {len(stroke) for stroke in drawing}
    return (
        len(counts) == 1
        and 2 <= min(counts) <= MAX_AXES
        and all(len({len(axis) for axis in stroke}) == 1 for stroke in drawing)
    )


def _is_points(drawing: Sequence[Stroke]) -> bool:
    sizes = {len(point) for stroke in drawing for point in stroke}
    return all(drawing) and len(sizes) == 1 and 2 <= min(sizes) <= MAX_AXES


def is_simplified(drawing: Sequence[Stroke]) -> bool:
    """Returns whether all strokes have two axes of integers in 0..255."""
    return all(
        len(stroke) == 2
        and all(type(v) is int and 0 <= v <= BOX for axis in stroke for v in axis)
        for stroke in drawing
    )


def check_strokes(drawing: Sequence[Stroke]) -> None:
    """Checks the axes of strokes.

    Raises:
      ValueError: there are no strokes, or a stroke has less than 2 or more than 5 axes,
        axes of different lengths, or no points.
    """
    if not drawing:
        raise ValueError("no strokes")
    for number, stroke in enumerate(drawing, 1):
        if len(stroke) < 2:
            raise ValueError(f"stroke without x and y: stroke {number}")
        if len(stroke[0]) != len(stroke[1]):
            raise ValueError(
                f"unequal x and y: stroke {number} has {len(stroke[0])} x "
                f"but {len(stroke[1])} y"
            )
        if not len(stroke[0]):
            raise ValueError(f"stroke without points: stroke {number}")
        if len(stroke) > 2:
            _check_more_axes(stroke, number)


def _check_more_axes(stroke: Stroke, number: int) -> None:
    if len(stroke) > MAX_AXES:
        raise ValueError(
            f"too many axes: stroke {number} has {len(stroke)}, at most {MAX_AXES} "
            "(x, y, time, pressure)"
        )
    if any(len(axis) != len(stroke[0]) for axis in stroke[2:]):
        raise ValueError(f"unequal axes: stroke {number}")


def to_points(drawing: Sequence[Stroke]) -> np.ndarray:
    """Converts a simplified drawing to points `<uint8>[T, 3]`, rows (x, y, pen).

    Args:
      drawing: strokes `[[xs, ys], …]` of integers in 0..255.

    Raises:
      ValueError: there are no strokes, or a stroke has no points or unequal x and y.
    """
    check_strokes(drawing)
    xs, ys, pen = bytearray(), bytearray(), bytearray()
    for stroke in drawing:
        xs += bytes(cast(Sequence[int], stroke[0]))
        ys += bytes(cast(Sequence[int], stroke[1]))
        pen += bytes(len(stroke[0]) - 1) + b"\1"
    points = bytearray(3 * len(xs))
    points[0::3], points[1::3], points[2::3] = xs, ys, pen
    return np.frombuffer(points, np.uint8).reshape(-1, 3)


def to_drawing(points: np.ndarray) -> list[list[list[int]]]:
    """Inverts `to_points`: `<uint8>[T, 3]` to strokes `[[xs, ys], …]`."""
    ends = np.flatnonzero(points[:, 2]) + 1
    return [
        stroke[:, :2].T.tolist() for stroke in np.split(points, ends) if len(stroke)
    ]


def to_ink(points: np.ndarray) -> np.ndarray:
    """Converts points `<uint8>[T, 3]` to ink `<float32>[T, 3]`.

    Ink holds the differences of consecutive points, in units of the box of 255 px. The
    first row holds the first point's coordinates, so the conversion is lossless.
    """
    ink = points.astype(np.float32)
    ink[1:, :2] -= ink[:-1, :2].copy()
    ink[:, :2] /= BOX
    return ink


def to_ink_batch(packed: Sequence[bytes]) -> list[np.ndarray]:
    """Converts the points of many drawings at once; much faster than one by one.

    Args:
      packed: the bytes of each drawing's points `<uint8>[T, 3]`.

    Returns:
      The ink of each drawing, as `to_ink` returns it.
    """
    stops = np.cumsum([0, *map(len, packed)])
    # As one row of numbers, since numpy is slow where the last axis is short.
    joined = np.frombuffer(b"".join(packed), np.uint8).astype(np.float32)
    ink = joined.copy()
    ink[3:] -= joined[:-3]
    for axis in range(2):
        ink[stops[:-1] + axis] = joined[stops[:-1] + axis]
    ink /= np.float32(BOX)
    ink[2::3] = joined[2::3]
    rows = ink.reshape(-1, 3)
    return [rows[a:b] for a, b in itertools.pairwise((stops // 3).tolist())]


def pad_ink(inks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Pads ink with zeros to the longest drawing.

    Args:
      inks: `<float32>[T, 3]` each.

    Returns:
      Ink `<float32>[batch, time, 3]` and lengths `<int32>[batch]`.
    """
    length = np.array([len(ink) for ink in inks], np.int32)
    padded = np.zeros((len(inks), length.max(), 3), np.float32)
    for row, ink in zip(padded, inks):
        row[: len(ink)] = ink
    return padded, length


def from_ink(ink: np.ndarray) -> np.ndarray:
    """Inverts `to_ink`: ink `<float32>[T, 3]` to points `<uint8>[T, 3]`.

    Raises:
      ValueError: the ink is not of integer points, so that precision would be lost.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        deltas = np.rint(ink * np.array([BOX, BOX, 1], np.float32)).astype(np.int64)
    deltas[:, :2] = np.cumsum(deltas[:, :2], axis=0)
    points: np.ndarray = deltas.astype(np.uint8)
    if not np.array_equal(to_ink(points), ink):
        raise ValueError(f"the ink is not of integer points within 0..{BOX}")
    if points[:, 2].max() > 1 or not points[-1, 2]:
        raise ValueError("pen must be 0 or 1, and 1 on the last point")
    return points
