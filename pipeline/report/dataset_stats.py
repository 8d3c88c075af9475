"""What is counted and kept of drawings that stream by, in bounded memory.

Numbers are counted of every drawing. Pictures cost more: a fixed number of drawings
is picked of each class, at random and with a seed, and only those are rasterised.
"""

import collections
import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from pipeline.rasterize import SIDE, rasterize


class Seen(NamedTuple):
    """A drawing that was come across.

    Attributes:
      word: the class's name.
      split: name of the split, empty where there are none.
      countrycode: empty where not known.
      recognized: 1, 0, or -1 where not known.
      points: `<uint8>[T, 3]`, rows (x, y, pen); None where the drawing is a bitmap.
      bitmap: `<uint8>[28, 28]`, white on black; None where there are points.
    """

    word: str
    split: str
    countrycode: str
    recognized: int
    points: np.ndarray | None = None
    bitmap: np.ndarray | None = None

    def pixels(self) -> np.ndarray:
        """The drawing as a bitmap, `<uint8>[28, 28]`."""
        return rasterize(self.points) if self.bitmap is None else self.bitmap


class Distribution:
    """How often each whole number occurred. Its quantiles are exact."""

    def __init__(self) -> None:
        self.counts: collections.Counter[int] = collections.Counter()

    def __bool__(self) -> bool:
        return bool(self.counts)

    def add(self, number: int) -> None:
        self.counts[number] += 1

    def sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """The numbers that occurred, `<int64>[n]`, and how often, `<int64>[n]`."""
        items = np.array(sorted(self.counts.items()), np.int64).reshape(-1, 2)
        return items[:, 0], items[:, 1]

    def quantile(self, share: float) -> int:
        """The smallest number that at least this share of all do not exceed."""
        numbers, counts = self.sorted()
        up_to = np.cumsum(counts)
        return int(numbers[np.searchsorted(up_to, share * up_to[-1])])


def merged(distributions: Iterable[Distribution]) -> Distribution:
    """Adds distributions up."""
    total = Distribution()
    for distribution in distributions:
        total.counts.update(distribution.counts)
    return total


class ClassSurvey:
    """What is known of one class.

    Attributes:
      by_split: drawings per split.
      by_recognized: drawings per value of `recognized`.
      points, strokes: per drawing.
      picked: the drawings that stand for the class, in random order.
    """

    def __init__(self, seed: str):
        self.by_split: collections.Counter[str] = collections.Counter()
        self.by_recognized: collections.Counter[int] = collections.Counter()
        self.points = Distribution()
        self.strokes = Distribution()
        self.picked: list[Seen] = []
        self._random = random.Random(seed)

    @property
    def drawings(self) -> int:
        return self.by_split.total()

    def add(self, seen: Seen, pictures: int) -> None:
        """Counts a drawing, and picks it with the chance that all others have."""
        self.by_split[seen.split] += 1
        self.by_recognized[seen.recognized] += 1
        # Reservoir sampling, https://en.wikipedia.org/wiki/Reservoir_sampling.
        place = self._random.randrange(self.drawings)
        if len(self.picked) < pictures:
            self.picked.append(seen)
            self.picked[place], self.picked[-1] = seen, self.picked[place]
        elif place < pictures:
            self.picked[place] = seen


class Survey:
    """What is known of all drawings.

    Attributes:
      classes: word to `ClassSurvey`.
      countries: drawings per country code; "" where not known.
      ink: length of the lines of a drawing, in sides of its box × 255.
    """

    def __init__(self, pictures: int, seed: int):
        """Makes an empty survey.

        Args:
          pictures: how many drawings of each class are picked.
          seed: decides which.

        Raises:
          ValueError: `pictures` below 1.
        """
        if pictures < 1:
            raise ValueError(f"pictures must be ≥ 1. Received: {pictures}")
        self.classes: dict[str, ClassSurvey] = {}
        self.countries: collections.Counter[str] = collections.Counter()
        self.ink = Distribution()
        self._pictures = pictures
        self._seed = seed

    @property
    def drawings(self) -> int:
        return sum(found.drawings for found in self.classes.values())

    @property
    def points(self) -> Distribution:
        return merged(found.points for found in self.classes.values())

    @property
    def strokes(self) -> Distribution:
        return merged(found.strokes for found in self.classes.values())

    def recognized(self) -> collections.Counter[int]:
        """Drawings per value of `recognized`."""
        return sum(
            (found.by_recognized for found in self.classes.values()),
            collections.Counter(),
        )

    def add(self, seen: Seen) -> None:
        """Takes a drawing."""
        found = self.classes.get(seen.word)
        if found is None:
            found = ClassSurvey(f"{self._seed} {seen.word}")
            self.classes[seen.word] = found
        found.add(seen, self._pictures)
        self.countries[seen.countrycode] += 1
        if seen.points is not None:
            found.points.add(len(seen.points))
            found.strokes.add(int(np.count_nonzero(seen.points[:, 2])))
            self.ink.add(round(ink_length(seen.points)))


def ink_length(points: np.ndarray) -> float:
    """Length of a drawing's lines, the way between strokes left out, in pixels.

    Args:
      points: `<uint8>[T, 3]`, rows (x, y, pen).
    """
    moves = np.diff(points[:, :2].astype(np.float32), axis=0)
    drawn = points[:-1, 2] == 0
    return float(np.hypot(moves[:, 0], moves[:, 1])[drawn].sum())


class Pictures(NamedTuple):
    """What the picked drawings look like.

    Attributes:
      count: how many were looked at.
      means: word to the mean grey value of each pixel, `<float64>[28, 28]`.
      grey_values: how many pixels have each grey value, `<int64>[256]`.
    """

    count: int
    means: dict[str, np.ndarray]
    grey_values: np.ndarray


def look(survey: Survey) -> Iterator[Pictures]:
    """Rasterises the picked drawings; yields what was found after each class."""
    count = 0
    means = {}
    grey_values = np.zeros(256, np.int64)
    for word, found in sorted(survey.classes.items()):
        total = np.zeros((SIDE, SIDE))
        for seen in found.picked:
            pixels = seen.pixels()
            total += pixels
            grey_values += np.bincount(pixels.ravel(), minlength=256)
        means[word] = total / len(found.picked)
        count += len(found.picked)
        yield Pictures(count, means, grey_values)
