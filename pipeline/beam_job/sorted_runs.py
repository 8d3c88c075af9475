"""Sorted rows on their way through Beam's shuffle, merged again as a stream.

A chunk is a sorted run of rows. A runner that shuffles on its own disks is handed the
rows themselves, packed; the local runner, which holds what it shuffles in memory, a
reference to where they lie in a file. Both are read piece by piece, the first from a
temporary file where they are many, so a merge holds a few rows of each chunk, however
many there are in all.

    chunk ::= (size <u32 little-endian> rows <msgpack>[size])*
"""

import bisect
import contextlib
import functools
import os
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

PIECE_ROWS = 32
"""Rows that are packed, read and held together."""

SPILL_BYTES = 8 << 20
"""What a merge holds of the chunks that are no references; more goes to a file."""


class Reference(NamedTuple):
    """Where in a file a chunk lies."""

    path: str
    offset: int
    size: int


Chunk = bytes | Reference

_pack = msgspec.msgpack.Encoder().encode


class ChunkWriter:
    """Makes chunks; with a folder they go to a file there, only references come back.

    Each writer has a file of its own, so processes never write to the same one.
    """

    def __init__(self, folder: str | None):
        self._folder = folder
        self._file = None
        self._offset = 0

    def put(self, rows: Sequence[msgspec.Struct]) -> Chunk:
        """Makes a chunk of rows that are sorted already."""
        pieces = []
        for start in range(0, len(rows), PIECE_ROWS):
            piece = _pack(rows[start : start + PIECE_ROWS])
            pieces += (len(piece).to_bytes(4, "little"), piece)
        packed = b"".join(pieces)
        if self._folder is None:
            return packed
        if self._file is None:
            path = os.path.join(self._folder, f"chunks-{uuid.uuid4().hex}")
            self._file = open(path, "xb")  # noqa: SIM115 - kept open for the next
        self._file.write(packed)
        self._file.flush()  # who has the reference may read at once
        reference = Reference(self._file.name, self._offset, len(packed))
        self._offset += len(packed)
        return reference

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def merge(
    chunks: Iterable[Chunk], row: type, key: Callable[[Any], Any]
) -> Iterator[Any]:
    """Yields the rows of chunks, each sorted by `key`, in the order of `key`.

    Rows that share a key come in any order.

    Args:
      chunks: what `ChunkWriter.put` gave.
      row: the type of the rows.
      key: what they are sorted by.
    """
    unpack = msgspec.msgpack.Decoder(list[row]).decode
    with contextlib.ExitStack() as stack:

        @functools.cache
        def opened(path: str) -> int:
            return stack.enter_context(open(path, "rb")).fileno()

        spill = stack.enter_context(tempfile.SpooledTemporaryFile(SPILL_BYTES))

        def read_spilt(size: int, offset: int) -> bytes:
            spill.seek(offset)
            return spill.read(size)

        def run(chunk: Chunk) -> _Run:
            if isinstance(chunk, bytes):
                start = spill.tell()
                return _Run(read_spilt, start, spill.write(chunk), unpack)
            path, start, size = chunk
            return _Run(functools.partial(os.pread, opened(path)), start, size, unpack)

        runs = list(map(run, chunks))
        while runs := [run for run in runs if run.fill()]:
            # Up to the first end of what is held, no row can come from elsewhere.
            # To sort those together is much faster than to compare row by row.
            ends = [key(run.rows[-1]) for run in runs if not run.is_whole]
            end = min(ends) if ends else None
            together = [row for run in runs for row in run.take(end, key)]
            together.sort(key=key)
            yield from together


class _Run:
    """A chunk being read; `read` takes a number of bytes and an offset."""

    def __init__(
        self,
        read: Callable[[int, int], bytes],
        start: int,
        size: int,
        unpack: Callable[[bytes], list[Any]],
    ):
        self.rows: list[Any] = []
        self._read, self._unpack = read, unpack
        self._at, self._end = start, start + size

    @property
    def is_whole(self) -> bool:
        """Whether all rows that are left are held."""
        return self._at == self._end

    def fill(self) -> bool:
        """Reads until a piece's worth of rows is held; says whether any is."""
        while len(self.rows) < PIECE_ROWS and not self.is_whole:
            length = int.from_bytes(self._read(4, self._at), "little")
            self.rows += self._unpack(self._read(length, self._at + 4))
            self._at += 4 + length
        return bool(self.rows)

    def take(self, end: Any, key: Callable[[Any], Any]) -> list[Any]:
        """Gives away the rows up to a key, or all."""
        count = len(self.rows)
        if end is not None:
            count = bisect.bisect_right(self.rows, end, key=key)
        taken, self.rows = self.rows[:count], self.rows[count:]
        return taken
