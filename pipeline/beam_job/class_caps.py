"""The cap per class: the drawings with the smallest ranks are kept.

A rank depends on the drawing's key and the seed only, so a larger cap only adds
drawings. Each worker keeps the smallest ranks of the drawings it parsed, 8 bytes each.
"""

from collections.abc import Iterable

import numpy as np


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
