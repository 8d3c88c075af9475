"""Writes drawings as Google's simplified ndjson.

Source: https://github.com/googlecreativelab/quickdraw-dataset.
"""

import collections
import os

import ndjson

from pipeline import strokes
from pipeline.convert.file_names import make_safe_name
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo
from tfrecords.read import Record

BUFFER_CHARACTERS = 64 << 10
"""Size of the lines of a class that are appended to its file together."""

_RECOGNIZED = {number: value for value, number in schema.RECOGNIZED_VALUES.items()}


class NdjsonWriter:
    """Writes one file per class, `<class>.ndjson`, with one drawing per line."""

    def __init__(self, folder: str, info: DatasetInfo):
        """Creates a writer; see `Writer`."""
        self._folder = folder
        self._classes = info.classes
        self._lines: dict[str, list[str]] = collections.defaultdict(list)
        self._sizes: collections.Counter[str] = collections.Counter()

    def start_split(self, split: str) -> None:
        """Does nothing: a file has the drawings of all splits."""

    def write(self, record: Record) -> None:
        """Writes a drawing.

        Raises:
          ValueError: The drawing is a bitmap, or its ink is invalid.
        """
        word = self._classes[record.class_index]
        line = format_line(word, record)
        self._lines[word].append(line)
        self._sizes[word] += len(line)
        if self._sizes[word] > BUFFER_CHARACTERS:
            self._flush(word)

    def close(self) -> None:
        """Writes all buffered lines."""
        for word in list(self._lines):
            self._flush(word)

    def _flush(self, word: str) -> None:
        path = os.path.join(self._folder, f"{make_safe_name(word)}.ndjson")
        with open(path, "a", encoding="utf-8", newline="\n") as file:
            file.writelines(self._lines.pop(word))
        del self._sizes[word]


def format_line(word: str, record: Record) -> str:
    """Formats a drawing as a line, without unknown fields.

    Raises:
      ValueError: The drawing is a bitmap, or its ink is invalid.
    """
    if record.ink is None:
        raise ValueError("ndjson needs strokes, but the drawing is a bitmap; use png")
    fields = {
        "word": word,
        "countrycode": record.countrycode or None,
        "timestamp": record.timestamp or None,
        "recognized": _RECOGNIZED[record.recognized],
        "key_id": record.key_id or None,
        "drawing": strokes.to_drawing(strokes.from_ink(record.ink)),
    }
    known = {name: value for name, value in fields.items() if value is not None}
    return ndjson.dumps([known], ensure_ascii=False, separators=(",", ":")) + "\n"
