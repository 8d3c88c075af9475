"""Ranges of bytes together hold each line once."""

import functools
import io
import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.formats import blocks
from pipeline.formats.text.line_ranges import LineNumbers, LineRange

texts = st.lists(st.sampled_from([b"a", b"bcd", b"\n", b"\xef\xbb\xbf"])).map(b"".join)


@given(texts, st.lists(st.integers(0, 30)), st.integers(1, 9))
@example(b"a\nb\n", [2], 9)
@example(b"abcdefgh\n", [2, 4], 1)
def test_ranges_hold_the_lines_that_start_in_them(text, ends, piece):
    starts = [0, *sorted(ends)]
    found = []
    for start, end in itertools.zip_longest(starts, starts[1:]):
        lines = LineRange(io.BytesIO(text), start, end)
        offset = lines.offset
        data = b"".join(iter(functools.partial(lines.read, piece), b""))
        assert not data or (start <= offset and text[offset:].startswith(data))
        assert not data or end is None or offset < end
        found.append(data)
    assert b"".join(found) == text


@given(texts, st.lists(st.integers(3, 30)))
def test_blocks_of_ranges_have_the_lines_of_the_file(text, ends):
    """Also after a byte order mark within the file, which is left as it is."""
    starts = [0, *sorted(ends)]
    found = b""
    for start, end in itertools.zip_longest(starts, starts[1:]):
        lines = LineRange(io.BytesIO(text), start, end)
        found += b"".join(block.data for block in blocks.cut_lines(lines, "f", "raw"))
    assert found == text.removeprefix(blocks.BYTE_ORDER_MARK)


def test_a_line_over_the_limit_belongs_to_one_range():
    text = b"before\n" + b"x" * (3 * blocks.MAX_LINE_BYTES) + b"\nafter\n"
    middle = len(text) // 2
    parts = [
        [
            (number, len(line))
            for block in blocks.cut_lines(
                LineRange(io.BytesIO(text), *ends), "f", "raw"
            )
            for number, line in enumerate(block.items(), block.first)
        ]
        for ends in ((0, 100), (100, middle), (middle, None))
    ]
    assert [number for number, _ in parts[0]] == [1, 2]
    assert not parts[1]
    assert parts[2] == [(1, len(b"after"))]


@pytest.mark.parametrize("offsets", [(0, 4, 2, 9), (9, 9, 4)])
def test_lines_before_a_position_are_counted(tmp_path, offsets):
    path = tmp_path / "lines.ndjson"
    path.write_bytes(b"a\nb\n\nccc\n")
    line_numbers = LineNumbers()
    expected = {0: 0, 2: 1, 4: 2, 9: 4}
    for offset in offsets:
        assert line_numbers.count_before(str(path), offset) == expected[offset]
