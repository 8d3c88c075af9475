"""Find the end of the first N drawings in a published file while its bytes arrive.

    ndjson   one drawing per line
    .bin     one record per drawing; see `pipeline.formats.binary`
    .npy     a header with the shape, then one row per drawing; see
             https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

The header of a `.npy` file states the number of rows and must be corrected after the
file was cut. It is padded with spaces to its original length, so that all rows keep
their offsets and a later download can append to the file.
"""

import io
import math
import re
from typing import BinaryIO

from pipeline.formats.binary import find_record_end
from pipeline.formats.numpy_files import npy


class DrawingCounter:
    """Counts drawings. The base class counts none, for files that are not cut.

    Attributes:
      limit: Number of drawings to find, or None for all.
      count: Number of complete drawings so far, at most `limit`.
      end_offset: Offset in bytes of the end of the last counted drawing.
    """

    def __init__(self, limit: int | None = None):
        """Creates a counter.

        Args:
          limit: Number of drawings to find, or None for all.
        """
        self.limit = limit
        self.count = 0
        self.end_offset = 0

    @property
    def is_complete(self) -> bool:
        """Whether `limit` drawings were found."""
        return self.count == self.limit

    def feed(self, data: bytes) -> None:
        """Counts the drawings in the next bytes of the file."""

    def finalize(self, file: BinaryIO) -> None:
        """Corrects the header of a file that was cut after the last drawing."""


class LineCounter(DrawingCounter):
    """Counts the drawings of an ndjson file."""

    _offset = 0

    def feed(self, data: bytes) -> None:
        """Counts lines."""
        end = 0
        while not self.is_complete and (newline := data.find(b"\n", end)) >= 0:
            end = newline + 1
            self.count += 1
            self.end_offset = self._offset + end
        self._offset += len(data)


class RecordCounter(DrawingCounter):
    """Counts the drawings of a `.bin` file."""

    _remainder = b""

    def feed(self, data: bytes) -> None:
        """Counts records.

        Raises:
          ValueError: A record is damaged.
        """
        data = self._remainder + data
        start = 0
        try:
            while not self.is_complete and (end := find_record_end(data, start)):
                self.count += 1
                self.end_offset += end - start
                start = end
        except ValueError as error:
            raise ValueError(f"damaged record at byte {self.end_offset}: {error}")
        self._remainder = data[start:]


class RowCounter(DrawingCounter):
    """Counts the drawings of a `.npy` file of version 1.0."""

    _MAGIC = b"\x93NUMPY\x01\x00"
    _TEXT_OFFSET = len(_MAGIC) + 2  # 2 bytes hold the length of the text
    _MAX_HEADER_BYTES = _TEXT_OFFSET + 0xFFFF

    _head = b""
    _bytes_read = 0

    def feed(self, data: bytes) -> None:
        """Counts rows.

        Raises:
          ValueError: The file is not a `.npy` file with rows.
        """
        self._bytes_read += len(data)
        self._head += data[: self._MAX_HEADER_BYTES - len(self._head)]
        if sizes := self._parse_header(self._head):
            header_bytes, row_bytes = sizes
            rows = (self._bytes_read - header_bytes) // row_bytes
            self.count = rows if self.limit is None else min(rows, self.limit)
            self.end_offset = header_bytes + self.count * row_bytes

    def finalize(self, file: BinaryIO) -> None:
        """Writes the number of rows into the header.

        Raises:
          ValueError: The file ends within the header or within a row.
        """
        file.seek(0)
        head = file.read(self._MAX_HEADER_BYTES)
        size = file.seek(0, io.SEEK_END)
        header_bytes, row_bytes = self._parse_header(head) or (size, 1)
        rows, remainder = divmod(size - header_bytes, row_bytes)
        if remainder or size == header_bytes:
            raise ValueError(
                f"incomplete .npy file: {size} bytes, rows of {row_bytes} bytes"
            )
        text = head[self._TEXT_OFFSET : header_bytes]
        text = re.sub(rb"\(\d+,", b"(%d," % rows, text, count=1)
        file.seek(self._TEXT_OFFSET)
        file.write(text.rstrip().ljust(header_bytes - self._TEXT_OFFSET - 1) + b"\n")

    def _parse_header(self, data: bytes) -> tuple[int, int] | None:
        """Returns the bytes of the header and of a row; None if data is missing."""
        if not data.startswith(self._MAGIC[: len(data)]):
            raise ValueError("not a .npy file of version 1.0")
        if len(data) < self._TEXT_OFFSET:
            return None
        text_bytes = int.from_bytes(
            data[len(self._MAGIC) : self._TEXT_OFFSET], "little"
        )
        if len(data) < self._TEXT_OFFSET + text_bytes:
            return None
        header = npy.read_header(io.BytesIO(data))
        row_bytes = math.prod(header.shape[1:]) * header.dtype.itemsize
        has_rows = header.shape and row_bytes and not header.fortran_order
        if not has_rows or header.dtype.hasobject:
            raise ValueError(f"a .npy file of shape {header.shape} has no rows")
        return self._TEXT_OFFSET + text_bytes, row_bytes
