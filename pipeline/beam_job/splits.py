"""Where a drawing goes: its split, its shard, its place there.

All of it is read off one keyed hash of the drawing's key, so it depends on the key
and the seed alone: not on what else is in the data, the order of reading or the
number of workers. BLAKE2b is the same on every machine and Python version, unlike
`hash()`. To change it is to move every drawing of every data set: a major version.
"""

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

_SCALE = 1 << 64


class Places(NamedTuple):
    """Where n drawings go.

    Attributes:
      split: `<int64>[n]`, which of the splits, in their order.
      shard: `<int64>[n]`, number of the shard in the split.
      rank: `<int64>[n]`, decides who stays under a cap per class; the smallest do.
      order: n strings of 16 bytes that sort the drawings of a shard; no two keys
        share one.
    """

    split: np.ndarray
    shard: np.ndarray
    rank: np.ndarray
    order: list[bytes]


class Placement:
    """Maps keys to places, for one seed and one set of splits."""

    def __init__(self, splits: Mapping[str, float], num_shards: int, seed: int):
        # The last one takes what rounding leaves over.
        self._bounds = list(itertools.accumulate(splits.values()))[:-1]
        self._num_shards = num_shards
        self._keyed = hashlib.blake2b(digest_size=40, key=str(seed).encode())

    def of(self, keys: Sequence[str]) -> Places:
        """Places the drawings with these keys."""
        digests = [self._digest(key) for key in keys]
        numbers = np.frombuffer(b"".join(digests), ">u8").reshape(-1, 5)
        split, shard, rank = numbers[:, :3].astype(np.uint64).T
        return Places(
            split=np.searchsorted(self._bounds, split / _SCALE, side="right"),
            shard=(shard % np.uint64(self._num_shards)).astype(np.int64),
            rank=(rank >> np.uint64(1)).astype(np.int64),  # fits a signed integer
            order=[digest[24:] for digest in digests],
        )

    def _digest(self, key: str) -> bytes:
        hasher = self._keyed.copy()
        hasher.update(key.encode())
        return hasher.digest()
