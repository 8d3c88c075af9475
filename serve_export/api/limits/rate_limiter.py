"""Limits the requests per second of each client address (a token bucket)."""

BURST_SECONDS = 5.0
"""A client that was idle this long may send this many seconds' worth at once."""

MAX_CLIENTS = 10_000
"""Addresses remembered; the least recently seen is dropped first."""


class RateLimiter:
    """A token bucket per client address.

    A bucket starts full, loses a token per request and gains `rate` tokens a second.
    Libraries for rate limits keep a timestamp per request or need a timer thread; this
    takes two numbers per client.
    """

    def __init__(self, rate: float):
        """Creates the limiter.

        Args:
          rate: requests per second; 0 for no limit.
        """
        self._rate = rate
        self._capacity = max(1.0, rate * BURST_SECONDS)
        self._buckets: dict[str, tuple[float, float]] = {}

    def allow_request(self, client: str, now: float) -> bool:
        """Takes a token from a client's bucket.

        Args:
          client: its address.
          now: seconds of a monotonic clock.

        Returns:
          Whether there was one.
        """
        if not self._rate:
            return True
        tokens, updated = self._buckets.pop(client, (self._capacity, now))
        tokens = min(self._capacity, tokens + (now - updated) * self._rate)
        is_allowed = tokens >= 1
        self._buckets[client] = (tokens - is_allowed, now)
        if len(self._buckets) > MAX_CLIENTS:  # dicts keep the order of insertion
            del self._buckets[next(iter(self._buckets))]
        return is_allowed
