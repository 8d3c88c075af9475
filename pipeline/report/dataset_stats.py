"""Statistics of a stream of drawings, in bounded memory.

All drawings are counted. Rasterizing is slow, so only a random sample of each class is
rasterized.
"""

import collections
import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from pipeline.rasterize import SIDE, rasterize


class DrawingSummary(NamedTuple):
    """What the statistics need of a drawing.

    Attributes:
      word: Class name.
      split: Name of the split, or "" if there are none.
      countrycode: Country code, or "" if unknown.
      recognized: 1, 0, or -1 if unknown.
      points: `<uint8>[T, 3]`, rows (x, y, pen); None for a bitmap.
      bitmap: `<uint8>[28, 28]`, white on black; None for strokes.
    """

    word: str
    split: str
    countrycode: str
    recognized: int
    points: np.ndarray | None = None
    bitmap: np.ndarray | None = None

    def pixels(self) -> np.ndarray:
        """Returns the drawing as a bitmap, `<uint8>[28, 28]`."""
        if self.bitmap is not None:
            return self.bitmap
        assert self.points is not None, "a drawing has points or a bitmap"
        return rasterize(self.points)


class Distribution:
    """Counts of integers, with exact quantiles."""

    def __init__(self) -> None:
        self.counts: collections.Counter[int] = collections.Counter()

    def __bool__(self) -> bool:
        return bool(self.counts)

    def add(self, value: int) -> None:
        """Counts a value."""
        self.counts[value] += 1

    def sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the sorted values, `<int64>[n]`, and their counts, `<int64>[n]`."""
        items = np.array(sorted(self.counts.items()), np.int64).reshape(-1, 2)
        return items[:, 0], items[:, 1]

    def quantile(self, share: float) -> int:
        """Returns the smallest value that at least this share does not exceed."""
        values, counts = self.sorted()
        cumulative = np.cumsum(counts)
        return int(values[np.searchsorted(cumulative, share * cumulative[-1])])


def merge(distributions: Iterable[Distribution]) -> Distribution:
    """Adds distributions up."""
    total = Distribution()
    for distribution in distributions:
        total.counts.update(distribution.counts)
    return total


class ClassStats:
    """Statistics of one class.

    Attributes:
      by_split: Number of drawings per split.
      by_recognized: Number of drawings per value of `recognized`.
      points: Points per drawing.
      strokes: Strokes per drawing.
      sample: Random sample of the drawings, in random order.
    """

    def __init__(self, seed: str):
        """Creates empty statistics.

        Args:
          seed: Seed of the sample.
        """
        self.by_split: collections.Counter[str] = collections.Counter()
        self.by_recognized: collections.Counter[int] = collections.Counter()
        self.points = Distribution()
        self.strokes = Distribution()
        self.sample: list[DrawingSummary] = []
        self._random = random.Random(seed)

    @property
    def num_drawings(self) -> int:
        """Number of drawings."""
        return self.by_split.total()

    def add(self, drawing: DrawingSummary, sample_size: int) -> None:
        """Counts a drawing and samples all drawings with equal probability."""
        self.by_split[drawing.split] += 1
        self.by_recognized[drawing.recognized] += 1
        # Reservoir sampling, https://en.wikipedia.org/wiki/Reservoir_sampling.
        index = self._random.randrange(self.num_drawings)
        if len(self.sample) < sample_size:
            self.sample.append(drawing)
            self.sample[index], self.sample[-1] = drawing, self.sample[index]
        elif index < sample_size:
            self.sample[index] = drawing


class DatasetStats:
    """Statistics of all drawings.

    Attributes:
      classes: Statistics of each class by its name.
      countries: Number of drawings per country code; "" if unknown.
      ink: Length of the strokes of a drawing in pixels of the 256-pixel box.
    """

    def __init__(self, sample_size: int, seed: int):
        """Creates empty statistics.

        Args:
          sample_size: Number of drawings per class to sample.
          seed: Seed of the samples.

        Raises:
          ValueError: `sample_size` is less than 1.
        """
        if sample_size < 1:
            raise ValueError(f"sample_size must be ≥ 1. Received: {sample_size}")
        self.classes: dict[str, ClassStats] = {}
        self.countries: collections.Counter[str] = collections.Counter()
        self.ink = Distribution()
        self._sample_size = sample_size
        self._seed = seed

    @property
    def num_drawings(self) -> int:
        """Number of drawings."""
        return sum(stats.num_drawings for stats in self.classes.values())

    @property
    def points(self) -> Distribution:
        """Points per drawing."""
        return merge(stats.points for stats in self.classes.values())

    @property
    def strokes(self) -> Distribution:
        """Strokes per drawing."""
        return merge(stats.strokes for stats in self.classes.values())

    @property
    def by_recognized(self) -> collections.Counter[int]:
        """Number of drawings per value of `recognized`."""
        return sum(
            (stats.by_recognized for stats in self.classes.values()),
            collections.Counter(),
        )

    def add(self, drawing: DrawingSummary) -> None:
        """Counts a drawing."""
        stats = self.classes.get(drawing.word)
        if stats is None:
            stats = ClassStats(f"{self._seed} {drawing.word}")
            self.classes[drawing.word] = stats
        stats.add(drawing, self._sample_size)
        self.countries[drawing.countrycode] += 1
        if drawing.points is not None:
            stats.points.add(len(drawing.points))
            stats.strokes.add(int(np.count_nonzero(drawing.points[:, 2])))
            self.ink.add(round(compute_ink_length(drawing.points)))


def compute_ink_length(points: np.ndarray) -> float:
    """Computes the length of the strokes in pixels, without pen-up movements.

    Args:
      points: `<uint8>[T, 3]`, rows (x, y, pen).
    """
    deltas = np.diff(points[:, :2].astype(np.float32), axis=0)
    pen_down = points[:-1, 2] == 0
    return float(np.hypot(deltas[:, 0], deltas[:, 1])[pen_down].sum())


class BitmapStats(NamedTuple):
    """Statistics of the bitmaps of the sampled drawings.

    Attributes:
      num_drawings: Number of bitmaps.
      means: Mean bitmap of each class, `<float64>[28, 28]`, by its name.
      gray_values: Number of pixels of each gray value, `<int64>[256]`.
    """

    num_drawings: int
    means: dict[str, np.ndarray]
    gray_values: np.ndarray


def compute_bitmap_stats(stats: DatasetStats) -> Iterator[BitmapStats]:
    """Rasterizes the samples; yields the statistics so far after each class."""
    num_drawings = 0
    means = {}
    gray_values = np.zeros(256, np.int64)
    for word, class_stats in sorted(stats.classes.items()):
        total = np.zeros((SIDE, SIDE))
        for drawing in class_stats.sample:
            pixels = drawing.pixels()
            total += pixels
            gray_values += np.bincount(pixels.ravel(), minlength=256)
        means[word] = total / len(class_stats.sample)
        num_drawings += len(class_stats.sample)
        yield BitmapStats(num_drawings, means, gray_values)
