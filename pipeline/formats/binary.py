"""Google's binary format, `.bin`: simplified drawings, one record after another.

    record ::= key_id <u64> countrycode <2 bytes> recognized <i8> timestamp <u32>
               strokes <u16> stroke*
    stroke ::= points <u16> x <u8>* y <u8>*            all little-endian

The timestamp is in Unix seconds. The word is the file's name. Nothing marks where a
record begins: where one is damaged, those after it cannot be found.

Source: `examples/binary_file_parser.py` in
https://github.com/googlecreativelab/quickdraw-dataset.
"""

import datetime
import struct
from collections.abc import Iterator
from typing import BinaryIO

from pipeline import strokes
from pipeline.formats.blocks import BLOCK_BYTES
from pipeline.formats.drawing import Drawing, content_key

MAX_RECORD_BYTES = 8 << 20
"""A longer record is none: its numbers of points are damaged."""

_HEADER = struct.Struct("<Q2sbIH")


def read_records(stream: BinaryIO) -> Iterator[bytes]:
    """Yields the bytes of each record.

    Raises:
      ValueError: where a record is damaged or cut off.
    """
    held = b""
    offset = number = 0
    while data := stream.read(BLOCK_BYTES):
        held += data
        begin = 0
        try:
            while end := find_record_end(held, begin):
                yield held[begin:end]
                number += 1
                begin = end
            if len(held) - begin > MAX_RECORD_BYTES:
                raise ValueError("longer than any drawing")
        except ValueError as error:
            raise ValueError(f"damaged record: {_place(number, offset + begin)}{error}")
        held = held[begin:]
        offset += begin
    if held:
        raise ValueError(f"truncated record: {_place(number, offset)}the file ends")


def parse(record: bytes, word: str) -> Drawing:
    """Parses one record of a word.

    Raises:
      ValueError: no drawing; the message is `kind[: detail]`.
    """
    key_id, country, recognized, seconds, count = _HEADER.unpack_from(record)
    begin = _HEADER.size
    drawing = []
    for _ in range(count):
        points = record[begin] | record[begin + 1] << 8
        middle, end = begin + 2 + points, begin + 2 + 2 * points
        drawing.append((record[begin + 2 : middle], record[middle:end]))
        begin = end
    packed = strokes.to_points(drawing).tobytes()
    if not word:
        raise ValueError("no word")
    return Drawing(
        word=word,
        key_id=str(key_id or content_key(word, packed)),
        countrycode=country.rstrip(b"\0").decode(),
        timestamp=_timestamp(seconds),
        recognized=recognized,
        packed=packed,
    )


def _timestamp(seconds: int) -> str:
    """Unix seconds as the ndjson files write them, which have fractions too."""
    if not seconds:
        return ""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def find_record_end(held: bytes, begin: int) -> int | None:
    """Finds the end of a record.

    Args:
      held: Bytes that start with, or contain, the record.
      begin: Offset of the record.

    Returns:
      The offset of its end, or None if the record is incomplete.

    Raises:
      ValueError: No record starts at the offset.
    """
    if len(held) < begin + _HEADER.size:
        return None
    _, country, recognized, _, count = _HEADER.unpack_from(held, begin)
    if recognized not in (0, 1):
        raise ValueError(f"recognized is {recognized}")
    if not country.rstrip(b"\0").isalnum() and country.strip(b"\0"):
        raise ValueError(f"countrycode is {country!r}")
    end = begin + _HEADER.size
    for _ in range(count):
        if len(held) < end + 2:
            return None
        end += 2 + 2 * (held[end] | held[end + 1] << 8)
    return end if end <= len(held) else None


def _place(number: int, offset: int) -> str:
    return f"record {number + 1} at byte {offset}, and all after it: "
