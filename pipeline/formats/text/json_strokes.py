"""The strokes of many simplified drawings, read straight from their JSON.

Digits are read with numpy, all at a time, several times faster than by way of Python's
lists and numbers.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from pipeline import strokes

TOGETHER = 1024
"""Drawings whose digits are read in one go; of more, what numpy makes of them leaves
the processor's cache."""


def pack_json(drawings: Sequence[bytes]) -> list[bytes | None]:
    """Lays many simplified drawings out at once.

    Args:
      drawings: valid JSON, `[[[x,…],[y,…]],…]` each.

    Returns:
      The bytes of each drawing's points `<uint8>[T, 3]`, as `strokes.to_points` gives
      them; None for what is not simplified, has a fault, or is written in another way.
    """
    packed: list[bytes | None] = []
    for start in range(0, len(drawings), TOGETHER):
        packed += _pack(drawings[start : start + TOGETHER])
    return packed


def _pack(drawings: Sequence[bytes]) -> list[bytes | None]:
    """Does so with few enough, and with ever fewer until the faulty ones are found."""
    counts = [_stroke_counts.get(text.translate(None, _DIGITS)) for text in drawings]
    plain = [text for text, count in zip(drawings, counts) if count]
    points, stops = _read_digits(b"".join(plain))
    ends = np.cumsum([0, *filter(None, counts)])
    if points is None or len(stops) != ends[-1] + 1:
        if len(drawings) == 1:
            return [None]
        middle = len(drawings) // 2
        return _pack(drawings[:middle]) + _pack(drawings[middle:])
    flat = points.tobytes()
    pieces = itertools.pairwise((3 * stops[ends]).tolist())
    return [flat[slice(*next(pieces))] if count else None for count in counts]


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
    values, last = _read_numbers(codes)
    # How many numbers each axis has: x, y, x, y, …
    sizes = np.diff(np.flatnonzero(codes.take(last + 1) == ord("]")), prepend=-1)
    if (
        not np.array_equal(sizes[0::2], sizes[1::2])
        or (values > strokes.BOX).any()
        or not _commas_separate(codes)
    ):
        return None, np.zeros(1, int)
    # All x of a stroke stand before all y of it.
    is_y = np.repeat(np.arange(len(sizes)) % 2 == 1, sizes)
    stops = np.cumsum(sizes[0::2])
    points = np.zeros((len(values) // 2, 3), np.uint8)
    points[:, 0] = values.take(np.flatnonzero(~is_y))
    points[:, 1] = values.take(np.flatnonzero(is_y))
    points[stops - 1, 2] = 1
    return points, np.append(0, stops)


def _read_numbers(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reads the whole numbers of a text `<uint8>[n]`, none in its first three.

    Returns:
      The numbers, `<uint16>[m]`, any above 255 for one of more than three digits, and
      where each one's last digit is, `<int64>[m]`.
    """
    digits = codes - np.uint8(ord("0"))
    is_digit = digits <= 9
    # Boolean indexing, several times slower, would say the same.
    last = np.flatnonzero(is_digit[:-1] > is_digit[1:])
    ones, tens, hundreds, more = (digits.take(last - back) for back in range(4))
    has_tens = tens <= 9
    has_hundreds = has_tens & (hundreds <= 9)
    values = ones + has_tens * tens * np.uint8(10) + np.uint16(0)
    values += has_hundreds * hundreds * np.uint16(100)
    values[has_hundreds & (more <= 9)] = np.iinfo(np.uint16).max
    return values, last


def _commas_separate(codes: np.ndarray) -> bool:
    """Says whether each comma stands between two numbers or between two brackets."""
    is_digit = codes - np.uint8(ord("0")) <= 9
    amiss = is_digit[:-2] != is_digit[2:]
    return not (amiss & (codes[1:-1] == ord(","))).any()
