"""The progress of a local run: workers count in small files, the launcher adds up.

A worker's counts are memory that is mapped to a file. Updating them costs next to
nothing, and they remain readable if the worker dies. On a cluster the counts are Beam
counters, which the runner's web page shows.
"""

import mmap
import os
import struct
import sys
import time
import uuid
from typing import NamedTuple, TextIO

from apache_beam.metrics import Metrics
from tqdm import tqdm

NAMESPACE = "quickdraw"
"""Namespace of the Beam counters. A step that is retried counts again."""

LOG_INTERVAL = 60
"""Seconds between two lines if stderr is not a terminal."""

_FILE_PREFIX = "counts-"
_FILE_FORMAT = struct.Struct("<QQQ")


class Progress(NamedTuple):
    """Work done so far: bytes read, lines parsed, drawings written."""

    bytes: int = 0
    lines: int = 0
    written: int = 0


class ProgressCounter:
    """Counts the work of one step in one worker.

    Args:
      folder: where the file with the counts is made; if None, Beam counters are used.
    """

    def __init__(self, folder: str | None):
        self._counts = [0, 0, 0]
        self._counters = [Metrics.counter(NAMESPACE, name) for name in Progress._fields]
        self._map = None
        if folder is not None:
            path = os.path.join(folder, _FILE_PREFIX + uuid.uuid4().hex)
            with open(path, "x+b") as file:
                file.write(_FILE_FORMAT.pack(*self._counts))
                file.flush()
                self._map = mmap.mmap(file.fileno(), _FILE_FORMAT.size)

    def add(self, bytes: int = 0, lines: int = 0, written: int = 0) -> None:
        """Adds finished work."""
        for index, number in enumerate((bytes, lines, written)):
            self._counts[index] += number
            if self._map is None:
                self._counters[index].inc(number)
        if self._map is not None:
            self._map[:] = _FILE_FORMAT.pack(*self._counts)


def sum_progress(folder: str) -> Progress:
    """Sums the counts of all workers that use a folder."""
    sums = [0, 0, 0]
    for name in os.listdir(folder):
        if not name.startswith(_FILE_PREFIX):
            continue
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        if len(data) == _FILE_FORMAT.size:
            sums = [a + b for a, b in zip(sums, _FILE_FORMAT.unpack(data))]
    return Progress(*sums)


class ProgressBar:
    """A progress bar on a terminal, a line per minute elsewhere.

    First the input is read, then the shards are written; each phase has its own bar.

    Args:
      folder: where the workers count.
      input_bytes: size of the input.
      stream: where the bar is printed; stderr by default.
    """

    def __init__(self, folder: str, input_bytes: int, stream: TextIO | None = None):
        self._folder = folder
        self._input_bytes = input_bytes
        self._stream = stream or sys.stderr
        self._phase = ""
        self._bar: tqdm | None = None
        self._next_line = time.monotonic() + LOG_INTERVAL

    def update(self) -> None:
        """Shows the current progress."""
        progress = sum_progress(self._folder)
        if progress.written:
            self._show("writing", progress.written, progress.lines, progress.written)
        else:
            self._show("reading", progress.bytes, self._input_bytes, progress.lines)

    def close(self) -> None:
        """Removes the bar from the terminal."""
        if self._bar is not None:
            self._bar.close()

    def _show(self, phase: str, done: int, total: int, drawings: int) -> None:
        if self._bar is None or phase != self._phase:
            self.close()
            self._phase, self._phase_start = phase, time.monotonic()
            self._bar = tqdm(
                desc=phase,
                total=max(total, 1),
                file=self._stream,
                disable=not self._stream.isatty(),
                bar_format="{desc} {percentage:3.0f}% |{bar}| {remaining}{postfix}",
                leave=False,
            )
        seconds = max(time.monotonic() - self._phase_start, 1e-3)
        rate = f"{drawings:,} drawings, {drawings / seconds:,.0f}/s"
        self._bar.n = min(done, self._bar.total)
        self._bar.set_postfix_str(rate)
        if self._bar.disable and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LOG_INTERVAL
            fraction = done / max(total, 1)
            remaining = seconds * (1 - fraction) / max(fraction, 1e-9)
            print(
                f"{phase} {fraction:4.0%}: {rate}, "
                f"{tqdm.format_interval(remaining)} left",
                file=self._stream,
                flush=True,
            )
