"""The table of input formats: how each is recognized, cut into blocks and parsed."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NamedTuple, cast

from pipeline.class_names import normalize_word
from pipeline.formats import (
    INPUT_FORMATS,
    binary,
    images,
    parquet,
    tfrecord,
    vector_ink,
    words,
)
from pipeline.formats.blocks import (
    BYTE_ORDER_MARK,
    Block,
    UnreadableFileError,
    cut_items,
    cut_lines,
)
from pipeline.formats.drawing import Drawing, Parsed, parse_or_error
from pipeline.formats.numpy_files import npy, numpy_bitmap, sketchrnn
from pipeline.formats.text import containers, ndjson_lines
from pipeline.formats.text.line_ranges import LineRange
from pipeline.formats.text.stroke_form import RAW, RAW_WITH_TIMES, SIMPLIFIED
from pipeline.strokes import POINTS
from tfrecords import schema

Cut = Callable[[BinaryIO, str, str, Sequence[str] | None], Iterator[Block]]


class InputFormat(NamedTuple):
    """An input format.

    Attributes:
      cut: stream, path, format name and label names → blocks.
      parse: an item of a block and its default class name (None if none is needed) →
        drawing, or None if blank.
      parse_all: the same for all lines of a block, where there is a faster way.
      kind: what the records hold, one of `schema.KINDS`.
      word_from_path: path → class name of drawings that have none themselves.
    """

    cut: Cut
    parse: Callable[[bytes, str | None], Drawing | None]
    parse_all: Callable[[bytes, str | None], list[Parsed]] | None = None
    kind: str = schema.INK
    word_from_path: Callable[[str], str] = words.word_from_file_name


class Detected(NamedTuple):
    """The format of a file.

    Attributes:
      format: a key of `FORMATS`.
      word: class name of drawings that have none themselves, from the path.
      reason: why it has this format; empty if its content leaves no doubt.
    """

    format: str
    word: str
    reason: str = ""


def _cut_text(
    stream: BinaryIO, path: str, name: str, _: Sequence[str] | None
) -> Iterator[Block]:
    return containers.cut(stream, path, name)


def _cut_sketchrnn(
    stream: BinaryIO, path: str, name: str, _: Sequence[str] | None
) -> Iterator[Block]:
    return sketchrnn.cut(stream, path, name)


def _cut_bitmaps(
    stream: BinaryIO, path: str, name: str, label_names: Sequence[str] | None
) -> Iterator[Block]:
    return cut_items(numpy_bitmap.read_images(stream, label_names), path, name)


def _cut_tfrecord(
    stream: BinaryIO, path: str, name: str, _: Sequence[str] | None
) -> Iterator[Block]:
    return cut_items(tfrecord.read_examples(stream, path), path, name)


def _cutter(read: Callable[[BinaryIO], Iterator[bytes]]) -> Cut:
    def cut(
        stream: BinaryIO, path: str, name: str, _: Sequence[str] | None
    ) -> Iterator[Block]:
        return cut_items(read(stream), path, name)

    return cut


_TEXT_PARSERS = {
    SIMPLIFIED: ndjson_lines.parse_simplified,
    RAW: ndjson_lines.parse_raw,
    RAW_WITH_TIMES: ndjson_lines.parse_raw_with_times,
}

FORMATS = {
    **{form: InputFormat(_cut_text, parse) for form, parse in _TEXT_PARSERS.items()},
    **{
        f"{form} {POINTS}": InputFormat(
            _cut_text, functools.partial(parse, layout=POINTS)
        )
        for form, parse in _TEXT_PARSERS.items()
    },
    SIMPLIFIED: InputFormat(
        _cut_text, ndjson_lines.parse_simplified, ndjson_lines.parse_all_simplified
    ),
    "binary": InputFormat(_cutter(binary.read_records), binary.parse),
    "sketchrnn": InputFormat(_cut_sketchrnn, sketchrnn.parse),
    "bitmap": InputFormat(_cut_bitmaps, numpy_bitmap.parse, kind=schema.BITMAP),
    "png": InputFormat(
        _cutter(images.read_pictures),
        images.parse,
        kind=schema.BITMAP,
        word_from_path=words.word_from_folder,
    ),
    "svg": InputFormat(
        _cutter(vector_ink.read_svg),
        vector_ink.parse_svg,
        word_from_path=words.word_from_path,
    ),
    "inkml": InputFormat(
        _cutter(vector_ink.read_inkml),
        vector_ink.parse_inkml,
        word_from_path=words.word_from_path,
    ),
    "tfrecord": InputFormat(_cut_tfrecord, tfrecord.parse),
}
"""The values of `--input_format`, and for text the forms that they are refined to."""

assert set(INPUT_FORMATS) - {"auto"} <= set(FORMATS)

GZIP_MAGIC = b"\x1f\x8b"

HEAD_BYTES = 4096
"""How much of a file is read to recognize it, unless it is text."""

_FOREIGN = {
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"%PDF": "a PDF file",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "an SQLite database",
    b"BZh": "a bzip2 file; unpack it",
    b"\xfd7zXZ": "an xz file; unpack it",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it",
    b"Rar!": "a RAR archive; unpack it",
    b"\x28\xb5\x2f\xfd": "a Zstandard file; unpack it",
    b"\x80\x04": "a Python pickle; save it as .npz or ndjson",
    b"BM": "a BMP picture; save it as PNG",
    b"II*\0": "a TIFF picture; save it as PNG",
    b"MM\0*": "a TIFF picture; save it as PNG",
    b"<!doctype html": "an HTML page; the download has probably failed",
    b"<html": "an HTML page; the download has probably failed",
}


def detect(stream: BinaryIO, path: str, input_format: str = "auto") -> Detected:
    """Recognizes the format of a file from its first bytes, else from its name.

    Args:
      stream: the file, from its beginning.
      path: its path.
      input_format: "auto", or the format if the user has named it.

    Raises:
      UnreadableFileError: the file has no known format.
    """
    name = input_format
    if name == "auto":
        name = _detect_by_content(stream, path)
        stream.seek(0)
    word = FORMATS[name].word_from_path(path)
    if name not in (SIMPLIFIED, RAW):
        return Detected(name, word)
    form = containers.find_form(stream, input_format)
    if form.has_words:
        return Detected(form.format, "", form.reason)
    return Detected(form.format, words.word_from_path(path), form.reason)


def _detect_by_content(stream: BinaryIO, path: str) -> str:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    if head.startswith(npy.NPY_MAGIC):
        return "bitmap"
    if images.is_picture(head):
        return "png"
    if head.startswith(parquet.MAGIC):
        return SIMPLIFIED if parquet.has_drawings(stream) else "bitmap"
    if head.startswith(npy.NPZ_MAGIC):
        return _detect_npz(stream)
    if tfrecord.is_tfrecord(head):
        return "tfrecord"
    suffix = path.lower().removesuffix(".gz").rpartition(".")[2]
    if suffix == "bin":
        return "binary"
    for magic, description in _FOREIGN.items():
        if head[: len(magic)].lower() == magic.lower():
            raise UnreadableFileError(f"looks like {description}")
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    if text.startswith(b"<"):
        return "inkml" if b"<ink" in text else "svg"
    if suffix in _SUFFIXES_WITH_MAGIC:
        raise UnreadableFileError(f"does not begin like a .{suffix} file")
    return SIMPLIFIED


def may_hold_drawings(head: bytes) -> bool:
    """Returns whether a file with any name that begins so may hold drawings."""
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    return (
        images.is_picture(head)
        or tfrecord.is_tfrecord(head)
        or head.startswith((npy.NPY_MAGIC, npy.NPZ_MAGIC, parquet.MAGIC, GZIP_MAGIC))
        or text.startswith((b"{", b"[", b"<svg", b"<?xml", b"<ink"))
    )


_SUFFIXES_WITH_MAGIC = (
    *("npy", "npz", "parquet"),
    *("png", "jpg", "jpeg", "gif", "webp"),
)


def _detect_npz(stream: BinaryIO) -> str:
    with npy.open_npz(stream) as archive:
        names = npy.array_names(archive)
    if names & set(sketchrnn.SPLITS):
        return "sketchrnn"
    if numpy_bitmap.IMAGES in names:
        return "bitmap"
    if not names:
        raise UnreadableFileError("looks like a zip archive; unpack it")
    raise UnreadableFileError(
        f"holds {', '.join(sorted(names)[:5])}: neither {', '.join(sketchrnn.SPLITS)} "
        f"nor {numpy_bitmap.IMAGES}, {numpy_bitmap.LABELS}"
    )


def cut(
    stream: BinaryIO,
    path: str,
    detected: Detected,
    label_names: Sequence[str] | None = None,
) -> Iterator[Block]:
    """Cuts a file into blocks of drawings.

    Args:
      stream: the file, from its beginning.
      path: its path.
      detected: its format.
      label_names: class names of integer labels, in the order of the labels.

    Raises:
      UnreadableFileError: the file does not have that format, or needs other settings.
    """
    for block in FORMATS[detected.format].cut(
        stream, path, detected.format, label_names
    ):
        yield dataclasses.replace(block, word=detected.word, reason=detected.reason)


def has_lines(stream: BinaryIO, detected: Detected) -> bool:
    """Returns whether a file can be cut at any line end."""
    is_text = FORMATS[detected.format].cut is _cut_text
    return is_text and containers.has_lines(stream)


def cut_range(
    stream: BinaryIO, path: str, detected: Detected, start: int, end: int | None
) -> Iterator[Block]:
    """Cuts the lines that start in a range of bytes into blocks.

    Args:
      stream: a file that `has_lines`.
      path: its path.
      detected: its format.
      start: first byte of the range.
      end: the byte after the range; None for the end of the file.
    """
    lines = LineRange(stream, start, end)
    for block in cut_lines(cast(BinaryIO, lines), path, detected.format):
        yield dataclasses.replace(
            block, word=detected.word, reason=detected.reason, offset=lines.offset
        )


def parse(block: Block, needs_words: bool = True) -> list[Parsed]:
    """Parses the items of a block.

    Args:
      block: a block of a format in `FORMATS`.
      needs_words: whether a drawing without a class name is rejected; where it is not,
        the name of its file is no substitute.

    Returns:
      For each item its drawing; None if it is blank; a ValueError with the message
      `kind[: detail]` if it is not a drawing.
    """
    if block.damage:
        return [ValueError(block.damage)]
    form = FORMATS[block.format]
    word = None
    if needs_words:
        try:
            word = normalize_word(block.word)
        except ValueError as error:
            return [error] * len(block.items())
    if form.parse_all is not None and isinstance(block.data, bytes):
        return form.parse_all(block.data, word)
    return [parse_or_error(form.parse, item, word) for item in block.items()]
