"""Containers of JSON objects: which one a file is, and how it is cut into blocks."""

import itertools
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.formats import parquet
from pipeline.formats.blocks import (
    BYTE_ORDER_MARK,
    MAX_LINE_BYTES,
    Block,
    cut_items,
    cut_lines,
)
from pipeline.formats.text import csv_rows, json_documents, stroke_form
from pipeline.formats.text.stroke_form import StrokeForm

SAMPLE_ITEMS = 100
SAMPLE_BYTES = 1 << 20
"""How much of a file is read to find its form."""

_READ_BYTES = 1 << 16

LINES, DOCUMENT, CSV, PARQUET = "lines", "document", "csv", "parquet"


def find_form(stream: BinaryIO, input_format: str = "auto") -> StrokeForm:
    """Finds the form of a file from its first drawings.

    Args:
      stream: the file, from its beginning.
      input_format: "auto", or the form if the user has named it.

    Raises:
      UnreadableFileError: the file is neither simplified nor raw.
    """
    head = _read_head(stream, SAMPLE_ITEMS)
    container, items = _open(stream, head)
    if container == LINES:
        lines = head[: head.rfind(b"\n") + 1].removeprefix(BYTE_ORDER_MARK)
        sample = lines.split(b"\n", SAMPLE_ITEMS)[:SAMPLE_ITEMS]
    else:
        try:
            sample = list(itertools.islice(items, SAMPLE_ITEMS))
        except ValueError:
            sample = []  # a damaged file, of which the items will be rejected
    return stroke_form.find_form(sample, input_format)


def cut(stream: BinaryIO, file: str, format: str) -> Iterator[Block]:
    """Cuts a file into blocks.

    Args:
      stream: the file, from its beginning.
      file: its path.
      format: the form of its strokes, a key of `registry.FORMATS`.
    """
    container, items = _open(stream, _read_head(stream, 1))
    if container == LINES:
        yield from cut_lines(stream, file, format)
    else:
        as_lines = container != DOCUMENT  # whose items may hold line ends
        yield from cut_items(items, file, format, as_lines=as_lines)


def has_lines(stream: BinaryIO) -> bool:
    """Returns whether a file from its beginning has one drawing per line."""
    return _open(stream, _read_head(stream, 1))[0] == LINES


def _open(stream: BinaryIO, head: bytes) -> tuple[str, Iterator[bytes]]:
    """Returns the container of a file and its items; lines are left in `stream`."""
    stream.seek(0)
    if head.startswith(parquet.MAGIC):
        return PARQUET, parquet.read_drawings(stream)
    head = head.removeprefix(BYTE_ORDER_MARK)
    if csv_rows.is_header(head[:1000].split(b"\n")[0]):
        return CSV, csv_rows.read_rows(stream)
    if json_documents.is_document(head):
        return DOCUMENT, json_documents.read_items(stream)
    return LINES, iter(())


def _read_head(stream: BinaryIO, lines: int) -> bytes:
    """Reads the first lines of a file, and at least one unless it is too long.

    Ends with a line end if the file ends.
    """
    head, line_ends = b"", 0
    while (line_ends < lines and len(head) < SAMPLE_BYTES) or (
        not line_ends and len(head) <= MAX_LINE_BYTES
    ):
        data = stream.read(_READ_BYTES)
        if not data:
            return head + b"\n"
        head += data
        line_ends += data.count(b"\n")
    return head
