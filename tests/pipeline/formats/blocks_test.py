"""Blocks hold the very lines of the file, with their numbers."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.formats import blocks

texts = st.lists(st.sampled_from([b"a", b"{}", b"\n", b"\r\n", b"\x00\xff"])).map(
    b"".join
)


def numbered(found):
    return [
        (number, line)
        for block in found
        for number, line in enumerate(block.items(), block.first)
    ]


@given(texts | st.binary(), st.integers(1, 12))
@example(b"\n\n", 1)
@example(b"a\r\nb", 2)
def test_any_cut_gives_the_lines_of_the_file(text, block_bytes):
    found = list(blocks.cut_lines(io.BytesIO(text), "file", "raw", block_bytes))
    assert b"".join(block.data for block in found) == text
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    assert numbered(found) == list(enumerate(lines, 1))
    assert {(block.file, block.format) for block in found} <= {("file", "raw")}


def test_an_empty_file_has_no_blocks():
    assert not list(blocks.cut_lines(io.BytesIO(b""), "file", "raw"))


def test_of_a_line_over_the_limit_only_the_beginning_is_kept():
    long = b"x" * (3 * blocks.MAX_LINE_BYTES)
    for end in (b"\n", b"\nafter", b"\nafter\n"):
        text = b"before\n" + long + end
        lines = numbered(blocks.cut_lines(io.BytesIO(text), "file", "raw"))
        kept = lines.pop(1)
        assert kept[0] == 2
        assert blocks.MAX_LINE_BYTES < len(kept[1]) < 1.5 * blocks.MAX_LINE_BYTES
        assert lines == [(1, b"before"), (3, b"after")][: 1 + (b"after" in end)]


def test_a_line_over_the_limit_may_be_the_last():
    text = b"before\n" + b"x" * (3 * blocks.MAX_LINE_BYTES)
    lines = numbered(blocks.cut_lines(io.BytesIO(text), "file", "raw"))
    assert [number for number, _ in lines] == [1, 2]


def failing(items, error):
    yield from items
    raise error


@given(st.lists(st.binary(max_size=4)), st.integers(1, 12), st.integers(1, 9))
def test_any_gathering_gives_the_items(items, block_bytes, first):
    found = list(
        blocks.gather(items, "file", "png", block_bytes, first=first, split="test")
    )
    assert numbered(found) == list(enumerate(items, first))
    assert {block.split for block in found} <= {"test"}
    for block in found[:-1]:
        assert sum(map(len, block.data[:-1])) < block_bytes


@given(st.lists(st.binary(max_size=4)), st.integers(1, 12))
def test_one_item_stands_for_all_that_is_lost(items, block_bytes):
    lost = failing(items, ValueError("torn: here"))
    *whole, last = blocks.gather(lost, "file", "binary", block_bytes)
    assert numbered(whole) == list(enumerate(items, 1))
    assert (last.first, last.items(), last.damage) == (
        len(items) + 1,
        [b""],
        "torn: here",
    )
    assert not any(block.damage for block in whole)


def test_an_unreadable_file_is_no_lost_item():
    with pytest.raises(blocks.Unreadable):
        list(blocks.gather(failing([b"a"], blocks.Unreadable("x")), "file", "png"))


def test_what_is_kept_of_an_item_is_text_or_hexadecimal():
    assert blocks.Block("f", "raw", 1, b"").text_of(b"c\xffat") == "c\ufffdat"
    assert blocks.Block("f", "png", 1, []).text_of(b"c\xff") == "63ff"
    for data in (b"", []):
        kept = blocks.Block("f", "", 1, data).text_of(b"x" * 10**6)
        assert len(kept) == blocks.TEXT_LIMIT
