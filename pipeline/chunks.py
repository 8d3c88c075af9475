"""Sorted rows on their way through Beam's shuffle, merged again as a stream.

A chunk is a sorted run of rows. A runner that shuffles on its own disks is handed the
rows themselves, packed; the local runner, which holds what it shuffles in memory, a
reference to where they lie in a file. Both are read piece by piece, so a merge holds
a few rows of each chunk, however many there are in all.

    chunk ::= (size <u32 little-endian> rows <msgpack>[size])*
"""

import contextlib
import functools
import heapq
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

PIECE_ROWS = 32
"""Rows that are packed, read and held together."""


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

        def run(chunk: Chunk) -> Iterator[Any]:
            if isinstance(chunk, bytes):
                return _rows(lambda n, at: chunk[at : at + n], 0, len(chunk), unpack)
            path, start, size = chunk
            return _rows(functools.partial(os.pread, opened(path)), start, size, unpack)

        yield from heapq.merge(*map(run, chunks), key=key)


def _rows(
    read: Callable[[int, int], bytes],
    start: int,
    size: int,
    unpack: Callable[[bytes], list[Any]],
) -> Iterator[Any]:
    """Yields the rows of a chunk; `read` takes a number of bytes and an offset."""
    at, end = start, start + size
    while at < end:
        length = int.from_bytes(read(4, at), "little")
        yield from unpack(read(length, at + 4))
        at += 4 + length
