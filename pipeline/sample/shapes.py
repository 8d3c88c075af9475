"""Ideal shapes of the words.

Points are complex numbers x + iy, with y downwards. A line is `<complex128>[points]`;
a closed line ends at its first point. A shape is about 2 units in size. The mirror
image of a point z is `-z.conjugate()`.
"""

from collections.abc import Callable

import numpy as np

Line = np.ndarray

TAU = 2 * np.pi


def draw_shape(word: str, rng: np.random.Generator) -> list[Line]:
    """Draws the lines of a word, with random proportions and details.

    Raises:
      ValueError: The word is not in `CLASSES`.
    """
    check_word(word)
    return _SHAPES[word](rng)


def check_word(word: str) -> None:
    """Raises ValueError if a word is not in `CLASSES`."""
    if word not in _SHAPES:
        raise ValueError(
            f"word must be one of {', '.join(CLASSES)}. Received: {word!r}"
        )


def _line(*points: complex) -> Line:
    return np.array(points, np.complex128)


def _polygon(corners: int, first: float = 0.0) -> Line:
    """Returns a regular polygon of radius 1.

    Args:
      corners: Number of corners.
      first: Angle of the first corner, as a fraction of a turn.
    """
    polygon = np.exp(1j * TAU * (first + np.arange(corners) / corners))
    return np.append(polygon, polygon[0])


def _ellipse(rng: np.random.Generator, radius: float = 1.0) -> Line:
    circle = _polygon(24, -0.25)
    return radius * (circle + 0.07 * rng.normal() * circle.conj())


def _rectangle(corner: complex) -> Line:
    """Returns a rectangle around the origin with this lower right corner."""
    return _line(-corner, corner.conjugate(), corner, -corner.conjugate(), -corner)


def _star_outline(points: int, depth: float) -> Line:
    """Returns the outline of a star whose inner radius is 1 − `depth`."""
    outline = _polygon(2 * points, -0.25)
    outline[1::2] *= 1 - depth
    return outline


def _clock(rng: np.random.Generator) -> list[Line]:
    minute, hour = rng.uniform([0.5, 0.3], [0.9, 0.6]) * rng.choice(_polygon(60), 2)
    one_line, two_lines = [_line(minute, 0, hour)], [_line(0, minute), _line(0, hour)]
    hands = one_line if rng.random() < 0.5 else two_lines
    ends = _polygon(rng.choice([4, 12]))[:-1] if rng.random() < 0.35 else ()
    marks = [_line(end, 0.85 * end) for end in ends]
    return [_ellipse(rng), *hands, *marks]


def _envelope(rng: np.random.Generator) -> list[Line]:
    right = complex(1, -rng.uniform(0.5, 0.85))
    left = -right.conjugate()
    fold = 1j * right.imag * rng.uniform(-0.4, 0.5)
    creases = [[_line(left, fold, right)]] * 4 + [
        [_line(left, -left), _line(right, -right)],
        [_line(left, fold, right), _line(-right, fold), _line(-left, fold)],
    ]
    return [_rectangle(right), *creases[rng.integers(6)]]


def _flower(rng: np.random.Generator) -> list[Line]:
    petals, radius = int(rng.integers(4, 9)), rng.uniform(0.2, 0.4)
    petal_radius = (1 - radius) / 2
    circles = [
        _ellipse(rng, petal_radius) + (1 - petal_radius) * direction
        for direction in _polygon(petals)[:-1]
    ]
    circle = _polygon(8 * petals)
    outline = circle * (0.6 + 0.4 * np.abs(np.sin(np.angle(circle) * petals / 2)))
    stem = [_line(1j, 2.2j)] if rng.random() < 0.5 else []
    center = _ellipse(rng, radius)
    return [center, *(circles if rng.random() < 0.5 else [outline]), *stem]


def _house(rng: np.random.Generator) -> list[Line]:
    wall = complex(rng.uniform(0.6, 0.9), rng.uniform(0.4, 0.8))
    right = wall.conjugate() + rng.choice([0.0, 0.25])
    left, top = -right.conjugate(), 1j * (right.imag - rng.uniform(0.4, 0.9))
    if rng.random() < 0.2:
        return [_line(left, top, right, wall, -wall.conjugate(), left)]
    roof = _line(left, top, right, *[left] * rng.integers(2))
    foot = complex(0.15, wall.imag)
    door = [_line(-foot.conjugate(), -0.15, 0.15, foot)] if rng.random() < 0.6 else []
    has_window = rng.random() < 0.25
    window = [_rectangle(0.15 + 0.15j) + wall.real / 2] if has_window else []
    return [_rectangle(wall), roof, *door, *window]


def _hurricane(rng: np.random.Generator) -> list[Line]:
    turns, variant = rng.uniform(2, 5), rng.random()
    progress = np.linspace(0, 1, int(20 * turns))
    spiral = np.exp(1j * TAU * turns * progress * rng.choice([-1, 1]))
    if variant < 0.2:
        funnel = (1 - 0.8 * progress) * spiral.real
        return [funnel + 1j * (2 * progress - 1 + 0.15 * spiral.imag)]
    if variant < 0.4:
        return [spiral * (0.9 + 0.1 * np.sin(9 * progress))]
    return [spiral * (0.1 + 0.9 * progress)]


def _smiley_face(rng: np.random.Generator) -> list[Line]:
    right = complex(rng.uniform(0.25, 0.45), -rng.uniform(0.2, 0.4))
    eye = (_ellipse(rng, 0.1), _line(0, 0.05), _line(0, 0.25j))[rng.integers(3)]
    mouth = 0.1j + rng.uniform(0.4, 0.7) * _polygon(24)[2:11]
    return [_ellipse(rng), eye - right.conjugate(), eye + right, mouth]


def _star(rng: np.random.Generator) -> list[Line]:
    pentagram = _polygon(5, -0.25)[[0, 2, 4, 1, 3, 0]]
    outline = _star_outline(rng.choice([4, 5, 5, 5, 6]), rng.uniform(0.4, 0.65))
    return [pentagram if rng.random() < 0.6 else outline]


def _sun(rng: np.random.Generator) -> list[Line]:
    radius = rng.uniform(0.35, 0.65)
    if rng.random() < 0.12:
        disc = _ellipse(rng, radius)
        return [disc, _star_outline(int(rng.integers(6, 12)), rng.uniform(0.2, 0.4))]
    directions = _polygon(int(rng.integers(5, 13)), rng.random())[:-1]
    inner = radius * rng.uniform(0.95, 1.3)
    rays = [_line(inner * direction, direction) for direction in directions]
    return [_ellipse(rng, radius), *rays]


def _triangle(rng: np.random.Generator) -> list[Line]:
    top = complex(0.3 * rng.normal(), -rng.uniform(0.3, 1.2))
    return [_line(top, 1 + 0.7j, -1 + 0.7j, top)]


_SHAPES: dict[str, Callable[[np.random.Generator], list[Line]]] = {
    "circle": lambda rng: [_ellipse(rng)],
    "clock": _clock,
    "envelope": _envelope,
    "flower": _flower,
    "hexagon": lambda rng: [_polygon(6, rng.choice([-0.25, 0.0]))],
    "house": _house,
    "hurricane": _hurricane,
    "smiley face": _smiley_face,
    "square": lambda rng: [_rectangle(complex(1, rng.uniform(0.75, 1.05)))],
    "star": _star,
    "sun": _sun,
    "triangle": _triangle,
}

CLASSES = tuple(_SHAPES)
"""Words with a shape, in alphabetical order."""
