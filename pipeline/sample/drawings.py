"""Synthetic drawings, and ndjson files of them."""

import datetime
import os
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import ndjson
import numpy as np

from pipeline.sample import handwriting
from pipeline.sample.shapes import CLASSES, check_word, draw_shape
from pipeline.simplification import simplify

_COUNTRIES = ("AU", "BR", "CZ", "DE", "FI", "GB", "IN", "JP", "SA", "US")
_FIRST_DAY = datetime.datetime(2017, 1, 23)
_NUM_DAYS = 60


def draw(word: str, rng: np.random.Generator) -> list[list[list[int]]]:
    """Draws a simplified drawing.

    Args:
      word: One of `CLASSES`.
      rng: Source of randomness.

    Returns:
      Strokes `[[xs, ys], …]` of integers from 0 to 255.
    """
    return simplify(draw_raw(word, rng, draw_sloppiness(rng)))


def draw_sloppiness(rng: np.random.Generator) -> float:
    """Samples how irregular a drawing is: median 0.55, at most 3."""
    return min(float(rng.lognormal(-0.6, 0.6)), 3.0)


def draw_raw(
    word: str, rng: np.random.Generator, sloppiness: float
) -> list[list[list[float]]]:
    """Draws a word as a touch screen records it.

    Args:
      word: One of `CLASSES`.
      rng: Source of randomness.
      sloppiness: See `draw_sloppiness`.

    Returns:
      Strokes `[[xs, ys], …]` in pixels.
    """
    lines = handwriting.vary_lines(draw_shape(word, rng), rng, sloppiness)
    draw_stroke = handwriting.choose_hand(rng, sloppiness)
    strokes = [
        draw_stroke(part)
        for line in lines
        for part in handwriting.lift_pen(handwriting.vary_start(line, rng), rng)
    ]
    return [[stroke.real.tolist(), stroke.imag.tolist()] for stroke in strokes]


def write_sample(
    output_dir: str,
    per_class: int = 500,
    seed: int = 0,
    classes: Sequence[str] = CLASSES,
) -> None:
    """Writes `<word>.ndjson` for each class.

    A drawing depends only on the seed, its word and its index in the file, so that a
    larger `per_class` appends drawings.

    Args:
      output_dir: Folder for the files; created if it does not exist.
      per_class: Number of drawings of each class.
      seed: Seed of all drawings.
      classes: Words to draw.

    Raises:
      ValueError: An argument is invalid.
      OSError: A file cannot be written.
    """
    if per_class < 1:
        raise ValueError(f"per_class must be ≥ 1. Received: {per_class}")
    if seed < 0:
        raise ValueError(f"seed must be ≥ 0. Received: {seed}")
    for word in classes:
        check_word(word)
    os.makedirs(output_dir, exist_ok=True)
    for word in classes:
        records = (_make_record(word, seed, index) for index in range(per_class))
        _write_records(os.path.join(output_dir, f"{word}.ndjson"), records)


def _make_record(word: str, seed: int, index: int) -> dict[str, Any]:
    """Makes the content of a line, with the fields in Google's order."""
    rng = np.random.default_rng([seed, zlib.crc32(word.encode()), index])
    sloppiness = draw_sloppiness(rng)
    seconds = int(rng.integers(_NUM_DAYS * 86400))
    time = _FIRST_DAY + datetime.timedelta(seconds=seconds)
    return {
        "word": word,
        "countrycode": str(rng.choice(_COUNTRIES)),
        "timestamp": f"{time}.{rng.integers(100_000):05d} UTC",
        "recognized": bool(rng.random() > 0.09 * sloppiness**1.5),
        "key_id": _make_key_id(word, seed, index),
        "drawing": simplify(draw_raw(word, rng, sloppiness)),
    }


def _make_key_id(word: str, seed: int, index: int) -> str:
    """Makes a key of 16 digits, in the range of Google's keys, unique within a seed.

    Multiplication by an odd number permutes the numbers below a power of two.
    """
    number = (CLASSES.index(word) << 40) + index
    mixed = number * 0x9E3779B97F4A7C15 + seed * 0xBF58476D1CE4E5B9
    return str(2**52 + mixed % 2**51)


def _write_records(path: str, records: Iterable[dict[str, Any]]) -> None:
    """Writes a file under a temporary name, then renames it."""
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8", newline="\n") as file:
        writer = ndjson.writer(file, separators=(",", ":"))
        for record in records:
            writer.writerow(record)
    os.replace(temporary, path)
