"""The cap per class: the drawings with the smallest ranks are kept.

A rank depends on the drawing's key and the seed only, so a larger cap only adds
drawings. Each worker keeps the smallest ranks of the drawings it parsed, 8 bytes each.
"""

import collections
from collections.abc import Iterable

import numpy as np

_MAX_RANK = np.iinfo(np.int64).max


def smallest_ranks(
    arrays: Iterable[np.ndarray], count: int, distinct: bool
) -> np.ndarray:
    """Returns the `count` + 1 smallest ranks of `<int64>[n]` arrays, sorted.

    The extra rank tells `find_max_rank` whether the class has more drawings. The
    function is associative, so that Beam may combine its results in any grouping.

    Args:
      arrays: ranks of the drawings of one class.
      count: the cap.
      distinct: counts drawings with the same rank, which share a key, as one.
    """
    joined = np.concatenate([*arrays, np.empty(0, np.int64)])
    return (np.unique(joined) if distinct else np.sort(joined))[: count + 1]


class RunningCap:
    """Tells which drawings the cap excludes in any case, before they are shuffled.

    If a worker has parsed more than `count` drawings of a class with smaller ranks, a
    drawing is excluded whatever other workers parse. Ranks are counted once even if
    duplicates are kept: Beam may run a step again, with the same drawings.

    Args:
      count: the cap.
    """

    def __init__(self, count: int):
        self._count = count
        self._smallest: dict[str, np.ndarray] = {}
        self._new: dict[str, list[np.ndarray]] = collections.defaultdict(list)
        self._limits: dict[str, int] = {}

    def may_keep(self, word: str, ranks: np.ndarray) -> np.ndarray:
        """Returns `<bool>[n]`: False for drawings that the cap excludes.

        Args:
          word: the class.
          ranks: `<int64>[n]`, ranks of drawings of the class.
        """
        is_within = ranks <= self._limits.get(word, _MAX_RANK)
        new = self._new[word]
        new.append(ranks[is_within])
        # Merging is expensive, so the limit is lowered now and then only.
        if sum(map(len, new)) > self._count:
            known = self._smallest.get(word, np.empty(0, np.int64))
            smallest = smallest_ranks([known, *new], self._count, distinct=True)
            self._smallest[word] = smallest
            new.clear()
            if len(smallest) > self._count:
                self._limits[word] = int(smallest[-1])
        return is_within


def find_max_rank(ranks: np.ndarray, count: int) -> int | None:
    """Returns the largest rank that the cap keeps, or None if it keeps all.

    Drawings that share a key share a rank: if not all of them fit, none is kept.

    Args:
      ranks: the result of `smallest_ranks`.
      count: the cap.
    """
    if len(ranks) <= count:
        return None
    below = ranks[ranks < ranks[count]]
    return int(below[-1]) if len(below) else -1
