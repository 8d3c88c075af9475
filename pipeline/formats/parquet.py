"""Parquet files as Hugging Face publishes them (https://huggingface.co/datasets/google/quickdraw).

    raw, preprocessed_simplified_drawings    word, key_id, recognized, timestamp,
                                             countrycode, drawing {x, y[, t]}
    preprocessed_bitmaps                     image {bytes, path}, word
    sketch_rnn, sketch_rnn_full              drawing [[dx, dy, lift], …], word

`drawing` may also be strokes `[[xs, ys], …]` or JSON text. Labels are integers whose
names are in the schema's metadata. pyarrow comes with Apache Beam.
"""

import datetime
import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import msgspec

from pipeline.formats import images
from pipeline.formats.blocks import UnreadableFileError

MAGIC = b"PAR1"

DRAWING, IMAGE = "drawing", "image"
WORD_COLUMNS = ("word", "label")
"""The column with the class names, the first choice first."""

_ROWS_PER_BATCH = 1000
_METADATA = ("countrycode", "timestamp", "recognized", "key_id")


def has_drawings(stream: BinaryIO) -> bool:
    """Returns whether a file has strokes, and not pictures.

    Raises:
      UnreadableFileError: it has neither, or is not a parquet file.
    """
    names = _open(stream).schema_arrow.names
    stream.seek(0)
    if DRAWING not in names and IMAGE not in names:
        raise UnreadableFileError(
            f"parquet file without a column {DRAWING!r} or {IMAGE!r}. "
            f"Received: {', '.join(names[:10])}"
        )
    return DRAWING in names


def read_drawings(stream: BinaryIO) -> Iterator[bytes]:
    """Yields each row as one line of ndjson.

    Raises:
      UnreadableFileError: not a parquet file with strokes.
      ValueError: the file is damaged from here on.
    """
    for row in _read_rows(stream, (DRAWING, *_METADATA)):
        if isinstance(row.get("timestamp"), datetime.datetime):
            row["timestamp"] = f"{row['timestamp']:%Y-%m-%d %H:%M:%S.%f} UTC"
        if _is_steps(row.get(DRAWING)):
            row[DRAWING] = _steps_to_strokes(row[DRAWING])
        yield msgspec.json.encode({k: v for k, v in row.items() if v is not None})


def read_bitmaps(
    stream: BinaryIO, label_names: Sequence[str] | None = None
) -> Iterator[bytes]:
    """Yields the pixels `<uint8>[28, 28]` of each picture and then its class name.

    Raises:
      UnreadableFileError: not a parquet file with pictures.
      ValueError: the file is damaged from here on.
    """
    for row in _read_rows(stream, (IMAGE,), label_names):
        picture = row.get(IMAGE)
        data = picture.get("bytes") if isinstance(picture, dict) else picture
        if not isinstance(data, bytes):
            raise ValueError("malformed row: it has no picture")
        bitmap = images.read_bitmap(data)
        yield bitmap.tobytes() + str(row.get("word", "")).encode()


def _is_steps(value: Any) -> bool:
    """Returns whether a drawing is rows (dx, dy, lift), as Sketch-RNN has it."""
    return isinstance(value, list) and all(
        isinstance(row, list) and len(row) == 3 and row[2] in (0, 1) for row in value
    )


def _steps_to_strokes(rows: list[list[float]]) -> list[list[list[float]]]:
    """Sums the steps, and moves the points to minimum 0."""
    xs, ys = (list(itertools.accumulate(row[axis] for row in rows)) for axis in (0, 1))
    left, top = min(xs, default=0), min(ys, default=0)
    strokes: list[list[list[float]]] = []
    is_start = True
    for x, y, row in zip(xs, ys, rows):
        if is_start:
            strokes.append([[], []])
        strokes[-1][0].append(x - left)
        strokes[-1][1].append(y - top)
        is_start = row[2] == 1
    return strokes


def _read_rows(
    stream: BinaryIO,
    columns: Sequence[str],
    label_names: Sequence[str] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yields rows with the columns that exist; the class name is in "word"."""
    file = _open(stream)
    schema = file.schema_arrow
    word_column = next((name for name in WORD_COLUMNS if name in schema.names), "")
    names = label_names or _label_names(schema.metadata or {}, word_column)
    selected = [name for name in (*columns, word_column) if name in schema.names]
    try:
        for batch in file.iter_batches(_ROWS_PER_BATCH, columns=selected):
            for row in batch.to_pylist():
                word = row.pop(word_column, None)
                if isinstance(word, int):
                    word = _to_name(word, names, word_column)
                yield row if word is None else row | {"word": word}
    except UnreadableFileError:
        raise
    except Exception as error:  # pyarrow raises many types on damaged files
        raise ValueError(f"damaged parquet file: {_one_line(error)}")


def _to_name(label: int, names: Sequence[str] | None, column: str) -> str:
    if names is None:
        raise UnreadableFileError(
            f"the column {column!r} holds integers; --label_names names them"
        )
    if not 0 <= label < len(names):
        raise ValueError(f"label {label} of {len(names)} classes")
    return names[label]


def _open(stream: BinaryIO) -> Any:
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(stream)
    except Exception as error:  # as above
        raise UnreadableFileError(f"damaged parquet file: {_one_line(error)}")


def _label_names(metadata: dict[bytes, bytes], column: str) -> list[str] | None:
    """Returns the names that Hugging Face's `ClassLabel` gives the labels."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        names = features[column]["names"]
    except (KeyError, ValueError, TypeError):
        return None
    return names if isinstance(names, list) else list(names.values())


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
