"""The first N drawings are found, however the bytes are split."""

import io
import itertools
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.download.drawing_counters import LineCounter, RecordCounter, RowCounter


def make_record(strokes):
    """Returns a drawing in the binary format, with these numbers of points."""
    packed = struct.pack("<Q2sbIH", 2**63, b"GB", 1, 2**31, len(strokes))
    for points in strokes:
        packed += struct.pack("<H", points) + bytes(points) + b"\xff" * points
    return packed


def make_npy(rows, **settings):
    out = io.BytesIO()
    pixels = np.arange(rows * 784).reshape(rows, 784).astype(np.uint8)
    np.lib.format.write_array(out, pixels, version=(1, 0), **settings)
    return out.getvalue()


def feed(counter, data, cuts):
    """Feeds the data in chunks that end at the cuts."""
    edges = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        counter.feed(data[start:end])
    return counter


lines = st.lists(st.binary(max_size=9).map(lambda text: text.replace(b"\n", b"")))
records = st.lists(st.lists(st.integers(0, 300), max_size=4), max_size=6)
limits = st.integers(1, 9)
cuts = st.lists(st.integers(0, 50), max_size=5)


@given(lines, limits, cuts)
def test_lines_are_counted(texts, limit, cuts):
    drawings = [text + b"\n" for text in texts]
    counter = feed(LineCounter(limit), b"".join(drawings) + b"more", cuts)
    assert counter.count == min(limit, len(drawings))
    assert counter.end_offset == sum(map(len, drawings[:limit]))
    assert counter.is_complete == (limit <= len(drawings))


@given(records, limits, cuts)
def test_records_are_counted(strokes, limit, cuts):
    drawings = [make_record(points) for points in strokes]
    counter = feed(
        RecordCounter(limit), b"".join(drawings) + make_record([5, 9])[:-1], cuts
    )
    assert counter.count == min(limit, len(drawings))
    assert counter.end_offset == sum(map(len, drawings[:limit]))
    assert counter.is_complete == (limit <= len(drawings))


@given(st.integers(0, 12), limits, cuts, st.integers(0, 783))
def test_rows_are_counted(rows, limit, cuts, missing):
    data = make_npy(rows)
    whole = rows if not missing or not rows else rows - 1
    counter = feed(RowCounter(limit), data[: len(data) - missing * bool(rows)], cuts)
    assert counter.count == min(limit, whole)
    assert counter.is_complete == (limit <= whole)
    assert counter.end_offset == len(data) - 784 * (rows - counter.count)


@given(st.integers(1, 120), st.integers(1, 120))
def test_a_finalized_npy_file_states_its_rows(rows, limit):
    source = make_npy(rows)
    counter = feed(RowCounter(limit), source, [])
    file = io.BytesIO(source[: counter.end_offset])
    counter.finalize(file)
    np.testing.assert_array_equal(
        np.load(io.BytesIO(file.getvalue())), np.load(io.BytesIO(source))[:limit]
    )
    # With the remaining rows appended, the file equals the source.
    file.seek(0, io.SEEK_END)
    file.write(source[counter.end_offset :])
    counter.finalize(file)
    assert file.getvalue() == source


def test_all_drawings_are_counted_without_a_limit():
    for counter, data in [
        (LineCounter(None), b"a\nb\nc\n"),
        (RecordCounter(None), make_record([1]) * 3),
        (RowCounter(None), make_npy(3)),
    ]:
        counter.feed(data)
        assert (counter.count, counter.end_offset, counter.is_complete) == (
            3,
            len(data),
            False,
        )


def edit_npy(change):
    old, new = change
    assert old in make_npy(3)
    return make_npy(3).replace(old, new)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html>", "not a .npy file of version 1.0"),
        (edit_npy((b"NUMPY\x01", b"NUMPY\x02")), "not a .npy file of version 1.0"),
        (edit_npy((b"False", b"True ")), "a .npy file of shape (3, 784) has no rows"),
        (edit_npy((b"(3, 784)", b"()      ")), "a .npy file of shape () has no rows"),
        (edit_npy((b"784", b"  0")), "a .npy file of shape (3, 0) has no rows"),
        (edit_npy((b"'|u1'", b"'|O' ")), "a .npy file of shape (3, 784) has no rows"),
        (
            edit_npy((b"shape", b"shade")),
            "no .npy header: Header does not contain the correct keys",
        ),
    ],
)
def test_a_file_that_is_not_npy_with_rows_is_rejected(data, reason):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        RowCounter(3).feed(data)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize("size", [5, 60, 128 + 784 * 2 + 1])
def test_a_truncated_npy_file_is_not_finalized(size):
    with pytest.raises(ValueError, match=f"incomplete .npy file: {size} bytes"):
        RowCounter(None).finalize(io.BytesIO(make_npy(3)[:size]))
