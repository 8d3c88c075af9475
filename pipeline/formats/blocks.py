"""Files → blocks of whole drawings: few large elements, since each costs Beam time."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import BinaryIO

BLOCK_BYTES = 4 << 20
MAX_LINE_BYTES = 8 << 20
"""A longer line is no drawing; little more than so much of it is ever held."""

TEXT_LIMIT = 64 << 10
"""Characters of a rejected drawing that are kept."""


class Unreadable(ValueError):
    """A whole file that cannot be read with these settings: the job is to fail."""


@dataclasses.dataclass(frozen=True)
class Block:
    """Some whole drawings of one file, not yet parsed.

    Attributes:
      file: the file's path.
      format: how to parse them, a key of `pipeline.formats.reading.FORMATS`.
      first: number of the first drawing (of a text: of its line), counting from 1.
      data: lines with their ends (the file's last may lack one), or an item each.
      split: the split they were published in, empty where there is none.
      damage: why its one item, and all that follows in the file, cannot be read.
    """

    file: str
    format: str
    first: int
    data: bytes | list[bytes]
    split: str = ""
    damage: str = ""

    def items(self) -> list[bytes]:
        if isinstance(self.data, bytes):
            return self.data.removesuffix(b"\n").split(b"\n")
        return self.data

    def text_of(self, item: bytes) -> str:
        """What of an item is kept where it is rejected; hexadecimal if no line."""
        if isinstance(self.data, bytes):
            return item[: 4 * TEXT_LIMIT].decode(errors="replace")[:TEXT_LIMIT]
        return item[: TEXT_LIMIT // 2].hex()


def cut_lines(
    stream: BinaryIO, file: str, format: str, block_bytes: int = BLOCK_BYTES
) -> Iterator[Block]:
    """Cuts a stream of lines into blocks at line ends.

    Of a line longer than `MAX_LINE_BYTES` only the beginning goes on, still longer
    than that; the lines after it keep their numbers.
    """
    line = 1
    rest = b""
    skipping = False  # within a line that is too long
    while data := stream.read(block_bytes):
        if skipping:
            _, end, data = data.partition(b"\n")
            if not end:
                continue
            skipping = False
        whole, end, rest = (rest + data).rpartition(b"\n")
        if end:
            yield Block(file, format, line, whole + end)
            line += whole.count(b"\n") + 1
        if len(rest) > MAX_LINE_BYTES:
            yield Block(file, format, line, rest + b"\n")
            line += 1
            rest, skipping = b"", True
    if rest:
        yield Block(file, format, line, rest)


def gather(
    items: Iterable[bytes],
    file: str,
    format: str,
    block_bytes: int = BLOCK_BYTES,
    *,
    first: int = 1,
    split: str = "",
) -> Iterator[Block]:
    """Gathers items into blocks.

    Where `items` raises ValueError the rest of the file is lost: an empty item with
    the reason as its `damage` stands for it, so that it is rejected and counted.
    """
    held: list[bytes] = []
    size = 0
    damage = ""
    try:
        for item in items:
            held.append(item)
            size += len(item)
            if size >= block_bytes:
                yield Block(file, format, first, held, split)
                first += len(held)
                held, size = [], 0
    except Unreadable:
        raise
    except ValueError as error:
        damage = str(error)
    if held:
        yield Block(file, format, first, held, split)
    if damage:
        yield Block(file, format, first + len(held), [b""], split, damage)
