"""The geometry of a drawing: everything that both training and serving rely on.

A drawing takes three forms, and this module owns the way between them:

    raw strokes      any canvas, real numbers     [[xs, ys, …], …]
      │ simplify
    drawing          integers within 0..255       [[xs, ys], …]
      │ to_points                                 ↑ to_drawing
    points           <uint8>[T, 3]                rows (x, y, pen)
      │ to_ink                                    ↑ from_ink
    ink              <float32>[T, 3]              rows (dx, dy, pen), in boxes

`pen` is 1 on the last point of each stroke and 0 elsewhere.
"""

import itertools
from collections.abc import Sequence

import numpy as np

BOX = 255
"""Side of the box that Google scales a simplified drawing into, in pixels."""

EPSILON = 2.0
"""How far Ramer-Douglas-Peucker may leave the curve, in pixels of the box."""

Stroke = Sequence[Sequence[float]]


def simplify(drawing: Sequence[Stroke]) -> list[list[list[int]]]:
    """Simplifies raw strokes the way Google made its simplified drawings.

    Move to minimum 0, scale uniformly to maximum 255, resample each stroke at
    1 px of arc length, Ramer-Douglas-Peucker with ε = 2 px, round. The steps are
    those of https://github.com/googlecreativelab/quickdraw-dataset; what it leaves
    open (the last point is kept, distances are to the infinite line) was found by
    comparing with Google's own results.

    Args:
      drawing: strokes `[[xs, ys, …], …]`, real numbers on any canvas; anything
        after `xs` and `ys` (the times) is not looked at.

    Returns:
      Strokes `[[xs, ys], …]` of integers within 0..255. A stroke without extent
      becomes two equal points.

    Raises:
      ValueError: no strokes, a stroke without points or with unequal x and y, or
        coordinates that are not finite numbers.
    """
    strokes = _real_strokes(drawing)
    lowest = np.min([stroke.min(axis=0) for stroke in strokes], axis=0)
    highest = np.max([stroke.max(axis=0) for stroke in strokes], axis=0)
    with np.errstate(over="ignore"):
        extent = (highest - lowest).max()
        if not np.isfinite(extent * BOX):
            raise ValueError("coordinates too far apart")
    if extent == 0:
        extent = BOX
    # In this order: Google's rounding of halves depends on it.
    return [_simplify_stroke((stroke - lowest) * BOX / extent) for stroke in strokes]


def is_simplified(drawing: Sequence[Stroke]) -> bool:
    """Says whether strokes are simplified: two axes of integers within 0..255."""
    return all(
        len(stroke) == 2
        and all(type(v) is int and 0 <= v <= BOX for axis in stroke for v in axis)
        for stroke in drawing
    )


def points_of(drawing: Sequence[Stroke]) -> np.ndarray:
    """Lays strokes out as points `<uint8>[T, 3]`; simplifies first what is raw.

    Raises:
      ValueError: see `simplify`.
    """
    return to_points(drawing if is_simplified(drawing) else simplify(drawing))


def pack_json(drawings: Sequence[bytes]) -> list[bytes | None]:
    """Lays many simplified drawings out at once, straight from their JSON.

    Digits are read with numpy, all at a time, several times faster than by way of
    Python's lists and numbers.

    Args:
      drawings: valid JSON, `[[[x,…],[y,…]],…]` each.

    Returns:
      The bytes of each drawing's points `<uint8>[T, 3]`, as `to_points` gives them;
      None for what is not simplified, has a fault, or is written in another way.
    """
    strokes = [_stroke_counts.get(text.translate(None, _DIGITS)) for text in drawings]
    plain = [text for text, count in zip(drawings, strokes) if count]
    points, stops = _read_digits(b"".join(plain))
    ends = np.cumsum([0, *filter(None, strokes)])
    if points is None or len(stops) != ends[-1] + 1:
        if len(drawings) == 1:
            return [None]
        middle = len(drawings) // 2  # one has a fault: where?
        return pack_json(drawings[:middle]) + pack_json(drawings[middle:])
    flat = points.tobytes()
    pieces = itertools.pairwise((3 * stops[ends]).tolist())
    return [flat[slice(*next(pieces))] if count else None for count in strokes]


_DIGITS = b"0123456789,"
_stroke_counts = {b"[" + b"[[][]]" * n + b"]": n for n in range(1, 1000)}
"""What is left of a drawing without its numbers, to its number of strokes."""


def _read_digits(text: bytes) -> tuple[np.ndarray | None, np.ndarray]:
    """Reads the strokes of drawings whose brackets are as they should be.

    Returns:
      The points, `<uint8>[T, 3]`, and where strokes start and the last one ends,
      `<int64>[strokes + 1]`; None for the points if a number is above 255, or not
      where it should be, or not every x has its y.
    """
    # Three more in front, so that to look back for digits never leaves the text.
    codes = np.frombuffer(b"[[[" + text, np.uint8)
    digits = codes - np.uint8(ord("0"))
    is_digit = digits <= 9
    commas = np.flatnonzero(codes == ord(","))
    last = np.flatnonzero(is_digit[:-1] & ~is_digit[1:])  # digit of each number
    tens, hundreds = is_digit[last - 1], is_digit[last - 1] & is_digit[last - 2]
    values = digits[last].astype(np.int32)
    values += 10 * np.where(tens, digits[last - 1], np.uint8(0)).astype(np.int32)
    values += 100 * np.where(hundreds, digits[last - 2], np.uint8(0)).astype(np.int32)
    axes = np.flatnonzero((codes[1:] == ord("]")) & is_digit[:-1])  # their last digit
    sizes = np.diff(np.searchsorted(last, axes, side="right"), prepend=0)
    sizes = sizes[0::2] if np.array_equal(sizes[0::2], sizes[1::2]) else None
    if (
        sizes is None
        or (values > BOX).any()
        or (hundreds & is_digit[last - 3]).any()
        or (is_digit[commas - 1] != is_digit[commas + 1]).any()
    ):
        return None, np.zeros(1, int)
    stops = np.cumsum(sizes)
    starts = stops - sizes
    # All x of a stroke stand before all y of it.
    xs = np.arange(len(values) // 2) + np.repeat(starts, sizes)
    points = np.zeros((len(xs), 3), np.uint8)
    points[:, 0] = values[xs]
    points[:, 1] = values[xs + np.repeat(sizes, sizes)]
    points[stops - 1, 2] = 1
    return points, np.append(0, stops)


def to_points(drawing: Sequence[Sequence[Sequence[int]]]) -> np.ndarray:
    """Lays a simplified drawing out as `<uint8>[T, 3]`, rows (x, y, pen).

    Raises:
      ValueError: no strokes, a stroke without points or with unequal x and y.
    """
    check_strokes(drawing)
    xs: list[int] = []
    ys: list[int] = []
    ends = []
    for stroke in drawing:
        xs += stroke[0]
        ys += stroke[1]
        ends.append(len(xs) - 1)
    points = np.zeros((len(xs), 3), np.uint8)
    points[:, 0] = xs
    points[:, 1] = ys
    points[ends, 2] = 1
    return points


def to_drawing(points: np.ndarray) -> list[list[list[int]]]:
    """Inverse of `to_points`: `<uint8>[T, 3]` to strokes `[[xs, ys], …]`."""
    ends = np.flatnonzero(points[:, 2]) + 1
    return [
        stroke[:, :2].T.tolist() for stroke in np.split(points, ends) if len(stroke)
    ]


def to_ink(points: np.ndarray) -> np.ndarray:
    """Takes differences: points `<uint8>[T, 3]` to ink `<float32>[T, 3]`.

    The first row holds the first point's own coordinates, so nothing is lost. One
    unit is the box of 255 px.
    """
    ink = points.astype(np.float32)
    ink[1:, :2] -= ink[:-1, :2].copy()
    ink[:, :2] /= BOX
    return ink


def to_inks(points: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Does what `to_ink` does to many drawings at once; much faster."""
    stops = np.cumsum([0, *map(len, points)]).tolist()
    joined = np.concatenate(points)
    ink = to_ink(joined)
    starts = stops[:-1]
    ink[starts, :2] = joined[starts, :2] / np.float32(BOX)
    return [ink[start:stop] for start, stop in itertools.pairwise(stops)]


def from_ink(ink: np.ndarray) -> np.ndarray:
    """Inverse of `to_ink`: ink `<float32>[T, 3]` to points `<uint8>[T, 3]`.

    Raises:
      ValueError: ink that is not of points, so that something would be lost.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        deltas = np.rint(ink * np.float32([BOX, BOX, 1])).astype(np.int64)
    deltas[:, :2] = np.cumsum(deltas[:, :2], axis=0)
    points = deltas.astype(np.uint8)
    if not np.array_equal(to_ink(points), ink):
        raise ValueError(f"the ink is not of integer points within 0..{BOX}")
    if points[:, 2].max() > 1 or not points[-1, 2]:
        raise ValueError("pen must be 0 or 1, and 1 on the last point")
    return points


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


def _real_strokes(drawing: Sequence[Stroke]) -> list[np.ndarray]:
    """Checks raw strokes; gives each as `<float64>[points, 2]`."""
    check_strokes(drawing)
    strokes = []
    for number, stroke in enumerate(drawing, 1):
        try:
            points = np.array(stroke[:2], np.float64).T
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"coordinate is no number: stroke {number}")
        if not np.isfinite(points).all():
            raise ValueError(f"coordinate is not finite: stroke {number}")
        strokes.append(points)
    return strokes


def _simplify_stroke(stroke: np.ndarray) -> list[list[int]]:
    """Simplifies one stroke `<float64>[points, 2]` that is in the box already."""
    dense = _resample(stroke)
    kept = dense[_corners(dense)]
    return np.rint(kept).astype(int).T.tolist()


def _resample(stroke: np.ndarray) -> np.ndarray:
    """Walks along `<float64>[points, 2]` in steps of 1 px; keeps the last point."""
    steps = np.hypot(*np.diff(stroke, axis=0).T)
    walked = np.concatenate([[0.0], np.cumsum(steps)])
    stops = np.append(np.arange(0.0, walked[-1]), walked[-1])
    return np.stack([np.interp(stops, walked, axis) for axis in stroke.T], axis=1)


def _corners(points: np.ndarray) -> np.ndarray:
    """Ramer-Douglas-Peucker: which of `<float64>[points, 2]` to keep, in order.

    A point is kept when it is the farthest, by more than ε, from the infinite line
    through the ends of its piece (from the point itself where the ends coincide).
    """
    kept = {0, len(points) - 1}
    pieces = [(0, len(points) - 1)]
    while pieces:
        first, last = pieces.pop()
        if last - first < 2:
            continue
        start = points[first]
        chord = points[last] - start
        offsets = points[first + 1 : last] - start
        length = np.hypot(*chord)
        if length > 0:
            cross = offsets[:, 0] * chord[1] - offsets[:, 1] * chord[0]
            distances = np.abs(cross) / length
        else:
            distances = np.hypot(*offsets.T)
        farthest = int(np.argmax(distances))
        if distances[farthest] > EPSILON:
            middle = first + 1 + farthest
            kept.add(middle)
            pieces += [(first, middle), (middle, last)]
    return np.array(sorted(kept)) if len(points) > 1 else np.array([0, 0])
