"""Conversions between the forms of a drawing are lossless."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import simplification, strokes

coordinates = st.integers(0, 255)
drawings = st.lists(
    st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=20).map(
        lambda points: [list(axis) for axis in zip(*points)]
    ),
    min_size=1,
    max_size=6,
)


def assert_round_trip(drawing):
    points = strokes.to_points(drawing)
    ink = strokes.to_ink(points)
    assert ink.dtype == np.float32
    np.testing.assert_array_equal(strokes.from_ink(ink), points)
    assert strokes.to_drawing(points) == drawing


@given(drawings)
def test_simplified_drawings_round_trip(drawing):
    assert strokes.is_simplified(drawing)
    assert_round_trip(drawing)


@given(st.lists(drawings, max_size=4))
def test_to_ink_batch_equals_to_ink(batch):
    points = list(map(strokes.to_points, batch))
    inks = strokes.to_ink_batch([each.tobytes() for each in points])
    assert len(inks) == len(batch)
    for ink, each in zip(inks, points):
        assert ink.tobytes() == strokes.to_ink(each).tobytes()


def test_5000_points_round_trip():
    xs = np.random.default_rng(0).integers(0, 256, (2, 5000)).tolist()
    assert_round_trip([xs])
    assert_round_trip([[[x], [y]] for x, y in zip(*xs)])


def test_points_and_ink_by_example():
    points = strokes.to_points([[[51, 255], [0, 102]], [[204], [102]]])
    assert points.dtype == np.uint8
    assert points.tolist() == [[51, 0, 0], [255, 102, 1], [204, 102, 1]]
    ink = np.float32([[0.2, 0, 0], [0.8, 0.4, 1], [-0.2, 0, 1]])
    np.testing.assert_allclose(strokes.to_ink(points), ink, rtol=1e-6)


@pytest.mark.parametrize(
    ("ink", "message"),
    [
        ([[0.1, 0, 1]], "not of integer points within 0..255"),
        ([[0, 256 / 255, 1]], "not of integer points within 0..255"),
        ([[0, 0, 0], [-1 / 255, 0, 1]], "not of integer points within 0..255"),
        ([[np.nan, 0, 1]], "not of integer points within 0..255"),
        ([[0, np.inf, 1]], "not of integer points within 0..255"),
        ([[0, 3e38, 1]], "not of integer points within 0..255"),
        ([[0, 0, 2]], "pen must be 0 or 1, and 1 on the last point"),
        ([[0, 0, 1], [1, 1, 0]], "pen must be 0 or 1, and 1 on the last point"),
    ],
)
def test_from_ink_rejects_other_ink(ink, message):
    with pytest.raises(ValueError, match=message):
        strokes.from_ink(np.float32(ink))


def test_real_drawings_round_trip(quickdraw_dir):
    for path in sorted((quickdraw_dir / "simplified").glob("*.ndjson.gz"))[::5]:
        with gzip.open(path) as lines:
            for line in lines:
                assert_round_trip(json.loads(line)["drawing"])


@pytest.mark.parametrize(
    ("drawing", "message"),
    [
        ([], "no strokes$"),
        ([[]], "stroke without x and y: stroke 1$"),
        ([[[1, 2]]], "stroke without x and y: stroke 1$"),
        ([[[1], [1]], [[1, 2], [1]]], "unequal x and y: stroke 2 has 2 x but 1 y$"),
        ([[[1], [1]], [[], []]], "stroke without points: stroke 2$"),
        ([[[1], [1], []]], "unequal axes: stroke 1$"),
        ([[[1], [1]], [[1]] * 6], "too many axes: stroke 2 has 6, at most 5 "),
    ],
)
@pytest.mark.parametrize("convert", [strokes.to_points, simplification.simplify])
def test_a_malformed_stroke_is_named(convert, drawing, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        convert(drawing)


def to_points_layout(drawing):
    return [list(map(list, zip(*stroke))) for stroke in drawing]


@given(drawings)
def test_points_are_found_where_a_stroke_is_long(drawing):
    drawing = [*drawing, [list(range(7)), list(range(7))]]
    as_points = to_points_layout(drawing)
    assert strokes.find_layout([as_points]) == strokes.POINTS
    axes = strokes.to_axes(as_points, strokes.POINTS)
    assert [list(map(list, stroke)) for stroke in axes] == drawing


@pytest.mark.parametrize(
    ("drawings", "layout"),
    [
        ([], strokes.AXES),
        ([[[[1, 2], [3, 4]]]], strokes.AXES),
        (
            [[[[1, 2], [3, 4]]], [[[1, 2], [3, 4], [5, 6], [7, 8], [9, 9], [9, 9]]]],
            "points",
        ),
        ([[[[1, 2], [3, 4]]], [[[1, 2, 3], [3, 4, 5]]]], strokes.AXES),
        ([[[[1, 2]]]], strokes.POINTS),
        ([[[[1, 2], [3, 4], [5, 6]], [[1, 2], [3, 4]]]], strokes.POINTS),
        ([[[[1, 2, 3], [4, 5]]]], strokes.AXES),
        ([[]], strokes.AXES),
    ],
)
def test_find_layout(drawings, layout):
    assert strokes.find_layout(drawings) == layout
