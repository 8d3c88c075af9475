"""Where the first N drawings end, however the bytes are cut into pieces."""

import io
import itertools
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drawing_counters import Lines, Records, Rows


def record(strokes):
    """A drawing in the binary format: strokes of so many points."""
    packed = struct.pack("<Q2sbIH", 2**63, b"GB", 1, 2**31, len(strokes))
    for points in strokes:
        packed += struct.pack("<H", points) + bytes(points) + b"\xff" * points
    return packed


def npy(rows, **settings):
    out = io.BytesIO()
    pixels = np.arange(rows * 784).reshape(rows, 784).astype(np.uint8)
    np.lib.format.write_array(out, pixels, version=(1, 0), **settings)
    return out.getvalue()


def feed(counter, data, cuts):
    """Feeds data in pieces that end at the cuts."""
    edges = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        counter.feed(data[start:end])
    return counter


lines = st.lists(st.binary(max_size=9).map(lambda text: text.replace(b"\n", b"")))
records = st.lists(st.lists(st.integers(0, 300), max_size=4), max_size=6)
numbers = st.integers(1, 9)
cuts = st.lists(st.integers(0, 50), max_size=5)


@given(lines, numbers, cuts)
def test_lines_end_where_they_end(texts, wanted, cuts):
    drawings = [text + b"\n" for text in texts]
    counter = feed(Lines(wanted), b"".join(drawings) + b"more", cuts)
    assert counter.count == min(wanted, len(drawings))
    assert counter.end == sum(map(len, drawings[:wanted]))
    assert counter.done == (wanted <= len(drawings))


@given(records, numbers, cuts)
def test_records_end_where_they_end(strokes, wanted, cuts):
    drawings = [record(points) for points in strokes]
    counter = feed(Records(wanted), b"".join(drawings) + record([5, 9])[:-1], cuts)
    assert counter.count == min(wanted, len(drawings))
    assert counter.end == sum(map(len, drawings[:wanted]))
    assert counter.done == (wanted <= len(drawings))


@given(st.integers(0, 12), numbers, cuts, st.integers(0, 783))
def test_rows_end_where_they_end(rows, wanted, cuts, missing):
    data = npy(rows)
    whole = rows if not missing or not rows else rows - 1
    counter = feed(Rows(wanted), data[: len(data) - missing * bool(rows)], cuts)
    assert counter.count == min(wanted, whole)
    assert counter.done == (wanted <= whole)
    assert counter.end == len(data) - 784 * (rows - counter.count)


@given(st.integers(1, 120), st.integers(1, 120))
def test_a_sealed_npy_has_the_rows_it_says(rows, wanted):
    source = npy(rows)
    counter = feed(Rows(wanted), source, [])
    file = io.BytesIO(source[: counter.end])
    counter.seal(file)
    np.testing.assert_array_equal(
        np.load(io.BytesIO(file.getvalue())), np.load(io.BytesIO(source))[:wanted]
    )
    # With the rest behind it, it is the source again.
    file.seek(0, io.SEEK_END)
    file.write(source[counter.end :])
    counter.seal(file)
    assert file.getvalue() == source


def test_all_are_counted_where_all_are_wanted():
    for counter, data in [
        (Lines(None), b"a\nb\nc\n"),
        (Records(None), record([1]) * 3),
        (Rows(None), npy(3)),
    ]:
        counter.feed(data)
        assert (counter.count, counter.end, counter.done) == (3, len(data), False)


def edited(change):
    old, new = change
    assert old in npy(3)
    return npy(3).replace(old, new)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html>", "not a .npy file of version 1.0"),
        (edited((b"NUMPY\x01", b"NUMPY\x02")), "not a .npy file of version 1.0"),
        (edited((b"False", b"True ")), "a .npy of shape (3, 784) has no rows to take"),
        (edited((b"(3, 784)", b"()      ")), "a .npy of shape () has no rows to take"),
        (edited((b"784", b"  0")), "a .npy of shape (3, 0) has no rows to take"),
        (edited((b"'|u1'", b"'|O' ")), "a .npy of shape (3, 784) has no rows to take"),
        (edited((b"shape", b"shade")), "Header does not contain the correct keys"),
    ],
)
def test_what_is_no_npy_of_rows_is_refused(data, reason):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Rows(3).feed(data)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize("size", [5, 60, 128 + 784 * 2 + 1])
def test_a_npy_that_ends_early_is_not_sealed(size):
    with pytest.raises(ValueError, match=f"{size} bytes, with rows of .* not whole"):
        Rows(None).seal(io.BytesIO(npy(3)[:size]))
