"""Metrics for Prometheus, served at `/metrics`."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
)

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the latency histogram, in seconds."""


class ServerMetrics:
    """The metrics of one server.

    Attributes:
      registry: holds the metrics below and those of the server's own process.
      waiting: requests that wait for a worker.
      worker_restarts: workers that died and were replaced.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "quickdraw_requests",
            "Requests by path pattern and response status.",
            ["path", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "quickdraw_request_seconds",
            "Seconds from the request's head to the end of the response.",
            ["path"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.waiting = Gauge(
            "quickdraw_waiting",
            "Requests that wait for a worker.",
            registry=self.registry,
        )
        self.worker_restarts = Counter(
            "quickdraw_worker_restarts",
            "Workers that died and were replaced.",
            registry=self.registry,
        )

    def observe_request(self, path: str, status: int, seconds: float) -> None:
        """Counts a request.

        Args:
          path: its path pattern, such as `/v1/examples/{word}`.
          status: of the response.
          seconds: until the end of the response.
        """
        self._requests.labels(path, status).inc()
        self._seconds.labels(path).observe(seconds)
