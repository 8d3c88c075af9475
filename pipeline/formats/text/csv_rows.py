"""Kaggle's CSV: `countrycode,drawing,key_id,recognized,timestamp,word`.

The drawing is a JSON string. Columns are found by their names in the first row, in any
order; those of https://www.kaggle.com/c/quickdraw-doodle-recognition are read, and
semicolons and tabs as separators too.
"""

import contextlib
import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from pipeline.formats.blocks import MAX_LINE_BYTES

_SEPARATORS = ",;\t"
_COLUMNS = ("word", "countrycode", "timestamp", "recognized", "key_id")
_BOOLEANS = {"True": True, "False": False}
_NUMBERS_ONLY = re.compile(r"\[[\]\[0-9eE+.,\s-]*\]")


def is_header(line: bytes) -> bool:
    """Returns whether a line is the first row of such a file."""
    separator = _separator(line.decode(errors="replace"))
    names = line.decode(errors="replace").lower().split(separator)
    return "drawing" in (name.strip(' "\r\n') for name in names)


def read_rows(stream: BinaryIO) -> Iterator[bytes]:
    """Yields each row as one line of ndjson; a malformed row as it is.

    Raises:
      ValueError: the rows cannot be separated from here on.
    """
    csv.field_size_limit(MAX_LINE_BYTES)
    text = io.TextIOWrapper(
        stream, encoding="utf-8-sig", errors="surrogateescape", newline=""
    )
    try:
        header = text.readline()
        names = next(csv.reader([header], delimiter=_separator(header)))
        names = [name.strip().lower() for name in names]
        for row in csv.reader(text, delimiter=_separator(header)):
            if row:
                yield _to_json(names, row)
    except csv.Error as error:
        raise ValueError(f"malformed CSV: {error}") from None
    finally:
        with contextlib.suppress(ValueError):  # the file may be closed by now
            text.detach()


def _separator(header: str) -> str:
    return max(_SEPARATORS, key=header.count)


def _to_json(names: list[str], row: list[str]) -> bytes:
    fields = dict(zip(names, row))
    drawing = fields.get("drawing", "")
    metadata: dict[str, str | bool] = {
        name: fields[name] for name in _COLUMNS if fields.get(name)
    }
    if (recognized := fields.get("recognized")) in _BOOLEANS:
        metadata["recognized"] = _BOOLEANS[recognized]
    try:
        if len(row) != len(names) or not _NUMBERS_ONLY.fullmatch(drawing.strip()):
            raise UnicodeError  # to be rejected
        head = msgspec.json.encode(metadata).removesuffix(b"}")
        comma = b"," if metadata else b""
        drawing = " ".join(drawing.split()).replace(", ", ",")
        return head + comma + b'"drawing":' + drawing.encode() + b"}"
    except UnicodeError:
        line = ",".join(row).replace("\n", " ")
        return line.encode("utf-8", "surrogateescape") or b"-"
