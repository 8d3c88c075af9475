"""Reads the lines of a plain file by ranges of bytes.

    bytes    0          end = start      end = start      size
    lines    |-----|--------|------|---------|--------|------|
    range    0 0 0 0 0 0 0 0 1 1 1 1 1 1 1 1 1 2 2 2 2 2 2 2 2

A line belongs to the range in which it starts, so every line is in exactly one.
"""

import io
import sys
from typing import BinaryIO

from tfrecords import storage

_PIECE_BYTES = 1 << 16
_COUNT_BYTES = 1 << 20


class LineRange(io.RawIOBase):
    """The lines of a stream that start in a range of bytes, as a stream.

    Args:
      stream: a file.
      start: first byte of the range.
      end: the byte after the range; None for the end of the file.

    Attributes:
      offset: the byte at which the first of the lines starts.
    """

    def __init__(self, stream: BinaryIO, start: int, end: int | None = None):
        self._stream = stream
        self._remaining = (sys.maxsize if end is None else end) - start
        self._is_complete = True  # whether the last line that was read has its end
        self.offset = start
        if start:
            self._skip_line(start - 1)

    def readable(self) -> bool:
        """Returns True."""
        return True

    def tell(self) -> int:
        """Returns the position in the file."""
        return self._stream.tell()

    def read(self, size: int | None = -1) -> bytes:
        """Reads at most `size` bytes, all that remain if it is negative."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(_PIECE_BYTES), b""))
        if self._remaining > 0:
            data = self._stream.read(min(size, self._remaining))
            self._remaining -= len(data) or self._remaining  # nothing: the file's end
            self._is_complete = data.endswith(b"\n") or not data
            return data
        if self._is_complete:
            return b""
        # The last line ends outside of the range. A piece may be read in part only.
        before, line_end, _ = self._stream.read(min(size, _PIECE_BYTES)).partition(
            b"\n"
        )
        data = before + line_end
        self._is_complete = bool(line_end) or not data
        return data

    def _skip_line(self, position: int) -> None:
        """Moves to the first line that starts after a position."""
        self._stream.seek(position)
        while data := self._stream.read(_PIECE_BYTES):
            before, line_end, _ = data.partition(b"\n")
            position += len(before) + len(line_end)
            if line_end:
                break
        self._remaining -= position - self.offset
        self.offset = position
        self._stream.seek(position)


class LineNumbers:
    """Numbers of lines in plain files, counted when they are needed.

    Counts on from the nearest position that it has counted up to before.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[int, int]] = {}

    def count_before(self, path: str, offset: int) -> int:
        """Returns the number of lines of a file before a byte."""
        known = self._known.setdefault(path, {0: 0})
        position = max(each for each in known if each <= offset)
        lines = known[position]
        if position < offset:
            with storage.open_read(path) as file:
                file.seek(position)
                while position < offset:
                    data = file.read(min(_COUNT_BYTES, offset - position))
                    if not data:
                        break  # the file has become shorter
                    lines += data.count(b"\n")
                    position += len(data)
            known[offset] = lines
        return lines
