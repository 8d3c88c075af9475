"""Google's binary format, `.bin`: simplified drawings, one record after another.

    record ::= key_id <u64> countrycode <2 bytes> recognized <i8> timestamp <u32>
               strokes <u16> stroke*
    stroke ::= points <u16> x <u8>* y <u8>*            all little-endian

The timestamp is in Unix seconds. The class is in the file's name. Nothing marks where a
record begins: where one is damaged, the rest of the file cannot be read.

Source: `examples/binary_file_parser.py` in
https://github.com/googlecreativelab/quickdraw-dataset.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from pipeline import strokes
from pipeline.formats.blocks import BLOCK_BYTES
from pipeline.formats.drawing import Drawing, content_key, format_timestamp

MAX_RECORD_BYTES = 8 << 20
"""A longer record is taken for damage to its numbers of points."""

_HEADER = struct.Struct("<Q2sbIH")


def read_records(stream: BinaryIO) -> Iterator[bytes]:
    """Yields the bytes of each record.

    Raises:
      ValueError: a record is damaged or cut off.
    """
    data = b""
    offset = number = 0
    while more := stream.read(BLOCK_BYTES):
        data += more
        begin = 0
        try:
            while end := find_record_end(data, begin):
                yield data[begin:end]
                number += 1
                begin = end
            if len(data) - begin > MAX_RECORD_BYTES:
                raise ValueError("longer than any drawing")
        except ValueError as error:
            where = _describe_position(number, offset + begin)
            raise ValueError(f"damaged record: {where}{error}")
        data = data[begin:]
        offset += begin
    if data:
        where = _describe_position(number, offset)
        raise ValueError(f"truncated record: {where}the file ends")


def find_record_end(data: bytes, begin: int = 0) -> int | None:
    """Finds where the record that starts at `begin` ends.

    Returns:
      The position after its last byte; None if more bytes are needed.

    Raises:
      ValueError: no record starts there.
    """
    if len(data) < begin + _HEADER.size:
        return None
    _, country, recognized, _, stroke_count = _HEADER.unpack_from(data, begin)
    if recognized not in (0, 1):
        raise ValueError(f"recognized is {recognized}")
    if not country.rstrip(b"\0").isalnum() and country.strip(b"\0"):
        raise ValueError(f"countrycode is {country!r}")
    end = begin + _HEADER.size
    for _ in range(stroke_count):
        if len(data) < end + 2:
            return None
        end += 2 + 2 * (data[end] | data[end + 1] << 8)
    return end if end <= len(data) else None


def parse(record: bytes, word: str | None = "") -> Drawing:
    """Parses one record.

    Args:
      record: bytes from `read_records`.
      word: its class name; None if none is needed.

    Raises:
      ValueError: not a drawing; the message is `kind[: detail]`.
    """
    key_id, country, recognized, seconds, stroke_count = _HEADER.unpack_from(record)
    begin = _HEADER.size
    drawing = []
    for _ in range(stroke_count):
        points = record[begin] | record[begin + 1] << 8
        middle, end = begin + 2 + points, begin + 2 + 2 * points
        drawing.append((record[begin + 2 : middle], record[middle:end]))
        begin = end
    packed = strokes.to_points(drawing).tobytes()
    if word == "":
        raise ValueError("no word")
    return Drawing(
        word=word or "",
        key_id=str(key_id or (content_key(word, packed) if word else "")),
        countrycode=country.rstrip(b"\0").decode(),
        timestamp=format_timestamp(seconds),
        recognized=recognized,
        packed=packed,
    )


def _describe_position(number: int, offset: int) -> str:
    return f"record {number + 1} at byte {offset}, and all after it: "
