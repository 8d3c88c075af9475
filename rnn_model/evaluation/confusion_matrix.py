"""Which classes are taken for which: the matrix, its order, the worst of it."""

from typing import NamedTuple

import numpy as np


class Confused(NamedTuple):
    """Drawings of a class that were taken for another: how many, and which share."""

    drawn: int
    guessed: int
    drawings: int
    share: float


class Confusion:
    """Counts guesses: `matrix <int64>[drawn, guessed]`."""

    def __init__(self, num_classes: int):
        self.matrix = np.zeros((num_classes, num_classes), np.int64)

    def add(self, label: np.ndarray, guess: np.ndarray) -> None:
        """Adds drawings: classes and first guesses `<int64>[n]`."""
        np.add.at(self.matrix, (label, guess), 1)

    def shares(self) -> np.ndarray:
        """Of each class's drawings, `<float64>[drawn, guessed]`; 0 without drawings."""
        return self.matrix / np.maximum(self.matrix.sum(axis=1, keepdims=True), 1)

    def most_confused(self, count: int) -> list[Confused]:
        """The pairs with most drawings, the most first."""
        wrong = self.matrix * (1 - np.eye(len(self.matrix), dtype=np.int64))
        order = np.argsort(-wrong, axis=None, kind="stable")[:count]
        shares = self.shares()
        pairs = [divmod(place, len(wrong)) for place in order.tolist()]
        return [
            Confused(a, b, int(wrong[a, b]), float(shares[a, b]))
            for a, b in pairs
            if wrong[a, b]
        ]


def clustered(shares: np.ndarray) -> list[int]:
    """An order of the classes that puts those that are confused side by side.

    Agglomerative clustering by average linkage
    (https://en.wikipedia.org/wiki/UPGMA); of two clusters that are joined, the ends
    that are confused most meet.

    Args:
      shares: `<float64>[classes, classes]`, as of `Confusion.shares`.
    """
    alike = shares + shares.T
    near = alike.copy()
    np.fill_diagonal(near, -1.0)
    members = {place: [place] for place in range(len(near))}
    while len(members) > 1:
        one, other = divmod(int(near.argmax()), len(near))
        sizes = len(members[one]), len(members[other])
        members[one] = _join(members[one], members.pop(other), alike)
        mean = (near[one] * sizes[0] + near[other] * sizes[1]) / sum(sizes)
        mean[[one, other]] = -1.0
        near[one], near[:, one] = mean, mean
        near[other], near[:, other] = -1.0, -1.0
        gone = [place for place in range(len(near)) if place not in members]
        near[one, gone] = near[gone, one] = -1.0
    return next(iter(members.values()))


def _join(some: list[int], others: list[int], alike: np.ndarray) -> list[int]:
    ways = [(a, b) for a in (some, some[::-1]) for b in (others, others[::-1])]
    first, second = max(ways, key=lambda way: alike[way[0][-1], way[1][0]])
    return first + second
