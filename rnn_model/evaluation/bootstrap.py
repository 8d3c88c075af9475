"""Poisson bootstrap: confidence intervals of metrics over a stream of drawings.

In each replicate, a drawing is counted as often as a Poisson variable of mean 1 says.
The sums of all replicates are accumulated as the drawings are read, so no drawing is
kept in memory. See Chamandy et al., "Estimating Uncertainty for Massive Data Streams",
https://research.google/pubs/estimating-uncertainty-for-massive-data-streams.

The Poisson variable is derived from a hash of the drawing's key. It does not depend on
the run, the batch size or the order, so differences between runs are paired.
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np

REPLICATES = 1000
COLUMNS = 1 + REPLICATES
"""Columns of weights: first the drawings, each counted once, then the replicates."""

QUANTILES = (0.025, 0.975)
"""Quantiles of the replicates at the ends of a 95 % interval."""

_NUMBERS_PER_HASH = 4
"""16-bit numbers in a 64-bit hash."""


def hash_keys(keys: Sequence[bytes], seed: int) -> np.ndarray:
    """Hashes drawing keys to `<uint64>[n]`; each seed gives other hashes."""
    seeded = hashlib.blake2b(digest_size=8, key=f"evaluate {seed}".encode())
    digests = []
    for key in keys:
        hasher = seeded.copy()
        hasher.update(key)
        digests.append(hasher.digest())
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def poisson_weights(hashes: np.ndarray) -> np.ndarray:
    """Computes the weights of drawings in all replicates.

    Args:
      hashes: `<uint64>[n]` from `hash_keys`.

    Returns:
      `<float32>[n, COLUMNS]`; the first column is 1.
    """
    streams = np.arange(1, REPLICATES // _NUMBERS_PER_HASH + 1, dtype=np.uint64)
    mixed = _splitmix64(hashes[:, None] + streams * np.uint64(0x9E3779B97F4A7C15))
    weights = np.empty((len(hashes), COLUMNS), np.float32)
    weights[:, 0] = 1
    # mode="clip" skips the bounds check, which would double the time.
    np.take(_POISSON_TABLE, mixed.view(np.uint16), out=weights[:, 1:], mode="clip")
    return weights


def confidence_interval(values: np.ndarray) -> tuple[float, float]:
    """Computes the 95 % percentile interval of a metric.

    The interval always contains the estimate. The replicates of a biased metric, such
    as a calibration error, may all lie on one side of it.

    Args:
      values: `<float64>[COLUMNS]`, the estimate and its replicates.
    """
    if np.isnan(values[0]):
        return math.nan, math.nan
    low, high = np.nanquantile(values[1:], QUANTILES)
    return float(min(low, values[0])), float(max(high, values[0]))


def _splitmix64(x: np.ndarray) -> np.ndarray:
    """Mixes the bits of `<uint64>` numbers in place.

    The finalizer of splitmix64, https://prng.di.unimi.it/splitmix64.c.
    """
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x ^= x >> np.uint64(shift)
        x *= np.uint64(factor)
    x ^= x >> np.uint64(31)
    return x


def _make_poisson_table() -> np.ndarray:
    """Maps each 16-bit number to a Poisson number of mean 1, `<float32>[65536]`."""
    cumulative = np.cumsum([math.exp(-1) / math.factorial(k) for k in range(12)])
    midpoints = (np.arange(1 << 16) + 0.5) / (1 << 16)
    return np.searchsorted(cumulative, midpoints).astype(np.float32)


_POISSON_TABLE = _make_poisson_table()
