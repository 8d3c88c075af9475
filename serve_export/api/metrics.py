"""What `/metrics` tells, in the text form of Prometheus.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import collections
import itertools

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the histogram of seconds."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts requests; all of it happens in the event loop, so nothing is locked."""

    def __init__(self) -> None:
        self._requests: collections.Counter[tuple[str, int]] = collections.Counter()
        self._seconds: collections.Counter[str] = collections.Counter()
        self._within: dict[str, list[int]] = collections.defaultdict(
            lambda: [0] * (len(BUCKETS) + 1)
        )
        self._gauges: dict[str, tuple[str, float]] = {}

    def observe(self, path: str, status: int, seconds: float) -> None:
        """Counts a request.

        Args:
          path: the pattern that matched, as `/v1/examples/{word}`.
          status: what was answered.
          seconds: how long that took.
        """
        self._requests[path, status] += 1
        self._seconds[path] += seconds
        place = next((i for i, most in enumerate(BUCKETS) if seconds <= most), -1)
        self._within[path][place] += 1

    def set(self, name: str, description: str, value: float) -> None:
        """Sets a number that goes up and down."""
        self._gauges[name] = description, value

    def text(self) -> str:
        """Everything, a line each."""
        lines = _head("quickdraw_requests_total", "counter", "Requests answered.")
        for (path, status), count in sorted(self._requests.items()):
            labels = f'path="{path}",status="{status}"'
            lines.append(f"quickdraw_requests_total{{{labels}}} {count}")
        name = "quickdraw_request_seconds"
        lines += _head(name, "histogram", "Seconds until the answer was sent.")
        for path, counts in sorted(self._within.items()):
            bounds = [*map(str, BUCKETS), "+Inf"]
            for bound, count in zip(bounds, itertools.accumulate(counts)):
                lines.append(f'{name}_bucket{{path="{path}",le="{bound}"}} {count}')
            lines.append(f'{name}_sum{{path="{path}"}} {self._seconds[path]:.6f}')
            lines.append(f'{name}_count{{path="{path}"}} {sum(counts)}')
        for gauge, (description, value) in sorted(self._gauges.items()):
            lines += [*_head(gauge, "gauge", description), f"{gauge} {value:g}"]
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, description: str) -> list[str]:
    return [f"# HELP {name} {description}", f"# TYPE {name} {kind}"]
