"""Files → blocks of lines: who reads what, and how a file is read."""

import gzip
from collections.abc import Iterator
from typing import Any, NamedTuple

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline.blocks import Block, read_blocks
from pipeline.progress import Meter


class Share(NamedTuple):
    """Each `of`-th block of a file, from the `number`-th on; `size` is in bytes."""

    path: str
    size: int
    number: int = 0
    of: int = 1


def share_out(sizes: dict[str, int], workers: int) -> list[Share]:
    """Cuts the reading of files into equal work for some workers.

    Files that are many are dealt out by size. Of few, each worker passes over all and
    takes its part of the blocks: to pass over a block costs a twentieth of parsing it.
    """
    paths = sorted(sizes, key=lambda path: (-sizes[path], path))
    of = 1 if len(paths) >= 16 * workers else workers
    return [
        Share(path, sizes[path], number, of) for path in paths for number in range(of)
    ]


def read_file(path: str, size: int, meter: Meter) -> Iterator[Block]:
    """Reads a file, plain or `.gz`, local or remote, as blocks of lines.

    Args:
      path: the file.
      size: how many bytes it had when the job began.
      meter: is told how many bytes were read.

    Raises:
      EOFError, gzip.BadGzipFile, zlib.error: a `.gz` that is cut off or damaged, or
        a file that has become shorter.
    """
    raw = CompressionTypes.UNCOMPRESSED
    with FileSystems.open(path, compression_type=raw) as file:
        stream = metered = _Metered(file, meter)
        if path.endswith(".gz"):
            # Beam's own reader takes a file that is cut off for a whole one.
            stream = gzip.GzipFile(fileobj=metered)
        yield from read_blocks(stream, path)
    if metered.bytes < size:
        raise EOFError(f"it had {size} bytes, and {metered.bytes} when it was read")


class _Metered:
    """A stream whose bytes are counted as they are read."""

    def __init__(self, stream: Any, meter: Meter):
        self.bytes = 0
        self._stream = stream
        self._meter = meter

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self.bytes += len(data)
        self._meter.add(bytes=len(data))
        return data
