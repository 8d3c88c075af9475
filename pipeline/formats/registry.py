"""All formats: which one a file has, how it is cut, how its blocks are parsed."""

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from pipeline.formats import (
    binary,
    ndjson_lines,
    npy_files,
    numpy_bitmap,
    png,
    sketchrnn,
)
from pipeline.formats.blocks import Block, Unreadable, cut_lines, gather
from pipeline.formats.drawing import Drawing, Parsed, parse_or_reason, word_of
from tfrecords import schema


class Format(NamedTuple):
    """How drawings of a format are parsed, and what they are.

    Attributes:
      parse: an item of a block and the word of its file → drawing, None if blank.
      parse_all: the same for all lines of a block, where there is a faster way.
      kind: what the records hold, of `schema.KINDS`.
      word_of: path → the word of its drawings, where they have none themselves.
    """

    parse: Callable[[bytes, str], Drawing | None]
    parse_all: Callable[[bytes], list[Parsed]] | None = None
    kind: str = schema.INK
    word_of: Callable[[str], str] = word_of


FORMATS = {
    ndjson_lines.SIMPLIFIED: Format(
        ndjson_lines.parse_simplified, ndjson_lines.parse_all_simplified
    ),
    ndjson_lines.RAW: Format(ndjson_lines.parse_raw),
    ndjson_lines.RAW_WITH_TIMES: Format(ndjson_lines.parse_raw_with_times),
    "binary": Format(binary.parse),
    "sketchrnn": Format(sketchrnn.parse),
    "bitmap": Format(numpy_bitmap.parse, kind=schema.BITMAP),
    "png": Format(png.parse, kind=schema.BITMAP, word_of=png.word_of),
}

_SUFFIXES = {".bin": "binary", ".npy": "bitmap", ".png": "png"}


def find_format(stream: BinaryIO, path: str) -> str:
    """Tells the format of a file by its suffix, else by its first bytes or lines.

    Raises:
      Unreadable: a `.npz` of another form.
    """
    name = path.removesuffix(".gz")
    for suffix, found in _SUFFIXES.items():
        if name.endswith(suffix):
            return found
    magic = stream.read(len(npy_files.NPY_MAGIC))
    if magic == npy_files.NPY_MAGIC:
        return "bitmap"
    if magic.startswith(png.MAGIC):
        return "png"
    stream.seek(0)
    if not name.endswith(".npz") and not magic.startswith(npy_files.NPZ_MAGIC):
        return ndjson_lines.find_format(stream)
    with npy_files.open_npz(stream) as archive:
        names = npy_files.names(archive)
    if names & set(sketchrnn.SPLITS):
        return "sketchrnn"
    if numpy_bitmap.IMAGES in names:
        return "bitmap"
    raise Unreadable(
        f"holds {', '.join(sorted(names)[:5])}: neither {', '.join(sketchrnn.SPLITS)} "
        f"nor {numpy_bitmap.IMAGES}, {numpy_bitmap.LABELS}"
    )


def cut(
    stream: BinaryIO, file: str, format: str, label_names: Sequence[str] | None = None
) -> Iterator[Block]:
    """Cuts a file of a known format into blocks of drawings.

    Args:
      stream: the file, from its beginning.
      file: its path.
      format: a key of `FORMATS`.
      label_names: the words that integer labels stand for, in their order.

    Raises:
      Unreadable: the file is not of that form, or asks for other settings.
    """
    if format == "sketchrnn":
        return sketchrnn.cut(stream, file, format)
    if format == "binary":
        return gather(binary.read_records(stream), file, format)
    if format == "bitmap":
        return gather(numpy_bitmap.read_images(stream, label_names), file, format)
    if format == "png":
        return gather(png.read_pictures(stream), file, format)
    return cut_lines(stream, file, format)


def parse(block: Block) -> list[Parsed]:
    """Parses the items of a block.

    Returns:
      For each item its drawing; None for a blank line; for what is no drawing the
      ValueError, with the message `kind[: detail]`.
    """
    if block.damage:
        return [ValueError(block.damage)]
    form = FORMATS[block.format]
    if form.parse_all is not None:
        return form.parse_all(block.data)
    word = form.word_of(block.file)
    return [parse_or_reason(form.parse, item, word) for item in block.items()]
