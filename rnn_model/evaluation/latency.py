"""Latency of a model for single drawings."""

import statistics
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def measure_latency(predict: Callable[[Item], object], items: Iterable[Item]) -> float:
    """Measures the median time of a call.

    Args:
      predict: the function to time. It must return when the result is computed.
      items: arguments of the calls, at least one. Callers should have called `predict`
        before, so that tracing and caches do not count.

    Returns:
      Milliseconds per call.
    """
    seconds = []
    for item in items:
        start = time.perf_counter()
        predict(item)
        seconds.append(time.perf_counter() - start)
    return 1e3 * statistics.median(seconds)
