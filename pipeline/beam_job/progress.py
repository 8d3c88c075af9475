"""How far the job is: workers count in small files, the launcher adds them up.

A count is a number in memory that is mapped to a file, so it costs nothing and is
there whatever becomes of the worker.
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
"""Of the counters that an engine's page shows. A step that ran twice counts twice."""

_PREFIX = "counts-"
_FORM = struct.Struct("<QQQ")

LINE_SECONDS = 60
"""How often there is a line where stderr is not a terminal."""


class Counts(NamedTuple):
    """What was done so far: input read, lines parsed, drawings written."""

    bytes: int = 0
    lines: int = 0
    written: int = 0


class Meter:
    """A worker's counts; without a folder they are Beam's, for the engine's page."""

    def __init__(self, folder: str | None):
        self._counts = [0, 0, 0]
        self._counters = [Metrics.counter(NAMESPACE, name) for name in Counts._fields]
        self._map = None
        if folder is not None:
            path = os.path.join(folder, _PREFIX + uuid.uuid4().hex)
            with open(path, "x+b") as file:
                file.write(_FORM.pack(*self._counts))
                file.flush()
                self._map = mmap.mmap(file.fileno(), _FORM.size)

    def add(self, bytes: int = 0, lines: int = 0, written: int = 0) -> None:
        for place, number in enumerate((bytes, lines, written)):
            self._counts[place] += number
            if self._map is None:
                self._counters[place].inc(number)
        if self._map is not None:
            self._map[:] = _FORM.pack(*self._counts)


def total(folder: str) -> Counts:
    """Adds up what all meters in a folder say."""
    sums = [0, 0, 0]
    for name in os.listdir(folder):
        if not name.startswith(_PREFIX):
            continue
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        if len(data) == _FORM.size:
            sums = [a + b for a, b in zip(sums, _FORM.unpack(data))]
    return Counts(*sums)


class Bar:
    """A bar on a terminal, a line a minute elsewhere.

    First the input is read, then the shards are written; each has a bar of its own.
    """

    def __init__(self, folder: str, input_bytes: int, stream: TextIO | None = None):
        self._folder = folder
        self._input_bytes = input_bytes
        self._stream = stream or sys.stderr
        self._phase = ""
        self._bar: tqdm | None = None
        self._next_line = time.monotonic() + LINE_SECONDS

    def update(self) -> None:
        counts = total(self._folder)
        if counts.written:
            self._show("writing", counts.written, counts.lines, counts.written)
        else:
            self._show("reading", counts.bytes, self._input_bytes, counts.lines)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _show(self, phase: str, done: int, all: int, drawings: int) -> None:
        if phase != self._phase:
            self.close()
            self._phase, self._since = phase, time.monotonic()
            self._bar = tqdm(
                desc=phase,
                total=max(all, 1),
                file=self._stream,
                disable=not self._stream.isatty(),
                bar_format="{desc} {percentage:3.0f}% |{bar}| {remaining}{postfix}",
                leave=False,
            )
        seconds = max(time.monotonic() - self._since, 1e-3)
        speed = f"{drawings:,} drawings, {drawings / seconds:,.0f}/s"
        self._bar.n = min(done, self._bar.total)
        self._bar.set_postfix_str(speed)
        if self._bar.disable and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_SECONDS
            share = done / max(all, 1)
            left = seconds * (1 - share) / max(share, 1e-9)
            print(
                f"{phase} {share:4.0%}: {speed}, left {tqdm.format_interval(left)}",
                file=self._stream,
                flush=True,
            )
