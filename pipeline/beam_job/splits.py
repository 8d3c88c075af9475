"""The split, the shard and the position of a drawing, computed from its key.

They come from one keyed hash, so they depend on the drawing's key and the seed only:
not on the other drawings, the order of reading or the number of workers. BLAKE2b gives
the same result on every machine and in every Python version, unlike `hash()`. A change
here moves every drawing of every data set and needs a new major version.
"""

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

_MAX_HASH = 1 << 64


class Assignment(NamedTuple):
    """Where n drawings belong.

    Attributes:
      split: `<int64>[n]`, index of the split.
      shard: `<int64>[n]`, index of the shard within the split.
      rank: `<int64>[n]`; the cap per class keeps the smallest ranks.
      sort_key: n strings of 16 bytes, the order of the drawings within a shard;
        different drawing keys have different sort keys.
    """

    split: np.ndarray
    shard: np.ndarray
    rank: np.ndarray
    sort_key: list[bytes]

    def select(self, keep: np.ndarray) -> "Assignment":
        """Returns the assignments of the drawings where `<bool>[n]` is True."""
        columns = (self.split[keep], self.shard[keep], self.rank[keep])
        return Assignment(*columns, list(itertools.compress(self.sort_key, keep)))


class SplitAssigner:
    """Assigns drawings to splits and shards, for one seed."""

    def __init__(self, splits: Mapping[str, float], num_shards: int, seed: int):
        # The last split gets what rounding leaves.
        self._bounds = list(itertools.accumulate(splits.values()))[:-1]
        self._num_shards = num_shards
        self._keyed_hash = hashlib.blake2b(digest_size=40, key=str(seed).encode())

    def assign(self, keys: Sequence[str]) -> Assignment:
        """Assigns the drawings with these keys."""
        digests = [self._hash(key) for key in keys]
        numbers = np.frombuffer(b"".join(digests), ">u8").reshape(-1, 5)
        split, shard, rank = numbers[:, :3].astype(np.uint64).T
        return Assignment(
            split=np.searchsorted(self._bounds, split / _MAX_HASH, side="right"),
            shard=(shard % np.uint64(self._num_shards)).astype(np.int64),
            rank=(rank >> np.uint64(1)).astype(np.int64),  # fits a signed integer
            sort_key=[digest[24:] for digest in digests],
        )

    def _hash(self, key: str) -> bytes:
        hasher = self._keyed_hash.copy()
        hasher.update(key.encode())
        return hasher.digest()
