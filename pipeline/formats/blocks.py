"""Files cut into blocks of complete drawings.

A block is an element of the Beam job: a few large elements, since each element costs
time of its own.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from pipeline import cli

BLOCK_BYTES = 4 << 20
MAX_LINE_BYTES = 8 << 20
"""A longer line is not a drawing; little more than this is held in memory."""

MAX_REJECTED_TEXT = 64 << 10
"""Number of characters of a rejected item that are kept."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class UnreadableFileError(ValueError):
    """A whole file cannot be read with these settings: the job fails."""


def require_library(name: str, extra: str) -> None:
    """Checks that a library is installed, which an extra of the package installs.

    Raises:
      UnreadableFileError: it is not.
    """
    try:
        cli.import_extra(name, extra)
    except ValueError as error:
        raise UnreadableFileError(str(error)) from None


@dataclasses.dataclass(frozen=True)
class Block:
    """Complete drawings of one file, not yet parsed.

    Attributes:
      file: path of the file.
      format: how to parse the items, a key of `registry.FORMATS`.
      first: number of the first item, counted from 1; in text the line number,
        counted from `offset`.
      data: lines with their ends (the last line of the file may lack it), or items.
      split: the split that the items were published in, empty if none.
      word: class name of the items that have none themselves.
      reason: why the file has this format; empty if its content leaves no doubt.
      damage: the reason why its single item and the rest of the file cannot be read.
      offset: the byte from which the items are counted, if not from the file's start.
    """

    file: str
    format: str
    first: int
    data: bytes | list[bytes]
    split: str = ""
    word: str = ""
    reason: str = ""
    damage: str = ""
    offset: int = 0

    @property
    def is_first(self) -> bool:
        """Returns whether this is the first block of its file."""
        return self.first == 1 and not self.offset

    def items(self) -> list[bytes]:
        """Returns the items one by one, lines without their ends."""
        if isinstance(self.data, bytes):
            return self.data.removesuffix(b"\n").split(b"\n")
        return self.data

    def rejected_text(self, item: bytes) -> str:
        """Returns what to keep of a rejected item: text, or hexadecimal if binary."""
        if isinstance(self.data, bytes):
            text = item[: 4 * MAX_REJECTED_TEXT].decode(errors="replace")
            return text[:MAX_REJECTED_TEXT]
        try:
            if b"\0" not in item:
                return item.decode()[:MAX_REJECTED_TEXT]
        except UnicodeDecodeError:
            pass
        return item[: MAX_REJECTED_TEXT // 2].hex()


def cut_lines(
    stream: BinaryIO, file: str, format: str, block_bytes: int = BLOCK_BYTES
) -> Iterator[Block]:
    """Cuts a stream of lines into blocks at line ends.

    Only the first `MAX_LINE_BYTES` and a little more of a longer line are kept, enough
    for it to be rejected; the lines after it keep their numbers.
    """
    line = 1
    rest = b""
    if stream.tell() == 0:
        rest = stream.read(len(BYTE_ORDER_MARK)).removeprefix(BYTE_ORDER_MARK)
    skipping = False  # the rest of a line that is too long
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


def cut_items(
    items: Iterable[bytes],
    file: str,
    format: str,
    block_bytes: int = BLOCK_BYTES,
    *,
    first: int = 1,
    split: str = "",
    as_lines: bool = False,
) -> Iterator[Block]:
    """Collects items into blocks.

    If `items` raises ValueError, the rest of the file is lost. An empty item with the
    reason as its `damage` stands for it, so that it is rejected and counted.

    Args:
      items: bytes of one drawing each.
      file: see `Block`.
      format: see `Block`.
      block_bytes: a block ends when its items have this many bytes.
      first: number of the first item.
      split: see `Block`.
      as_lines: whether to join the items, which hold no line end, to lines.

    Raises:
      UnreadableFileError: `items` raises it.
    """
    held: list[bytes] = []
    size = 0
    damage = ""

    def make_block() -> Block:
        data = b"\n".join(held) + b"\n" if as_lines else held
        return Block(file, format, first, data, split)

    try:
        for item in items:
            held.append(item)
            size += len(item)
            if size >= block_bytes:
                yield make_block()
                first += len(held)
                held, size = [], 0
    except UnreadableFileError:
        raise
    except ValueError as error:
        damage = str(error)
    if held:
        yield make_block()
    if damage:
        yield Block(file, format, first + len(held), [b""], split, damage=damage)
