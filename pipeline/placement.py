"""Where a drawing goes: its split, its shard, its place there.

All of it is read off one keyed hash of the drawing's key, so it depends on the key
and the seed alone: not on what else is in the data, the order of reading or the
number of workers. BLAKE2b is the same on every machine and Python version, unlike
`hash()`. To change it is to move every drawing of every data set: a major version.
"""

import bisect
import hashlib
import itertools
import struct
from collections.abc import Mapping
from typing import NamedTuple

_SCALE = 1 << 64


class Place(NamedTuple):
    """Where a drawing goes.

    Attributes:
      split: name of the split.
      shard: number of the shard in the split.
      order: sorts the drawings of a shard; no two keys share it.
      rank: decides who stays under a cap per class; the smallest do.
    """

    split: str
    shard: int
    order: bytes
    rank: int


class Placement:
    """Maps keys to places, for one seed and one set of splits."""

    def __init__(self, splits: Mapping[str, float], num_shards: int, seed: int):
        self._names = list(splits)
        # The last one takes what rounding leaves over.
        self._bounds = list(itertools.accumulate(splits.values()))[:-1]
        self._num_shards = num_shards
        self._salt = str(seed).encode()

    def of(self, key_id: str) -> Place:
        """Places the drawing with this key."""
        digest = hashlib.blake2b(
            key_id.encode(), digest_size=40, key=self._salt
        ).digest()
        split, shard, rank = struct.unpack_from(">QQQ", digest)
        return Place(
            split=self._names[bisect.bisect_right(self._bounds, split / _SCALE)],
            shard=shard % self._num_shards,
            order=digest[24:],
            rank=rank >> 1,  # Beam codes integers as signed ones of 64 bits
        )
