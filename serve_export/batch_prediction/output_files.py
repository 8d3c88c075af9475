"""Writes predictions as ndjson, CSV or Parquet.

    ndjson   the lines of `serve_export.predict`
    csv      key_id, word, guess_1, probability_1, guess_2, …
    parquet  key_id, word, guesses: list of {word, probability}

`word` is the class name in the input, if there is one.
"""

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import msgspec

from serve_export.predict import make_result
from serve_export.predictor import Guess
from tfrecords import storage

ROW_GROUP_ROWS = 10_000
"""Rows of a row group of Parquet, which are held in memory."""


class PredictionRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The guesses for one drawing, and where the drawing was read."""

    file_number: int
    number: int
    key_id: str
    word: str
    guesses: list[tuple[str, float]]

    @property
    def sort_key(self) -> tuple[int, int]:
        """The order of the output is that of the input."""
        return self.file_number, self.number


def write_rows(
    rows: Iterable[PredictionRow], path: str, output_format: str, top_k: int
) -> int:
    """Writes predictions to a file; returns their number.

    Args:
      rows: in order.
      path: local or remote.
      output_format: one of `predict_batch.OUTPUT_FORMATS`.
      top_k: number of guesses per drawing.
    """
    count = 0

    def counted() -> Iterator[PredictionRow]:
        nonlocal count
        for count, row in enumerate(rows, 1):  # noqa: B007
            yield row

    with storage.open_write(path) as file:
        if output_format == "parquet":
            _write_parquet(counted(), file)
        elif output_format == "csv":
            _write_csv(counted(), file, top_k)
        else:
            _write_ndjson(counted(), file)
    return count


def _write_ndjson(rows: Iterable[PredictionRow], file: BinaryIO) -> None:
    for row in rows:
        guesses = [Guess(*guess) for guess in row.guesses]
        result = make_result(row.key_id, row.word, guesses)
        file.write(json.dumps(result, ensure_ascii=False).encode() + b"\n")


def _write_csv(rows: Iterable[PredictionRow], file: BinaryIO, top_k: int) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    names = [(f"guess_{n}", f"probability_{n}") for n in range(1, top_k + 1)]
    writer.writerow(["key_id", "word", *itertools.chain(*names)])
    for row in rows:
        writer.writerow([row.key_id, row.word, *itertools.chain(*row.guesses)])
        if text.tell() > 1 << 20:
            file.write(text.getvalue().encode())
            text.seek(0)
            text.truncate()
    file.write(text.getvalue().encode())


def _write_parquet(rows: Iterable[PredictionRow], file: BinaryIO) -> None:
    import pyarrow
    import pyarrow.parquet

    guess = pyarrow.struct(
        [("word", pyarrow.string()), ("probability", pyarrow.float32())]
    )
    schema = pyarrow.schema(
        [
            ("key_id", pyarrow.string()),
            ("word", pyarrow.string()),
            ("guesses", pyarrow.list_(guess)),
        ]
    )
    rows = iter(rows)
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        while group := list(itertools.islice(rows, ROW_GROUP_ROWS)):
            records = [
                {
                    "key_id": row.key_id,
                    "word": row.word or None,
                    "guesses": [Guess(*guess)._asdict() for guess in row.guesses],
                }
                for row in group
            ]
            writer.write_table(pyarrow.Table.from_pylist(records, schema))
