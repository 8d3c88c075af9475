"""Blocks hold the lines and items of a file, with their numbers."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.formats import blocks

texts = st.lists(st.sampled_from([b"a", b"{}", b"\n", b"\r\n", b"\x00\xff"])).map(
    b"".join
)


def numbered(cut):
    return [
        (number, line)
        for block in cut
        for number, line in enumerate(block.items(), block.first)
    ]


@given(texts | st.binary(), st.integers(1, 12))
@example(b"\n\n", 1)
@example(b"a\r\nb", 2)
def test_blocks_hold_the_lines_of_the_file(text, block_bytes):
    found = list(blocks.cut_lines(io.BytesIO(text), "file", "raw", block_bytes))
    assert b"".join(block.data for block in found) == text
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    assert numbered(found) == list(enumerate(lines, 1))
    assert {(block.file, block.format) for block in found} <= {("file", "raw")}


def test_an_empty_file_has_no_blocks():
    assert not list(blocks.cut_lines(io.BytesIO(b""), "file", "raw"))


def test_only_the_beginning_of_a_line_over_the_limit_is_kept():
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
def test_blocks_hold_the_items(items, block_bytes, first):
    found = list(
        blocks.cut_items(items, "file", "png", block_bytes, first=first, split="test")
    )
    assert numbered(found) == list(enumerate(items, first))
    assert {block.split for block in found} <= {"test"}
    for block in found[:-1]:
        assert sum(map(len, block.data[:-1])) < block_bytes


@given(st.lists(st.binary(max_size=4)), st.integers(1, 12))
def test_one_item_stands_for_the_lost_rest(items, block_bytes):
    lost = failing(items, ValueError("torn: here"))
    *whole, last = blocks.cut_items(lost, "file", "binary", block_bytes)
    assert numbered(whole) == list(enumerate(items, 1))
    assert (last.first, last.items(), last.damage) == (
        len(items) + 1,
        [b""],
        "torn: here",
    )
    assert not any(block.damage for block in whole)


def test_an_unreadable_file_is_not_a_lost_item():
    with pytest.raises(blocks.UnreadableFileError):
        list(
            blocks.cut_items(
                failing([b"a"], blocks.UnreadableFileError("x")), "file", "png"
            )
        )


def test_rejected_items_are_kept_as_text_or_hexadecimal():
    assert blocks.Block("f", "raw", 1, b"").rejected_text(b"c\xffat") == "c\ufffdat"
    assert blocks.Block("f", "png", 1, []).rejected_text(b"c\xff") == "63ff"
    for data in (b"", []):
        kept = blocks.Block("f", "", 1, data).rejected_text(b"x" * 10**6)
        assert len(kept) == blocks.MAX_REJECTED_TEXT


def test_items_may_be_joined_to_lines():
    (block,) = blocks.cut_items([b"{}", b"[]"], "file", "raw", as_lines=True)
    assert block.data == b"{}\n[]\n"
    assert block.items() == [b"{}", b"[]"]


def test_a_byte_order_mark_is_no_part_of_the_first_line():
    stream = io.BytesIO(blocks.BYTE_ORDER_MARK + b"{}\n")
    (block,) = blocks.cut_lines(stream, "file", "raw")
    assert block.items() == [b"{}"]
