"""Drawings to the bytes of a shard."""

import gzip
import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from pipeline import strokes
from pipeline.formats.drawing import Drawing
from tfrecords import encode, storage

BATCH_DRAWINGS = 256
"""Drawings whose points become ink together, which is faster than one by one."""


class AssignedDrawing(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A drawing on its way to its shard; see `splits.Assignment`."""

    sort_key: bytes
    rank: int
    drawing: Drawing


class Record(NamedTuple):
    """An encoded drawing.

    Attributes:
      sort_key: its position in the shard.
      example: a serialized `tf.train.Example`.
      class_index: index of its class.
    """

    sort_key: bytes
    example: bytes
    class_index: int


def encode_drawings(
    rows: Iterable[AssignedDrawing], class_indices: dict[str, int]
) -> Iterator[Record]:
    """Encodes drawings as records (`tfrecords.schema`).

    Args:
      rows: the drawings.
      class_indices: word to the index of its class.
    """
    rows = iter(rows)
    while batch := list(itertools.islice(rows, BATCH_DRAWINGS)):
        drawings = [row.drawing for row in batch]
        packed = [each.packed for each in drawings if not each.is_bitmap]
        inks = iter(strokes.to_ink_batch(packed))
        for row, drawing in zip(batch, drawings):
            class_index = class_indices[drawing.word]
            example = encode.encode_example(
                ink=None if drawing.is_bitmap else next(inks),
                bitmap=drawing.bitmap if drawing.is_bitmap else None,
                class_index=class_index,
                key_id=drawing.key_id,
                countrycode=drawing.countrycode,
                timestamp=drawing.timestamp,
                recognized=drawing.recognized,
            )
            yield Record(row.sort_key, example, class_index)


class ShardFile:
    """A shard that is being written, compressed or not.

    Attributes:
      size: bytes written to storage so far.
    """

    def __init__(self, path: str, compression: str):
        self.size = 0
        self._file = storage.open_write(path)
        self._gzip = None
        if compression == "gzip":
            # mtime=0: the same records give the same bytes at any time.
            self._gzip = gzip.GzipFile("", "wb", 6, fileobj=_Sink(self), mtime=0)

    def write(self, data: bytes) -> None:
        """Writes framed records."""
        if self._gzip is None:
            self._write_through(data)
        else:
            self._gzip.write(data)

    def _write_through(self, data: bytes) -> int:
        self.size += len(data)
        self._file.write(data)
        return len(data)

    def __enter__(self) -> "ShardFile":
        return self

    def __exit__(self, *error: object) -> None:
        if self._gzip is not None:
            self._gzip.close()
        self._file.close()


class _Sink:
    """The file object that gzip writes the compressed bytes of a shard to."""

    def __init__(self, shard_file: ShardFile):
        self.write = shard_file._write_through

    def flush(self) -> None:
        pass
