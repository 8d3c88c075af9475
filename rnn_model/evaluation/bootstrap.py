"""How sure a metric is: the Poisson bootstrap, for drawings that stream by.

A replicate counts each drawing as often as a Poisson number of mean 1 says, so it can
be added up as the drawings come, and nothing of them is kept. After Chamandy and
others, "Estimating Uncertainty for Massive Data Streams",
https://research.google/pubs/estimating-uncertainty-for-massive-data-streams.

The number comes from a hash of the drawing's key, so it is the same for every run,
batch size and order: differences of two runs are paired.
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np

REPLICATES = 1000
COLUMNS = 1 + REPLICATES
"""The drawings themselves, each once, and then the replicates."""

INTERVAL = (0.025, 0.975)
"""Shares of the replicates that lie below a 95 % interval's ends."""

_PER_HASH = 4
"""Numbers of 16 bits in a hash of 64."""


def hashes(keys: Sequence[bytes], seed: int) -> np.ndarray:
    """Hashes keys to `<uint64>[n]`; another seed gives other numbers."""
    keyed = hashlib.blake2b(digest_size=8, key=f"evaluate {seed}".encode())
    digests = []
    for key in keys:
        hasher = keyed.copy()
        hasher.update(key)
        digests.append(hasher.digest())
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def weights(hashed: np.ndarray) -> np.ndarray:
    """How often each drawing counts: hashes `<uint64>[n]` → `<float32>[n, COLUMNS]`."""
    streams = np.arange(1, REPLICATES // _PER_HASH + 1, dtype=np.uint64)
    mixed = _scramble(hashed[:, None] + streams * np.uint64(0x9E3779B97F4A7C15))
    counts = np.empty((len(hashed), COLUMNS), np.float32)
    counts[:, 0] = 1
    # No number is out of range; to look for one costs as much again.
    np.take(_POISSON, mixed.view(np.uint16), out=counts[:, 1:], mode="clip")
    return counts


def interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a metric, by percentiles of its replicates.

    It holds the estimate itself: that of a calibration error, which noise makes only
    larger, can lie outside of what noise upon noise makes of it.

    Args:
      values: `<float64>[COLUMNS]`, the estimate first.
    """
    if np.isnan(values[0]):
        return math.nan, math.nan
    low, high = np.nanquantile(values[1:], INTERVAL)
    return float(min(low, values[0])), float(max(high, values[0]))


def _scramble(x: np.ndarray) -> np.ndarray:
    """Hashes `<uint64>` numbers to others, in place.

    The end of "splitmix64", https://prng.di.unimi.it/splitmix64.c.
    """
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x ^= x >> np.uint64(shift)
        x *= np.uint64(factor)
    x ^= x >> np.uint64(31)
    return x


def _poisson_table() -> np.ndarray:
    """The Poisson number of mean 1 for each number of 16 bits, `<float32>[65536]`."""
    up_to = np.cumsum([math.exp(-1) / math.factorial(k) for k in range(12)])
    middles = (np.arange(1 << 16) + 0.5) / (1 << 16)
    return np.searchsorted(up_to, middles).astype(np.float32)


_POISSON = _poisson_table()
