"""Irregularities of human drawings, applied to the lines of an ideal shape.

lines of a shape   (complex numbers, see `shapes`)
  │ vary_lines     omit or add a line, change the order, misplace corners
  │ vary_start     start at another corner, draw in the other direction
  │ lift_pen       split a line into several strokes
  │ choose_hand    miss ends, round corners, tremble, slant; few points where fast
strokes in pixels
"""

from collections.abc import Callable

import numpy as np

from pipeline.sample.shapes import TAU, Line

_STEP = 0.05
"""Distance of the points that a line is computed at, in units of the shape."""

_TURN_COST = 0.15
"""Distance a hand covers in the time of a turn by one radian, in units of the shape."""


def vary_lines(
    lines: list[Line], rng: np.random.Generator, sloppiness: float
) -> list[Line]:
    """Omits a line, adds a random one, changes the order and misplaces corners."""
    if len(lines) > 1 and rng.random() < 0.08 * sloppiness:
        lines.pop(rng.integers(len(lines)))
    if rng.random() < 0.06 * sloppiness:
        lines.append(0.5 * _sample_points(rng, int(rng.integers(2, 5))))
    if rng.random() < 0.15:
        lines = [lines[index] for index in rng.permutation(len(lines))]
    return [_misplace_corners(line, rng, 0.07 * sloppiness) for line in lines]


def _sample_points(rng: np.random.Generator, count: int) -> Line:
    """Samples points from a normal distribution."""
    return rng.normal(size=(count, 2)) @ (1, 1j)


def _misplace_corners(line: Line, rng: np.random.Generator, scale: float) -> Line:
    """Moves corners by about `scale` of the mean length of an edge."""
    offsets = scale * np.abs(np.diff(line)).mean() * _sample_points(rng, len(line))
    if _is_closed(line):
        offsets[-1] = offsets[0]
    return line + offsets


def _is_closed(line: Line) -> bool:
    return len(line) > 3 and line[0] == line[-1]


def vary_start(line: Line, rng: np.random.Generator) -> Line:
    """Starts a closed line at a random corner and reverses some lines."""
    if _is_closed(line) and rng.random() < 0.5:
        line = np.roll(line[:-1], rng.integers(len(line)))
        line = np.append(line, line[0])
    return line[::-1] if rng.random() < 0.2 else line


def lift_pen(line: Line, rng: np.random.Generator) -> list[Line]:
    """Splits a line nowhere, at one corner or at all corners."""
    choice = rng.random()
    if len(line) < 4 or choice < 0.88:
        return [line]
    if len(line) < 8 and choice < 0.92:
        return [line[corner : corner + 2] for corner in range(len(line) - 1)]
    corner = rng.integers(1, len(line) - 1)
    return [line[: corner + 1], line[corner:]]


def choose_hand(rng: np.random.Generator, sloppiness: float) -> Callable[[Line], Line]:
    """Chooses the parameters of a hand.

    Args:
      rng: Source of randomness, now and for each line.
      sloppiness: See `draw_sloppiness`.

    Returns:
      A function that converts a line to a stroke in pixels.
    """
    rounding = 1 + int(rng.exponential(1 + sloppiness))  # in steps
    point_distance = 0.08 * rng.lognormal(0.3 * sloppiness, 0.5)  # in units
    scale = rng.uniform(80, 250) * np.exp(0.08j * (1 + sloppiness) * rng.normal())
    slant = 0.05 * (1 + sloppiness) * _sample_points(rng, 1)

    def draw_stroke(line: Line) -> Line:
        line = _miss_end(_resample(line, _STEP), rng, 0.04 * sloppiness)
        line = _round_corners(line, rounding)
        line = line + 0.04 * sloppiness * _sample_tremor(len(line), rng)
        line = _resample(line, point_distance, _TURN_COST)
        line = line + 0.006 * _sample_points(rng, len(line))
        return scale * (line + slant * line.conj())

    return draw_stroke


def _resample(line: Line, step: float, turn_cost: float = 0.0) -> Line:
    """Resamples a line to points of equal distance.

    Args:
      line: The line.
      step: Approximate distance of the points.
      turn_cost: Distance that is added for a turn by one radian.
    """
    deltas = np.diff(line)
    distances = np.abs(deltas)
    if turn_cost:
        turns = np.abs(np.angle(deltas[1:] * deltas[:-1].conj()))
        distances[1:] += turn_cost * turns
    cumulative = np.append(0, np.cumsum(distances))
    targets = np.linspace(0, cumulative[-1], 2 + int(cumulative[-1] / step))
    return np.interp(targets, cumulative, line)


def _miss_end(line: Line, rng: np.random.Generator, scale: float) -> Line:
    """Ends before or after the end of the line, by about `scale` of its length."""
    count = max(round(len(line) * (1 + scale * rng.normal())), 2)
    if _is_closed(line):
        return line[np.arange(count) % (len(line) - 1)]
    overshoot = np.arange(1, count - len(line) + 1) * (line[-1] - line[-2])
    return np.append(line, line[-1] + overshoot)[:count]


def _round_corners(line: Line, window: int) -> Line:
    """Applies a moving average; the ends are padded."""
    padded = np.pad(line, window // 2, "edge")
    return np.convolve(padded, np.full(window, 1 / window), "valid")


def _sample_tremor(count: int, rng: np.random.Generator) -> Line:
    """Samples a slow drift of size 1: the sum of three rotations."""
    turns = _STEP * np.outer(np.arange(count), rng.normal(0, 0.35, 3))
    return np.exp(1j * TAU * turns) @ _sample_points(rng, 3)
