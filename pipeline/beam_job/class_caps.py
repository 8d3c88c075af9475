"""The cap per class: which drawings stay is decided by their ranks alone.

The `count` drawings of a class with the smallest ranks stay, so a larger cap only
adds. To find them each worker keeps the smallest ranks that it has seen: eight bytes
for each drawing that may stay.
"""

from collections.abc import Iterable

import numpy as np


def smallest_ranks(
    arrays: Iterable[np.ndarray], count: int, distinct: bool
) -> np.ndarray:
    """Keeps the `count` + 1 smallest ranks of `<int64>[n]` arrays, sorted.

    One more than are wanted, so that `cap_of` knows whether there are more.
    """
    joined = np.concatenate([*arrays, np.empty(0, np.int64)])
    return (np.unique(joined) if distinct else np.sort(joined))[: count + 1]


def cap_of(ranks: np.ndarray, count: int) -> int | None:
    """The largest rank that stays, from `smallest_ranks`; None where all do.

    Drawings that share a key share a rank: where not all of them fit, none stays.
    """
    if len(ranks) <= count:
        return None
    below = ranks[ranks < ranks[count]]
    return int(below[-1]) if len(below) else -1
