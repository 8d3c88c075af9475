"""Two runs beside each other, on the same drawings."""

import math
from typing import NamedTuple

import numpy as np

from rnn_model.evaluation.example_gallery import Gallery
from rnn_model.evaluation.metrics import Judged

EXACT = 1000
"""Up to so many drawings that one run alone gets, McNemar's test is the exact one."""


class McNemar(NamedTuple):
    """What the test gives: its p-value, and which form of it was taken."""

    p_value: float
    exact: bool


class Pair:
    """What is kept of two runs.

    Attributes:
      both, only_first, only_second, neither: drawings that were guessed right.
      first_gets, second_gets: drawings that one gets and the other does not; those
        where the two are surest.
    """

    def __init__(self, num_classes: int, per_class: int):
        self.both = self.only_first = self.only_second = self.neither = 0
        self.first_gets = Gallery(num_classes, per_class)
        self.second_gets = Gallery(num_classes, per_class)

    def add(self, first: Judged, second: Judged) -> None:
        """Counts drawings, judged in the same order."""
        pairs = 2 * first.right + second.right
        counts = np.bincount(pairs, minlength=4).tolist()
        self.neither += counts[0]
        self.only_second += counts[1]
        self.only_first += counts[2]
        self.both += counts[3]

    def test(self) -> McNemar:
        return mcnemar(self.only_first, self.only_second)


def surer(gets: Judged, misses: Judged) -> np.ndarray:
    """Scores for `Gallery`: `<float64>[n]`, -inf unless one gets it alone."""
    alone = gets.right & ~misses.right
    return np.where(alone, gets.own - misses.own, -np.inf)


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """Whether two runs are right equally often: McNemar's test, two-sided.

    Of few drawings the exact binomial test; of more the chi-square approximation with
    Edwards's correction for continuity, `(|b - c| - 1)² / (b + c)`, of one degree of
    freedom (https://en.wikipedia.org/wiki/McNemar%27s_test).

    Args:
      only_first, only_second: drawings that one of them alone gets right.
    """
    number = only_first + only_second
    if number <= EXACT:
        ways = sum(
            math.comb(number, k) for k in range(min(only_first, only_second) + 1)
        )
        return McNemar(min(1.0, 2 * ways / 2**number), True)
    square = max(abs(only_first - only_second) - 1, 0) ** 2 / number
    return McNemar(math.erfc(math.sqrt(square / 2)), False)
