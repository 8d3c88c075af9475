"""Blocks hold the very lines of the file, with their numbers."""

import io

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline import blocks

texts = st.lists(st.sampled_from([b"a", b"{}", b"\n", b"\r\n", b"\x00\xff"])).map(
    b"".join
)


def numbered(found):
    return [
        (number, line)
        for block in found
        for number, line in enumerate(block.lines(), block.first_line)
    ]


@given(texts | st.binary(), st.integers(1, 12))
@example(b"\n\n", 1)
@example(b"a\r\nb", 2)
def test_any_cut_gives_the_lines_of_the_file(text, block_bytes):
    found = list(blocks.read_blocks(io.BytesIO(text), "file", block_bytes))
    assert b"".join(block.text for block in found) == text
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    assert numbered(found) == list(enumerate(lines, 1))
    assert {block.file for block in found} <= {"file"}


def test_an_empty_file_has_no_blocks():
    assert not list(blocks.read_blocks(io.BytesIO(b""), "file"))


def test_of_a_line_over_the_limit_only_the_beginning_is_kept():
    long = b"x" * (3 * blocks.MAX_LINE_BYTES)
    for end in (b"\n", b"\nafter", b"\nafter\n"):
        text = b"before\n" + long + end
        lines = numbered(blocks.read_blocks(io.BytesIO(text), "file"))
        kept = lines.pop(1)
        assert kept[0] == 2
        assert blocks.MAX_LINE_BYTES < len(kept[1]) < 1.5 * blocks.MAX_LINE_BYTES
        assert lines == [(1, b"before"), (3, b"after")][: 1 + (b"after" in end)]


def test_a_line_over_the_limit_may_be_the_last():
    text = b"before\n" + b"x" * (3 * blocks.MAX_LINE_BYTES)
    lines = numbered(blocks.read_blocks(io.BytesIO(text), "file"))
    assert [number for number, _ in lines] == [1, 2]
