"""Where in a published file the first N drawings end, told as its bytes arrive.

    ndjson    a drawing a line
    binary    key id (8 bytes), country (2), recognised (1), timestamp (4), number of
              strokes (2); of each stroke the number of points (2), its x, its y
              https://github.com/googlecreativelab/quickdraw-dataset/blob/master/examples/binary_file_parser.py
    .npy      a header with the shape, then 784 bytes a drawing
              https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

Each is a file of its own when it is cut after some drawings, but for the `.npy`, whose
header says how many there are. A header has blanks to spare: corrected it stays as long
as it was, so that a byte stands in the cut file where it stands in the whole one.
"""

import io
import math
import re
import struct
from typing import BinaryIO

import numpy as np


class Counter:
    """Counts drawings; this one finds none and so serves for whole files.

    Attributes:
      wanted: how many to look for, or None for all.
      count: whole drawings so far, at most `wanted`.
      end: bytes from the file's beginning to the end of the last of them.
    """

    def __init__(self, wanted: int | None):
        self.wanted = wanted
        self.count = 0
        self.end = 0

    @property
    def done(self) -> bool:
        """Whether all that are wanted were found."""
        return self.count == self.wanted

    def feed(self, data: bytes) -> None:
        """Takes the bytes that follow those it was fed before."""

    def seal(self, file: BinaryIO) -> None:
        """Makes a file that ends after a drawing say so, where it has to."""


class Lines(Counter):
    """Counts the drawings of ndjson."""

    def __init__(self, wanted: int | None):
        super().__init__(wanted)
        self._position = 0

    def feed(self, data: bytes) -> None:
        end = 0
        while not self.done and (found := data.find(b"\n", end)) >= 0:
            end = found + 1
            self.count += 1
            self.end = self._position + end
        self._position += len(data)


class Records(Counter):
    """Counts the drawings of the binary format."""

    _HEAD = struct.Struct("<Q2sbIH")
    _POINTS = struct.Struct("<H")

    def __init__(self, wanted: int | None):
        super().__init__(wanted)
        self._rest = b""

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        end = 0
        while not self.done and (next_end := self._end_of_record(data, end)):
            self.count += 1
            self.end += next_end - end
            end = next_end
        self._rest = data[end:]

    def _end_of_record(self, data: bytes, start: int) -> int | None:
        """Where the record that starts there ends, or None where it is cut off."""
        end = start + self._HEAD.size
        if end > len(data):
            return None
        for _ in range(self._HEAD.unpack_from(data, start)[-1]):
            if end + self._POINTS.size > len(data):
                return None
            end += self._POINTS.size + 2 * self._POINTS.unpack_from(data, end)[0]
        return end if end <= len(data) else None


class Rows(Counter):
    """Counts the drawings of a `.npy` of version 1.0.

    Raises:
      ValueError: from `feed` and `seal`, what is no such file.
    """

    _MAGIC = b"\x93NUMPY\x01\x00"
    _FIXED = len(_MAGIC) + 2  # with the length of the text that follows
    _LONGEST = _FIXED + 0xFFFF

    def __init__(self, wanted: int | None):
        super().__init__(wanted)
        self._head = b""
        self._position = 0
        self._sizes: tuple[int, int] | None = None

    def feed(self, data: bytes) -> None:
        self._position += len(data)
        if self._sizes is None:
            self._head += data[: self._LONGEST - len(self._head)]
            self._sizes = self._read_header(self._head)
        if self._sizes is not None:
            header, row = self._sizes
            rows = (self._position - header) // row
            self.count = rows if self.wanted is None else min(rows, self.wanted)
            self.end = header + self.count * row

    def seal(self, file: BinaryIO) -> None:
        file.seek(0)
        head = file.read(self._LONGEST)
        size = file.seek(0, io.SEEK_END)
        header, row = self._read_header(head) or (size, 1)
        rows, more = divmod(size - header, row)
        if more or size == header:
            raise ValueError(
                f"a .npy of {size} bytes, with rows of {row}, is not whole"
            )
        text = head[self._FIXED : header]
        text = re.sub(rb"\(\d+,", b"(%d," % rows, text, count=1)
        file.seek(self._FIXED)
        file.write(text.rstrip().ljust(header - self._FIXED - 1) + b"\n")

    def _read_header(self, data: bytes) -> tuple[int, int] | None:
        """Bytes of the header and of a row, or None where the data ends before."""
        if not data.startswith(self._MAGIC[: len(data)]):
            raise ValueError("not a .npy file of version 1.0")
        if len(data) < self._FIXED:
            return None
        header = self._FIXED + int.from_bytes(data[len(self._MAGIC) :][:2], "little")
        if len(data) < header:
            return None
        text = io.BytesIO(data[len(self._MAGIC) : header])
        shape, by_column, dtype = np.lib.format.read_array_header_1_0(text)
        row = math.prod(shape[1:]) * dtype.itemsize
        if not shape or by_column or dtype.hasobject or not row:
            raise ValueError(f"a .npy of shape {shape} has no rows to take")
        return header, row
