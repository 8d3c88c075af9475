"""Opens files of drawings, plain or gzipped, local or remote."""

import contextlib
import gzip
import io
import itertools
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NamedTuple, cast

from pipeline.formats import parquet, registry
from pipeline.formats.blocks import BLOCK_BYTES, Block
from pipeline.formats.drawing import Drawing
from pipeline.formats.input_files import STDIN
from pipeline.formats.numpy_files import npy
from pipeline.formats.registry import Detected
from tfrecords import storage

_LINES_SUFFIXES = (".ndjson", ".jsonl")
_READ_FROM_END = (npy.NPZ_MAGIC, parquet.MAGIC)

FileErrors = (EOFError, zlib.error, gzip.BadGzipFile, OSError, ValueError)
"""What reading a file raises; ValueError includes `UnreadableFileError`."""


class Share(NamedTuple):
    """A part of a file.

    Of a plain file of lines it is a range of bytes. Of other files it is every `of`-th
    block, starting with block `number`; the blocks between them are skipped.

    Attributes:
      path: the file.
      size: its size in bytes.
      number: index of the part.
      of: number of parts.
    """

    path: str
    size: int
    number: int = 0
    of: int = 1

    @property
    def byte_range(self) -> tuple[int, int | None]:
        """Returns the first byte and the byte after the last; None if at the end."""
        end = self.size * (self.number + 1) // self.of
        is_last = self.number == self.of - 1
        return self.size * self.number // self.of, None if is_last else end


class InputItem(NamedTuple):
    """One item of a file and what it was parsed to.

    Attributes:
      path: the file.
      number: number of the item in the file, counted from 1; in text the line number.
      parsed: the drawing, or the reason why it is none.
    """

    path: str
    number: int
    parsed: Drawing | ValueError


def divide_files(
    sizes: dict[str, int], readers: int, max_passes: int | None = None
) -> list[Share]:
    """Divides the reading of files, the largest first.

    Args:
      sizes: path of each file to its size in bytes.
      readers: number of parts of each file; fewer of small files of lines.
      max_passes: maximum number of parts of a file if every reader has to pass over
        all of it. Skipping a block costs a twentieth of parsing it.
    """
    shares = []
    for path in sorted(sizes, key=lambda path: (-sizes[path], path)):
        if path.lower().endswith(_LINES_SUFFIXES):
            of = min(readers, -(-sizes[path] // BLOCK_BYTES))
        else:
            of = min(readers, max_passes or readers)
        of = max(of, 1)
        shares += [Share(path, sizes[path], number, of) for number in range(of)]
    return shares


def read_drawings(
    sizes: dict[str, int],
    input_format: str = "auto",
    label_names: Sequence[str] | None = None,
    *,
    needs_words: bool = True,
    on_detected: Callable[[str, Detected], None] | None = None,
) -> Iterator[InputItem]:
    """Reads the drawings of files one by one, in order; blank lines are skipped.

    Args:
      sizes: path of each file to its size in bytes, from `input_files.match_files`.
      input_format: one of `INPUT_FORMATS`.
      label_names: class names of integer labels, in the order of the labels.
      needs_words: see `registry.parse`.
      on_detected: called with the path and the format of each file.

    Raises:
      ValueError: a file cannot be read; its path is named.
    """
    for path, size in sizes.items():
        try:
            blocks = read_file(
                Share(path, size), input_format, label_names, on_detected=on_detected
            )
            for block in blocks:
                parsed = registry.parse(block, needs_words)
                for number, result in enumerate(parsed, block.first):
                    if result is not None:
                        yield InputItem(path, number, result)
        except FileErrors as error:
            raise ValueError(f"cannot read {path}: {error}") from None


def read_file(
    share: Share,
    input_format: str = "auto",
    label_names: Sequence[str] | None = None,
    *,
    on_bytes_read: Callable[[int], None] | None = None,
    on_detected: Callable[[str, Detected], None] | None = None,
) -> Iterator[Block]:
    """Reads a share of a file as blocks of drawings.

    Args:
      share: what to read, by default all of the file; its path may be `STDIN`.
      input_format: one of `INPUT_FORMATS`.
      label_names: class names of integer labels, in the order of the labels.
      on_bytes_read: called with the number of bytes that were read since the last
        call. The numbers of all shares add up to the size of the file.
      on_detected: called with the path and the format of the file.

    Raises:
      UnreadableFileError: the file has no known format, or needs other settings.
      EOFError, gzip.BadGzipFile, zlib.error: a gzipped file is cut off or damaged, or
        the file has become shorter.
    """
    path, number, of = share.path, share.number, share.of
    with _open(path) as file:
        counted = _CountingStream(file, on_bytes_read or (lambda _: None), of)
        packed = cast(BinaryIO, counted)
        with _open_unpacked(packed) as stream:
            detected = registry.detect(stream, path, input_format)
            if on_detected is not None:
                on_detected(path, detected)
            stream.seek(0)
            if of > 1 and stream is packed and registry.has_lines(stream, detected):
                start, end = share.byte_range
                counted.count_range(start, end)
                yield from registry.cut_range(stream, path, detected, start, end)
            else:
                blocks = registry.cut(stream, path, detected, label_names)
                yield from itertools.islice(blocks, number, None, of)
        final_size = counted.finish()
    if final_size < share.size:
        raise EOFError(f"it had {share.size} bytes, and {final_size} when it was read")


def _open(path: str) -> BinaryIO:
    if path != STDIN:
        return storage.open_read(path)
    # Detection reads the beginning of a file twice, which a pipe does not allow.
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes
    shutil.copyfileobj(sys.stdin.buffer, file)
    file.seek(0)
    return file


@contextlib.contextmanager
def _open_unpacked(file: BinaryIO) -> Iterator[BinaryIO]:
    """Yields the content of a file that may be gzipped, as its first bytes tell."""
    magic = file.read(len(registry.GZIP_MAGIC))
    file.seek(0)
    if magic != registry.GZIP_MAGIC:
        yield file
        return
    # Beam's own reader accepts a file that is cut off.
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=file))
    magic = stream.read(max(map(len, _READ_FROM_END)))
    stream.seek(0)
    if not magic.startswith(_READ_FROM_END):
        yield stream
        return
    # Its directory is at the end, and gzip is slow at reading from there.
    with tempfile.TemporaryFile() as unpacked:
        shutil.copyfileobj(stream, unpacked)
        unpacked.seek(0)
        yield cast(BinaryIO, unpacked)


class _CountingStream(io.RawIOBase):
    """A stream that reports each byte of a file once, as it is read.

    An archive is read from its end and then from its beginning: bytes are reported
    when all bytes before them have been read.

    Args:
      stream: the file.
      on_bytes_read: called with numbers of bytes.
      passes: number of readers that pass over all of the file; each reports a part.
    """

    def __init__(
        self, stream: BinaryIO, on_bytes_read: Callable[[int], None], passes: int
    ):
        self._stream = stream
        self._on_bytes_read = on_bytes_read
        self._passes = passes
        self._start, self._end = 0, sys.maxsize
        self._position = 0  # all bytes from the start to here have been read
        self._reported = 0

    def count_range(self, start: int, end: int | None) -> None:
        """Reports the bytes of a range only, less those reported before."""
        self._passes = 1
        self._start, self._end = start, sys.maxsize if end is None else end
        self._position = start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int | None = -1) -> bytes:
        data = self._stream.read(-1 if size is None else size)
        end = self._stream.tell()
        if end - len(data) <= self._position:
            self._report_up_to(end)
        return data

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def finish(self) -> int:
        """Reports the remaining bytes and returns the current size of the file."""
        end = self._stream.seek(0, os.SEEK_END)
        self._report_up_to(end)
        return end

    def _report_up_to(self, position: int) -> None:
        self._position = max(self._position, min(position, self._end))
        count = (self._position - self._start) // self._passes
        if count > self._reported:
            self._on_bytes_read(count - self._reported)
            self._reported = count
