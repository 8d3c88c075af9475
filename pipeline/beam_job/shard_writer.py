"""Placed drawings → the bytes of a shard."""

import gzip
import itertools
from collections.abc import Iterable, Iterator

import msgspec
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline import strokes
from pipeline.formats.drawing import Drawing
from tfrecords import encode

TOGETHER = 256
"""Drawings whose points become ink in one go."""


Record = tuple[bytes, bytes, int]
"""Order, serialised example, number of the class."""


class Placed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A drawing on its way to its shard."""

    order: bytes
    rank: int
    drawing: Drawing


def encode_drawings(rows: Iterable[Placed], index: dict[str, int]) -> Iterator[Record]:
    """Serialises drawings as the records of their class (`tfrecords.schema`)."""
    rows = iter(rows)
    while together := list(itertools.islice(rows, TOGETHER)):
        drawings = [row.drawing for row in together]
        inks = iter(
            strokes.to_ink_batch([d.packed for d in drawings if not d.is_bitmap])
        )
        for row, drawing in zip(together, drawings):
            number = index[drawing.word]
            record = encode.encode_example(
                ink=None if drawing.is_bitmap else next(inks),
                bitmap=drawing.bitmap if drawing.is_bitmap else None,
                class_index=number,
                key_id=drawing.key_id,
                countrycode=drawing.countrycode,
                timestamp=drawing.timestamp,
                recognized=drawing.recognized,
            )
            yield row.order, record, number


class ShardFile:
    """A file being written, compressed or not, that counts what lands on disk."""

    def __init__(self, path: str, compression: str):
        self.bytes = 0
        # Compressed here rather than by Beam, whose gzip header holds the time.
        self._file = FileSystems.create(
            path, compression_type=CompressionTypes.UNCOMPRESSED
        )
        self._gzip = None
        if compression == "gzip":
            sink = _Counted(self)
            self._gzip = gzip.GzipFile("", "wb", 6, fileobj=sink, mtime=0)
            self.write = self._gzip.write
        else:
            self.write = self.write_through

    def write_through(self, data: bytes) -> int:
        self.bytes += len(data)
        self._file.write(data)
        return len(data)

    def __enter__(self) -> "ShardFile":
        return self

    def __exit__(self, *error: object) -> None:
        if self._gzip is not None:
            self._gzip.close()
        self._file.close()


class _Counted:
    """The face of a `ShardFile` that gzip writes its output to."""

    def __init__(self, shard_file: ShardFile):
        self.write = shard_file.write_through

    def flush(self) -> None:
        pass
