"""The forms of a drawing, shared by training and serving, and their conversions.

    raw strokes      any canvas, real numbers     [[xs, ys, …], …]
      │ simplification.simplify
    drawing          integers in 0..255           [[xs, ys], …]
      │ to_points                                 ↑ to_drawing
    points           <uint8>[T, 3]                rows (x, y, pen)
      │ to_ink                                    ↑ from_ink
    ink              <float32>[T, 3]              rows (dx, dy, pen), unit: the box

`pen` is 1 on the last point of each stroke and 0 elsewhere.
"""

import itertools
from collections.abc import Sequence
from typing import cast

import numpy as np

BOX = 255
"""Side of the box that Google scales a simplified drawing into, in pixels."""

Stroke = Sequence[Sequence[float]]


def is_simplified(drawing: Sequence[Stroke]) -> bool:
    """Returns whether all strokes have two axes of integers in 0..255."""
    return all(
        len(stroke) == 2
        and all(type(v) is int and 0 <= v <= BOX for axis in stroke for v in axis)
        for stroke in drawing
    )


def check_strokes(drawing: Sequence[Stroke]) -> None:
    """Raises ValueError unless every stroke has as many x as y, and at least one."""
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
