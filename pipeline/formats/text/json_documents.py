"""Files that are one JSON document, pretty-printed or not, instead of lines.

    {"word": …, "drawing": …}           one drawing
    [{"word": …, "drawing": …}, …]      many
    {"drawings": [{"drawing": …}, …]}   many, in any field
    {"word": {"0": …}, "drawing": …}    pandas' `DataFrame.to_json`
    [[xs, ys], …]                       the strokes of one drawing
    [[[xs, ys], …], …]                  the strokes of many
    [[{"x": …, "y": …}, …], …]          one drawing of signature_pad before version 4
    [{"points": [{"x": …}, …]}, …]      one drawing of signature_pad since version 4

Source of the last two: `toData` in https://github.com/szimek/signature_pad.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from pipeline.formats.blocks import BYTE_ORDER_MARK, UnreadableFileError

MAX_BYTES = 1 << 30
"""A larger document is refused, as it is held in memory."""

_Raw = msgspec.Raw
_decode_object = msgspec.json.Decoder(dict[str, _Raw]).decode
_decode_columns = msgspec.json.Decoder(dict[str, dict[str, _Raw]]).decode
_decode_array = msgspec.json.Decoder(list[_Raw]).decode
_COLUMN = re.compile(rb'\{\s*"[^"]*"\s*:\s*\{')
_DEPTH = re.compile(rb"[\s[]*")


def is_document(head: bytes) -> bool:
    """Returns whether a file that begins so is one document rather than lines.

    Args:
      head: the beginning of the file, with the first line end if there is one.
    """
    first, _, following = head.lstrip().partition(b"\n")
    first, begin = first.rstrip(), following.lstrip()[:1]
    if first[:1] == b"{":
        return (first[-1:] != b"}" and begin != b"{") or bool(_COLUMN.match(first))
    if first[:1] == b"[":
        return first[-1:] in (b"[", b",") or begin not in (b"[", b"{")
    return False


def read_items(stream: BinaryIO) -> Iterator[bytes]:
    """Yields the JSON object of each drawing.

    Raises:
      UnreadableFileError: the document is too large.
      ValueError: it is not JSON.
    """
    text = stream.read(MAX_BYTES + 1).removeprefix(BYTE_ORDER_MARK)
    if len(text) > MAX_BYTES:
        raise UnreadableFileError(
            f"one JSON document of more than {MAX_BYTES >> 30} GiB; write one drawing "
            "per line (ndjson)"
        )
    try:
        yield from _split(text.strip())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"malformed JSON: {error}") from None


def _split(text: bytes) -> Iterator[bytes]:
    if text[:1] == b"{":
        content = _decode_object(text)
        if "drawing" in content and not _COLUMN.match(text):
            yield text
        elif records := _find_records(content):
            yield from records
        else:
            yield from _split_columns(text)
        return
    items = [bytes(item) for item in _decode_array(text)]
    if not items:
        return
    first = items[0].lstrip()
    depth = _DEPTH.match(text).group().count(b"[")  # type: ignore[union-attr]
    if first[:1] == b"{" and b'"points"' not in first:
        yield from items
    elif depth == 4:
        for item in items:
            yield b'{"drawing":' + item + b"}"
    else:
        yield b'{"drawing":' + text + b"}"


def _find_records(content: dict[str, msgspec.Raw]) -> list[bytes]:
    """Returns the records of an object such as `{"drawings": [{"drawing": …}, …]}`."""
    for value in content.values():
        if (text := bytes(value)).startswith(b"["):
            records = [bytes(item) for item in _decode_array(text)]
            if records and all(item.startswith(b"{") for item in records):
                return records
    return []


def _split_columns(text: bytes) -> Iterator[bytes]:
    """Yields the rows of a table that is written column by column."""
    try:
        columns = _decode_columns(text)
    except msgspec.ValidationError:
        yield text  # to be rejected
        return
    for index in columns.get("drawing", {}):
        row: dict[str, Any] = {
            name: column[index] for name, column in columns.items() if index in column
        }
        yield msgspec.json.encode(row)
