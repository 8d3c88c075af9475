"""Writes a data set as Parquet files, in the layout of the Hugging Face hub.

    data/train-00000-of-00002.parquet, …   names from which the hub derives the splits

    strokes   key_id, word, recognized, timestamp, countrycode, drawing {x, y}
              as in the configuration `preprocessed_simplified_drawings`
    bitmaps   image {bytes, path}, label
              as in the configuration `preprocessed_bitmaps`

The columns are those of https://huggingface.co/datasets/google/quickdraw. Classes are
integers, and the metadata has their names, as `datasets.ClassLabel` expects. pyarrow is
a dependency of Apache Beam.
"""

import datetime
import io
import json
import math
import os
from typing import Any

from pipeline import cli, strokes
from pipeline.convert.png_writer import get_bitmap
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo
from tfrecords.read import Record

MAX_ROWS_PER_FILE = 1_000_000
ROWS_PER_GROUP = 5_000

_RECOGNIZED = {number: value for value, number in schema.RECOGNIZED_VALUES.items()}


class ParquetWriter:
    """Writes `data/<split>-<index>-of-<count>.parquet`."""

    def __init__(self, folder: str, info: DatasetInfo):
        """Creates a writer; see `Writer`.

        Raises:
          ValueError: Pillow is needed for bitmaps, but not installed.
        """
        import pyarrow.parquet

        self._create_file = pyarrow.parquet.ParquetWriter
        self._folder = os.path.join(folder, "data")
        self._info = info
        self._columns = (
            _BitmapColumns() if info.kind == schema.BITMAP else _InkColumns()
        )
        self._schema = self._columns.make_schema(info.classes)
        self._paths: list[str] = []
        self._file: Any = None
        self._rows: list[dict[str, Any]] = []
        self._rows_in_file = 0
        os.makedirs(self._folder)

    def start_split(self, split: str) -> None:
        """Starts the first file of a split."""
        self.close()
        count = max(math.ceil(self._info.splits[split].examples / MAX_ROWS_PER_FILE), 1)
        self._paths = [
            os.path.join(self._folder, f"{split}-{index:05d}-of-{count:05d}.parquet")
            for index in reversed(range(count))
        ]
        self._open_file()

    def write(self, record: Record) -> None:
        """Writes a drawing.

        Raises:
          ValueError: The ink is invalid.
        """
        if self._rows_in_file == MAX_ROWS_PER_FILE:
            self.close()
            self._open_file()
        self._rows.append(self._columns.make_row(record))
        self._rows_in_file += 1
        if len(self._rows) == ROWS_PER_GROUP:
            self._write_row_group()

    def close(self) -> None:
        """Completes the current file."""
        if self._file is not None:
            self._write_row_group()
            self._file.close()
            self._file = None

    def _open_file(self) -> None:
        path = self._paths.pop()
        self._file = self._create_file(path, self._schema)
        self._rows_in_file = 0

    def _write_row_group(self) -> None:
        import pyarrow

        table = pyarrow.Table.from_pylist(self._rows, self._schema)
        self._file.write_table(table)
        self._rows.clear()


class _InkColumns:
    """The columns of a drawing of strokes."""

    def make_schema(self, classes: tuple[str, ...]) -> Any:
        """Makes the schema of the file."""
        import pyarrow as pa

        axis = pa.list_(pa.list_(pa.uint8()))
        fields = {
            "key_id": pa.string(),
            "word": pa.int64(),
            "recognized": pa.bool_(),
            "timestamp": pa.timestamp("us", tz="UTC"),
            "countrycode": pa.string(),
            "drawing": pa.struct({"x": axis, "y": axis}),
        }
        axis_feature = _sequence(_value("uint8"))
        features = {
            "key_id": _value("string"),
            "word": _class_label(classes),
            "recognized": _value("bool"),
            "timestamp": _value("timestamp[us, tz=UTC]"),
            "countrycode": _value("string"),
            "drawing": _sequence({"x": axis_feature, "y": axis_feature}),
        }
        return pa.schema(fields, _make_metadata(features))

    def make_row(self, record: Record) -> dict[str, Any]:
        """Makes a row; unknown values are null."""
        if record.ink is None:
            raise ValueError("the drawing is a bitmap in a data set of strokes")
        drawing = strokes.to_drawing(strokes.from_ink(record.ink))
        return {
            "key_id": record.key_id or None,
            "word": record.class_index,
            "recognized": _RECOGNIZED[record.recognized],
            "timestamp": _parse_timestamp(record.timestamp),
            "countrycode": record.countrycode or None,
            "drawing": {"x": [x for x, _ in drawing], "y": [y for _, y in drawing]},
        }


class _BitmapColumns:
    """The columns of a bitmap."""

    def __init__(self) -> None:
        self._image = cli.import_extra("PIL.Image", "png")

    def make_schema(self, classes: tuple[str, ...]) -> Any:
        """Makes the schema of the file."""
        import pyarrow as pa

        image = pa.struct({"bytes": pa.binary(), "path": pa.string()})
        features = {"image": {"_type": "Image"}, "label": _class_label(classes)}
        fields = {"image": image, "label": pa.int64()}
        return pa.schema(fields, _make_metadata(features))

    def make_row(self, record: Record) -> dict[str, Any]:
        """Makes a row with the bitmap as PNG."""
        file = io.BytesIO()
        self._image.fromarray(get_bitmap(record)).save(file, "PNG")
        image = {"bytes": file.getvalue(), "path": None}
        return {"image": image, "label": record.class_index}


# Features as JSON, https://huggingface.co/docs/datasets/about_dataset_features.


def _value(dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "_type": "Value"}


def _sequence(feature: dict[str, Any]) -> dict[str, Any]:
    return {"feature": feature, "_type": "Sequence"}


def _class_label(classes: tuple[str, ...]) -> dict[str, Any]:
    return {"names": list(classes), "_type": "ClassLabel"}


def _make_metadata(features: dict[str, Any]) -> dict[str, str]:
    return {"huggingface": json.dumps({"info": {"features": features}})}


def _parse_timestamp(text: str) -> datetime.datetime | None:
    """Parses `2017-03-09 00:28:55.637750 UTC`; returns None for any other text."""
    try:
        time = datetime.datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        return None
    return time.replace(tzinfo=time.tzinfo or datetime.UTC)
