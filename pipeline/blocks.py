"""Files → blocks of whole lines: few large elements, since each costs Beam time."""

import dataclasses
from collections.abc import Iterator
from typing import BinaryIO

BLOCK_BYTES = 4 << 20
MAX_LINE_BYTES = 8 << 20
"""A longer line is no drawing; little more than so much of it is ever held."""


@dataclasses.dataclass(frozen=True)
class Block:
    """Some whole lines of one file.

    Attributes:
      file: the file's path.
      first_line: number of the first line; lines count from 1.
      text: the lines with their ends (the file's last may lack one).
    """

    file: str
    first_line: int
    text: bytes

    def lines(self) -> list[bytes]:
        return self.text.removesuffix(b"\n").split(b"\n")


def read_blocks(
    stream: BinaryIO, file: str, block_bytes: int = BLOCK_BYTES
) -> Iterator[Block]:
    """Cuts a stream into blocks at line ends.

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
            yield Block(file, line, whole + end)
            line += whole.count(b"\n") + 1
        if len(rest) > MAX_LINE_BYTES:
            yield Block(file, line, rest + b"\n")
            line += 1
            rest, skipping = b"", True
    if rest:
        yield Block(file, line, rest)
