"""The shuffle: sorted runs of rows, merged into one sorted stream per shard.

Beam groups runs by shard instead of single drawings, because each element costs it
more time than the work on a drawing. A runner that shuffles on disk gets the packed
rows. The local runner, which holds what it shuffles in memory, gets the location of
the rows in a file. `merge_runs` reads both batch by batch, and merges at most
`MAX_RUNS` runs at a time, so the memory it needs does not grow with the data.

    run ::= (size <u32 little-endian> rows <msgpack>[size])*
"""

import bisect
import contextlib
import functools
import itertools
import os
import tempfile
import types
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

import msgspec

BATCH_ROWS = 32
"""Rows that are packed and read together."""

MAX_RUNS = 256
"""Runs that are merged together; more of them are merged in several passes."""

MAX_MEMORY_BYTES = 8 << 20
"""Memory for packed runs in a merge; more of them are kept in a temporary file."""


class RunLocation(NamedTuple):
    """The location of a packed run in a file."""

    path: str
    offset: int
    size: int


Run = bytes | RunLocation

_encode = msgspec.msgpack.Encoder().encode


class RunWriter:
    """Packs sorted rows into runs.

    Args:
      folder: writes the runs to a file in this folder and returns their locations; if
        None, returns the packed rows. Each writer has its own file.
    """

    def __init__(self, folder: str | None):
        self._folder = folder
        self._file: BinaryIO | None = None
        self._offset = 0

    def write(self, rows: Iterable[msgspec.Struct]) -> Run:
        """Packs rows, which must be sorted already."""
        if self._folder is None:
            return b"".join(_pack(rows))
        if self._file is None:
            path = os.path.join(self._folder, f"runs-{uuid.uuid4().hex}")
            self._file = open(path, "xb")  # noqa: SIM115 - kept open for more runs
        start = self._offset
        for batch in _pack(rows):
            self._offset += self._file.write(batch)
        self._file.flush()  # another process may read the run at once
        return RunLocation(self._file.name, start, self._offset - start)

    def close(self) -> None:
        """Closes the file, if there is one."""
        if self._file is not None:
            self._file.close()


def _pack(rows: Iterable[msgspec.Struct]) -> Iterator[bytes]:
    rows = iter(rows)
    while batch := list(itertools.islice(rows, BATCH_ROWS)):
        packed = _encode(batch)
        yield len(packed).to_bytes(4, "little") + packed


def merge_runs(
    runs: Iterable[Run], row_type: type, key: Callable[[Any], Any]
) -> Iterator[Any]:
    """Yields the rows of several runs, each sorted by `key`, in the order of `key`.

    Rows with equal keys come in any order.

    Args:
      runs: results of `RunWriter.write`.
      row_type: the type of the rows.
      key: function of a row.
    """
    decode = msgspec.msgpack.Decoder(types.GenericAlias(list, row_type)).decode
    runs = iter(runs)
    merged: list[Run] = []
    with tempfile.TemporaryDirectory() as folder:
        writer = RunWriter(folder)
        while True:
            with contextlib.ExitStack() as stack:
                group = itertools.islice(runs, MAX_RUNS)
                readers = _open_runs(group, decode, stack)
                next_run = next(runs, None)
                if next_run is None and not merged:
                    yield from _merge(readers, key)
                    return
                merged.append(writer.write(_merge(readers, key)))
            if next_run is None:
                break
            runs = itertools.chain([next_run], runs)
        writer.close()
        yield from merge_runs(merged, row_type, key)


def _open_runs(
    runs: Iterable[Run],
    decode: Callable[[bytes], list[Any]],
    stack: contextlib.ExitStack,
) -> list["_RunReader"]:
    """Opens runs for reading; packed rows are kept in a temporary file if large.

    Args:
      runs: results of `RunWriter.write`.
      decode: decodes a batch.
      stack: closes the files.
    """

    @functools.cache
    def open_file(path: str) -> int:
        descriptor = os.open(path, os.O_RDONLY)
        stack.callback(os.close, descriptor)
        return descriptor

    memory = stack.enter_context(tempfile.SpooledTemporaryFile(MAX_MEMORY_BYTES))  # noqa: SIM115

    def read_memory(size: int, offset: int) -> bytes:
        memory.seek(offset)
        return memory.read(size)

    def open_run(run: Run) -> _RunReader:
        if isinstance(run, bytes):
            start = memory.tell()
            return _RunReader(read_memory, start, memory.write(run), decode)
        path, start, size = run
        read = functools.partial(os.pread, open_file(path))
        return _RunReader(read, start, size, decode)

    return list(map(open_run, runs))


def _merge(readers: list["_RunReader"], key: Callable[[Any], Any]) -> Iterator[Any]:
    """Yields the rows of open runs in order."""
    while readers := [reader for reader in readers if reader.fill()]:
        # All rows up to the smallest "last buffered key" are in the buffers.
        # Sorting them together is much faster than comparing row by row.
        ends = [key(reader.rows[-1]) for reader in readers if not reader.is_at_end]
        end = min(ends) if ends else None
        rows = [row for reader in readers for row in reader.take(end, key)]
        rows.sort(key=key)
        yield from rows


class _RunReader:
    """Reads a packed run batch by batch.

    Args:
      read: reads a number of bytes at an offset.
      start: offset of the run.
      size: bytes of the run.
      decode: decodes a batch.
    """

    def __init__(
        self,
        read: Callable[[int, int], bytes],
        start: int,
        size: int,
        decode: Callable[[bytes], list[Any]],
    ):
        self.rows: list[Any] = []
        self._read, self._decode = read, decode
        self._offset, self._end = start, start + size

    @property
    def is_at_end(self) -> bool:
        """Whether all remaining rows are in the buffer."""
        return self._offset == self._end

    def fill(self) -> bool:
        """Buffers at least a batch of rows; returns whether any rows are left."""
        while len(self.rows) < BATCH_ROWS and not self.is_at_end:
            size = int.from_bytes(self._read(4, self._offset), "little")
            self.rows += self._decode(self._read(size, self._offset + 4))
            self._offset += 4 + size
        return bool(self.rows)

    def take(self, end: Any, key: Callable[[Any], Any]) -> list[Any]:
        """Removes and returns the buffered rows up to a key; all if it is None."""
        count = len(self.rows)
        if end is not None:
            count = bisect.bisect_right(self.rows, end, key=key)
        taken, self.rows = self.rows[:count], self.rows[count:]
        return taken
