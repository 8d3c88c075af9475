"""Draws doodles of its own, as Google's simplified ndjson, one file per class.

    python -m pipeline.sample --output_dir=/tmp/doodles --per_class=500

They stand in for Google's data, which lies in a bucket, where there is no network:
words of Google's, its format, and a hand as careless as people's, so that some
drawings are easily mistaken for another word.

    shape          the lines that a word stands for, from corner to corner
      │ slips      a part forgotten or added, corners missed
      │ habits     where to start, which way round, when to lift the pen
      │ hand       ends missed, corners rounded, wobble, slant, few points when quick
    raw strokes    [[xs, ys], …], real numbers
      │ simplify
    drawing        [[xs, ys], …], integers within 0..255
"""

import datetime
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ndjson
import numpy as np
from absl import flags

from pipeline import cli
from pipeline.simplification import simplify

# The plane is the complex one here: a line is `<complex128>[points]`, x + iy with y
# downwards. A shape is about 2 units across; -z.conjugate() is z seen in a mirror. A
# line that ends where it starts is a ring.
Line = np.ndarray
Rng = np.random.Generator

_TAU = 2 * np.pi
_STEP = 0.05  # Units between the points that a line is computed at.
_BEND_COST = 0.15  # Units that a hand would draw while it turns by a radian.
_COUNTRIES = ("AU", "BR", "CZ", "DE", "FI", "GB", "IN", "JP", "SA", "US")
_FIRST_DAY = datetime.datetime(2017, 1, 23)
_DAYS = 60


# Shapes: the lines that a word stands for.


def _line(*corners: complex) -> Line:
    return np.array(corners, np.complex128)


def _ring(corners: int, first: float = 0.0) -> Line:
    """A regular polygon of radius 1; its first corner lies at that part of a turn."""
    ring = np.exp(1j * _TAU * (first + np.arange(corners) / corners))
    return np.append(ring, ring[0])


def _oval(rng: Rng, size: float = 1.0) -> Line:
    ring = _ring(24, -0.25)
    return size * (ring + 0.07 * rng.normal() * ring.conj())


def _box(corner: complex) -> Line:
    return _line(-corner, corner.conjugate(), corner, -corner.conjugate(), -corner)


def _jagged(points: int, depth: float) -> Line:
    """A ring of that many points, the first on top, notched to `depth` of 1."""
    ring = _ring(2 * points, -0.25)
    ring[1::2] *= 1 - depth
    return ring


def _clock(rng: Rng) -> list[Line]:
    minute, hour = rng.uniform([0.5, 0.3], [0.9, 0.6]) * rng.choice(_ring(60), 2)
    bent, apart = [_line(minute, 0, hour)], [_line(0, minute), _line(0, hour)]
    hands = bent if rng.random() < 0.5 else apart
    marks = _ring(rng.choice([4, 12]))[:-1] if rng.random() < 0.35 else []
    return [_oval(rng), *hands, *(_line(mark, 0.85 * mark) for mark in marks)]


def _envelope(rng: Rng) -> list[Line]:
    right = complex(1, -rng.uniform(0.5, 0.85))
    left = -right.conjugate()
    fold = 1j * right.imag * rng.uniform(-0.4, 0.5)
    creases = [[_line(left, fold, right)]] * 4 + [
        [_line(left, -left), _line(right, -right)],
        [_line(left, fold, right), _line(-right, fold), _line(-left, fold)],
    ]
    return [_box(right), *creases[rng.integers(6)]]


def _flower(rng: Rng) -> list[Line]:
    petals, size = rng.integers(4, 9), rng.uniform(0.2, 0.4)
    reach = (1 - size) / 2
    loops = [_oval(rng, reach) + (1 - reach) * ray for ray in _ring(petals)[:-1]]
    edge = _ring(8 * petals)
    outline = edge * (0.6 + 0.4 * np.abs(np.sin(np.angle(edge) * petals / 2)))
    stem = [_line(1j, 2.2j)] if rng.random() < 0.5 else []
    return [_oval(rng, size), *(loops if rng.random() < 0.5 else [outline]), *stem]


def _house(rng: Rng) -> list[Line]:
    wall = complex(rng.uniform(0.6, 0.9), rng.uniform(0.4, 0.8))
    right = wall.conjugate() + rng.choice([0.0, 0.25])
    left, top = -right.conjugate(), 1j * (right.imag - rng.uniform(0.4, 0.9))
    if rng.random() < 0.2:
        return [_line(left, top, right, wall, -wall.conjugate(), left)]
    roof = _line(left, top, right, *[left] * rng.integers(2))
    foot = complex(0.15, wall.imag)
    door = [_line(-foot.conjugate(), -0.15, 0.15, foot)] if rng.random() < 0.6 else []
    window = [_box(0.15 + 0.15j) + wall.real / 2] if rng.random() < 0.25 else []
    return [_box(wall), roof, *door, *window]


def _hurricane(rng: Rng) -> list[Line]:
    turns, style = rng.uniform(2, 5), rng.random()
    passed = np.linspace(0, 1, int(20 * turns))
    swirl = np.exp(1j * _TAU * turns * passed * rng.choice([-1, 1]))
    if style < 0.2:
        funnel = (1 - 0.8 * passed) * swirl.real
        return [funnel + 1j * (2 * passed - 1 + 0.15 * swirl.imag)]
    if style < 0.4:
        return [swirl * (0.9 + 0.1 * np.sin(9 * passed))]
    return [swirl * (0.1 + 0.9 * passed)]


def _smiley_face(rng: Rng) -> list[Line]:
    right = complex(rng.uniform(0.25, 0.45), -rng.uniform(0.2, 0.4))
    eye = (_oval(rng, 0.1), _line(0, 0.05), _line(0, 0.25j))[rng.integers(3)]
    mouth = 0.1j + rng.uniform(0.4, 0.7) * _ring(24)[2:11]
    return [_oval(rng), eye - right.conjugate(), eye + right, mouth]


def _star(rng: Rng) -> list[Line]:
    crossed = _ring(5, -0.25)[[0, 2, 4, 1, 3, 0]]
    outline = _jagged(rng.choice([4, 5, 5, 5, 6]), rng.uniform(0.4, 0.65))
    return [crossed if rng.random() < 0.6 else outline]


def _sun(rng: Rng) -> list[Line]:
    size = rng.uniform(0.35, 0.65)
    if rng.random() < 0.12:
        return [_oval(rng, size), _jagged(rng.integers(6, 12), rng.uniform(0.2, 0.4))]
    rays = _ring(rng.integers(5, 13), rng.random())[:-1]
    near = size * rng.uniform(0.95, 1.3)
    return [_oval(rng, size), *(_line(near * ray, ray) for ray in rays)]


def _triangle(rng: Rng) -> list[Line]:
    top = complex(0.3 * rng.normal(), -rng.uniform(0.3, 1.2))
    return [_line(top, 1 + 0.7j, -1 + 0.7j, top)]


_SHAPES: dict[str, Callable[[Rng], list[Line]]] = {
    "circle": lambda rng: [_oval(rng)],
    "clock": _clock,
    "envelope": _envelope,
    "flower": _flower,
    "hexagon": lambda rng: [_ring(6, rng.choice([-0.25, 0.0]))],
    "house": _house,
    "hurricane": _hurricane,
    "smiley face": _smiley_face,
    "square": lambda rng: [_box(complex(1, rng.uniform(0.75, 1.05)))],
    "star": _star,
    "sun": _sun,
    "triangle": _triangle,
}

CLASSES = tuple(_SHAPES)
"""The words that can be drawn, in alphabetical order."""


# Slips and habits: what is settled before the pen moves.


def _slip(parts: list[Line], rng: Rng, sloppiness: float) -> list[Line]:
    """Forgets a part, adds a stray one, changes the order, and misses corners."""
    if len(parts) > 1 and rng.random() < 0.08 * sloppiness:
        parts.pop(rng.integers(len(parts)))
    if rng.random() < 0.06 * sloppiness:
        parts.append(0.5 * _scatter(rng, rng.integers(2, 5)))
    if rng.random() < 0.15:
        parts = [parts[i] for i in rng.permutation(len(parts))]
    return [_miss_corners(part, rng, 0.07 * sloppiness) for part in parts]


def _scatter(rng: Rng, points: int) -> Line:
    return rng.normal(size=(points, 2)) @ (1, 1j)


def _miss_corners(line: Line, rng: Rng, share: float) -> Line:
    """Misplaces each corner by about a share of the way from one to the next."""
    missed = share * np.abs(np.diff(line)).mean() * _scatter(rng, len(line))
    if _is_ring(line):
        missed[-1] = missed[0]
    return line + missed


def _is_ring(line: Line) -> bool:
    return len(line) > 3 and line[0] == line[-1]


def _begin(line: Line, rng: Rng) -> Line:
    """Starts a ring at its first corner or at any, and draws some lines backwards."""
    if _is_ring(line) and rng.random() < 0.5:
        line = np.roll(line[:-1], rng.integers(len(line)))
        line = np.append(line, line[0])
    return line[::-1] if rng.random() < 0.2 else line


def _lift(line: Line, rng: Rng) -> list[Line]:
    """Lifts the pen never, at one corner, or at each."""
    mood = rng.random()
    if len(line) < 4 or mood < 0.88:
        return [line]
    if len(line) < 8 and mood < 0.92:
        return [line[corner : corner + 2] for corner in range(len(line) - 1)]
    corner = rng.integers(1, len(line) - 1)
    return [line[: corner + 1], line[corner:]]


# The hand: what happens while the pen moves.


def _pick_hand(rng: Rng, sloppiness: float) -> Callable[[Line], Line]:
    """Picks a way to draw, kept for a drawing: from a line to its points in pixels."""
    rounding = 1 + int(rng.exponential(1 + sloppiness))  # In steps.
    pace = 0.08 * rng.lognormal(0.3 * sloppiness, 0.5)  # Units from point to point.
    unit = rng.uniform(80, 250) * np.exp(0.08j * (1 + sloppiness) * rng.normal())
    slant = 0.05 * (1 + sloppiness) * _scatter(rng, 1)

    def trace(line: Line) -> Line:
        line = _miss_end(_resample(line, _STEP), rng, 0.04 * sloppiness)
        line = _round_off(line, rounding)
        line = line + 0.04 * sloppiness * _wobble(len(line), rng)
        line = _resample(line, pace, _BEND_COST)
        line = line + 0.006 * _scatter(rng, len(line))
        return unit * (line + slant * line.conj())

    return trace


def _resample(line: Line, step: float, bend_cost: float = 0.0) -> Line:
    """Walks along in equal steps; a radian's bend takes as long as `bend_cost`."""
    moves = np.diff(line)
    costs = np.abs(moves)
    if bend_cost:
        costs[1:] += bend_cost * np.abs(np.angle(moves[1:] * moves[:-1].conj()))
    passed = np.append(0, np.cumsum(costs))
    stops = np.linspace(0, passed[-1], 2 + int(passed[-1] / step))
    return np.interp(stops, passed, line)


def _miss_end(line: Line, rng: Rng, share: float) -> Line:
    """Stops short of the end, or beyond it, by about a share of the line."""
    points = max(round(len(line) * (1 + share * rng.normal())), 2)
    if _is_ring(line):
        return line[np.arange(points) % (len(line) - 1)]
    over = np.arange(1, points - len(line) + 1) * (line[-1] - line[-2])
    return np.append(line, line[-1] + over)[:points]


def _round_off(line: Line, window: int) -> Line:
    """Takes the mean over a window that moves along, each end repeated."""
    padded = np.pad(line, window // 2, "edge")
    return np.convolve(padded, np.full(window, 1 / window), "valid")


def _wobble(points: int, rng: Rng) -> Line:
    """A slow drift of about 1: three waves that turn."""
    turns = _STEP * np.outer(np.arange(points), rng.normal(0, 0.35, 3))
    return np.exp(1j * _TAU * turns) @ _scatter(rng, 3)


# Drawings and files.


def draw(word: str, rng: Rng) -> list[list[list[int]]]:
    """Draws one of `CLASSES`: strokes `[[xs, ys], …]` of integers within 0..255."""
    return simplify(draw_raw(word, rng, draw_sloppiness(rng)))


def draw_sloppiness(rng: Rng) -> float:
    """Draws how careless a hand is: mostly about 0.6, at most 3; from 1.5 a scrawl."""
    return min(float(rng.lognormal(-0.6, 0.6)), 3.0)


def draw_raw(word: str, rng: Rng, sloppiness: float) -> list[list[list[float]]]:
    """Draws a word as a screen records it: strokes `[[xs, ys], …]` in pixels."""
    _check_words([word])
    parts = _slip(_SHAPES[word](rng), rng, sloppiness)
    trace = _pick_hand(rng, sloppiness)
    strokes = [trace(line) for part in parts for line in _lift(_begin(part, rng), rng)]
    return [[stroke.real.tolist(), stroke.imag.tolist()] for stroke in strokes]


def write_sample(
    output_dir: str, per_class: int, seed: int, classes: Sequence[str] = CLASSES
) -> None:
    """Writes `<word>.ndjson` for each class, a drawing a line.

    A drawing depends on seed, word and place in the file alone: the same arguments
    give the same bytes, and a larger `per_class` only appends.

    Raises:
      ValueError: an unknown class, `per_class` below 1 or `seed` below 0.
      OSError: the folder cannot be written.
    """
    if per_class < 1:
        raise ValueError(f"per_class must be at least 1, got {per_class}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    _check_words(classes)
    os.makedirs(output_dir, exist_ok=True)
    for word in classes:
        records = (_record(word, seed, index) for index in range(per_class))
        _write_records(os.path.join(output_dir, f"{word}.ndjson"), records)


def _check_words(words: Iterable[str]) -> None:
    for word in words:
        if word not in _SHAPES:
            raise ValueError(f"cannot draw {word!r}, only: {', '.join(CLASSES)}")


def _record(word: str, seed: int, index: int) -> dict[str, Any]:
    """One line of a file, with the fields in Google's order."""
    rng = np.random.default_rng([seed, zlib.crc32(word.encode()), index])
    sloppiness = draw_sloppiness(rng)
    moment = _FIRST_DAY + datetime.timedelta(seconds=int(rng.integers(_DAYS * 86400)))
    return {
        "word": word,
        "countrycode": str(rng.choice(_COUNTRIES)),
        "timestamp": f"{moment}.{rng.integers(100_000):05d} UTC",
        "recognized": bool(rng.random() > 0.09 * sloppiness**1.5),
        "key_id": _key_id(word, seed, index),
        "drawing": simplify(draw_raw(word, rng, sloppiness)),
    }


def _key_id(word: str, seed: int, index: int) -> str:
    """Sixteen digits in Google's range, no two alike under one seed.

    To multiply by an odd number permutes the numbers below a power of two.
    """
    number = (CLASSES.index(word) << 40) + index
    mixed = number * 0x9E3779B97F4A7C15 + seed * 0xBF58476D1CE4E5B9
    return str(2**52 + mixed % 2**51)


def _write_records(path: str, records: Iterable[dict[str, Any]]) -> None:
    """Writes under a temporary name first: a file in place is a whole one."""
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8", newline="\n") as file:
        writer = ndjson.writer(file, separators=(",", ":"))
        for record in records:
            writer.writerow(record)
    os.replace(temporary, path)


def _define_flags() -> None:
    flags.DEFINE_string("output_dir", None, "Folder to write to.")
    flags.DEFINE_integer("per_class", 500, "Drawings of each class.", lower_bound=1)
    flags.DEFINE_integer("seed", 0, "Another seed, other drawings.", lower_bound=0)


def main() -> None:
    """Writes the sample that the flags describe."""
    args = flags.FLAGS
    cli.require("output_dir")
    cli.require_local("output_dir")
    write_sample(args.output_dir, args.per_class, args.seed)
    print(f"{len(CLASSES)} classes × {args.per_class} drawings in {args.output_dir}")


def run() -> None:
    """Entry point of the command."""
    cli.run(main, _define_flags, doc=__doc__)


if __name__ == "__main__":
    run()
