"""Files → blocks of drawings: who reads what, and how a file is read."""

import contextlib
import gzip
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline.formats import registry
from pipeline.formats.blocks import Block


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


def read_file(
    path: str,
    size: int,
    input_format: str = "auto",
    label_names: Sequence[str] | None = None,
    *,
    on_bytes_read: Callable[[int], None] | None = None,
) -> Iterator[Block]:
    """Reads a file, plain or `.gz`, local or remote, as blocks of drawings.

    Args:
      path: the file.
      size: how many bytes it had when the job began.
      input_format: one of `INPUT_FORMATS`.
      label_names: the words that integer labels stand for, in their order.
      on_bytes_read: called with the number of bytes that were read since the last
        call.

    Raises:
      Unreadable: the file is of no known form, or asks for other settings.
      EOFError, gzip.BadGzipFile, zlib.error: a `.gz` that is cut off or damaged, or
        a file that has become shorter.
    """
    raw = CompressionTypes.UNCOMPRESSED
    with FileSystems.open(path, compression_type=raw) as file:
        counted = _CountingStream(file, on_bytes_read or (lambda _: None))
        with _unpacked(counted, path) as stream:
            name = input_format
            if name == "auto":
                name = registry.find_format(stream, path)
                stream.seek(0)
            yield from registry.cut(stream, path, name, label_names)
        final_size = counted.finish()
    if final_size < size:
        raise EOFError(f"it had {size} bytes, and {final_size} when it was read")


@contextlib.contextmanager
def _unpacked(file: BinaryIO, path: str) -> Iterator[BinaryIO]:
    if not path.endswith(".gz"):
        yield file
        return
    # Beam's own reader takes a file that is cut off for a whole one.
    stream = gzip.GzipFile(fileobj=file)
    if not path.endswith(".npz.gz"):
        yield stream
        return
    # An archive's directory is at its end, where gzip does not like to go.
    with tempfile.TemporaryFile() as unpacked:
        shutil.copyfileobj(stream, unpacked)
        unpacked.seek(0)
        yield unpacked


class _CountingStream:
    """A stream that reports each byte of a file once, as it is read.

    An archive is read from its end and then from its beginning: bytes are reported
    when all bytes before them have been read.
    """

    def __init__(self, stream: Any, on_bytes_read: Callable[[int], None]):
        self._stream = stream
        self._on_bytes_read = on_bytes_read
        self._reported = 0
        self.seek, self.tell = stream.seek, stream.tell
        self.seekable = stream.seekable

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        end = self._stream.tell()
        if end - len(data) <= self._reported:
            self._report_up_to(end)
        return data

    def finish(self) -> int:
        """Reports the remaining bytes and returns the current size of the file."""
        end = self._stream.seek(0, os.SEEK_END)
        self._report_up_to(end)
        return end

    def _report_up_to(self, end: int) -> None:
        if end > self._reported:
            self._on_bytes_read(end - self._reported)
            self._reported = end
