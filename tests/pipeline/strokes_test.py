"""Geometry: nothing is lost on the way to ink, and raw strokes become Google's."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import strokes
from pipeline.formats.ndjson_lines import parse_line

coordinates = st.integers(0, 255)
drawings = st.lists(
    st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=20).map(
        lambda points: [list(axis) for axis in zip(*points)]
    ),
    min_size=1,
    max_size=6,
)
raw_drawings = st.lists(
    st.lists(
        st.tuples(st.integers(-2000, 2000), st.integers(-2000, 2000)),
        min_size=1,
        max_size=20,
    ).map(lambda points: [list(axis) for axis in zip(*points)]),
    min_size=1,
    max_size=4,
)


def assert_comes_back(drawing):
    points = strokes.to_points(drawing)
    ink = strokes.to_ink(points)
    assert ink.dtype == np.float32
    np.testing.assert_array_equal(strokes.from_ink(ink), points)
    assert strokes.to_drawing(points) == drawing


@given(drawings)
def test_every_simplified_drawing_comes_back(drawing):
    assert strokes.is_simplified(drawing)
    assert_comes_back(drawing)


@given(st.lists(drawings, max_size=4))
def test_ink_of_many_at_once_is_that_of_each(some):
    points = list(map(strokes.to_points, some))
    inks = strokes.to_inks([each.tobytes() for each in points])
    assert len(inks) == len(some)
    for ink, each in zip(inks, points):
        assert ink.tobytes() == strokes.to_ink(each).tobytes()


def test_5000_points_come_back():
    xs = np.random.default_rng(0).integers(0, 256, (2, 5000)).tolist()
    assert_comes_back([xs])
    assert_comes_back([[[x], [y]] for x, y in zip(*xs)])


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
def test_ink_of_no_points_is_refused(ink, message):
    with pytest.raises(ValueError, match=message):
        strokes.from_ink(np.float32(ink))


def test_real_drawings_come_back(quickdraw_dir):
    for path in sorted((quickdraw_dir / "simplified").glob("*.ndjson.gz"))[::5]:
        with gzip.open(path) as lines:
            for line in lines:
                assert_comes_back(parse_line(line).drawing)


def test_points_and_ink_of_a_drawing():
    points = strokes.to_points([[[51, 255], [0, 102]], [[204], [102]]])
    assert points.dtype == np.uint8
    assert points.tolist() == [[51, 0, 0], [255, 102, 1], [204, 102, 1]]
    ink = np.float32([[0.2, 0, 0], [0.8, 0.4, 1], [-0.2, 0, 1]])
    np.testing.assert_allclose(strokes.to_ink(points), ink, rtol=1e-6)


def test_pairs_simplify_as_google_did(quickdraw_dir):
    different = []
    for path in sorted((quickdraw_dir / "pairs" / "raw").glob("*.ndjson.gz")):
        twin = quickdraw_dir / "pairs" / "simplified" / path.name
        with gzip.open(path) as raw_lines, gzip.open(twin) as simplified_lines:
            lines = zip(raw_lines, simplified_lines, strict=True)
            for number, (raw, simplified) in enumerate(lines, 1):
                ours = strokes.simplify(parse_line(raw).drawing)
                if ours != parse_line(simplified).drawing:
                    different.append(f"{path.name}, line {number}")
    assert different == []


@pytest.mark.parametrize(
    ("raw", "simplified"),
    [
        (
            [[0, 50, 170, 200], [0, 13, 133, 200]],
            [[0, 64, 190, 217, 255], [0, 17, 143, 169, 255]],
        ),
        (
            [[0, 60, 70, 12], [0, 31, 121, 108]],
            [[0, 126, 131, 148, 25], [0, 65, 110, 255, 228]],
        ),
        (
            [[0, 43, 97, 144], [0, 14, 38, 64]],
            [[0, 76, 117, 172, 255], [0, 25, 43, 67, 113]],
        ),
    ],
)
def test_of_points_equally_far_the_last_bit_decides(raw, simplified):
    assert strokes.simplify([raw]) == [simplified]


@given(
    raw_drawings, st.integers(-8, 8), st.integers(-5000, 5000), st.integers(-5000, 5000)
)
def test_scale_and_place_of_the_canvas_do_not_matter(drawing, exponent, right, down):
    scale = 2.0**exponent  # with integers no rounding comes in
    moved = [
        [[(x + right) * scale for x in xs], [(y + down) * scale for y in ys]]
        for xs, ys in drawing
    ]
    assert strokes.simplify(moved) == strokes.simplify(drawing)


@given(raw_drawings)
def test_simplified_strokes_are_within_the_box_and_keep_their_ends(drawing):
    result = strokes.simplify(drawing)
    assert strokes.is_simplified(result)
    assert len(result) == len(drawing)
    lowest = np.min([np.min(stroke, axis=1) for stroke in drawing], axis=0)
    highest = np.max([np.max(stroke, axis=1) for stroke in drawing], axis=0)
    extent = max(highest - lowest) or 255
    for before, after in zip(drawing, result):
        ends = (np.array(before).T[[0, -1]] - lowest) * 255 / extent
        np.testing.assert_allclose(np.array(after).T[[0, -1]], ends, atol=0.51)


def test_a_stroke_without_extent_becomes_two_equal_points():
    assert strokes.simplify([[[7, 7, 7], [9, 9, 9]]]) == [[[0, 0], [0, 0]]]
    assert strokes.simplify([[[0, 255], [0, 0]], [[9], [8]]])[1] == [[9, 9], [8, 8]]


def test_points_on_a_line_are_dropped_and_times_not_looked_at():
    assert strokes.simplify([[[0, 5, 10], [0, 0, 0], [0]]]) == [[[0, 255], [0, 0]]]


def test_5000_raw_points_simplify():
    angle = np.linspace(0, 20 * np.pi, 5000)
    spiral = [[(angle * np.cos(angle)).tolist(), (angle * np.sin(angle)).tolist()]]
    (stroke,) = strokes.simplify(spiral)
    assert 100 < len(stroke[0]) < 1000


def test_what_is_simplified_is_not_simplified_again():
    drawing = [[[3, 4, 5], [10, 10, 10]]]
    assert strokes.points_of(drawing)[:, 0].tolist() == [3, 4, 5]


@pytest.mark.parametrize(
    "drawing",
    [
        [[[0, 5, 10], [0, 0, 0], [0, 1, 2]]],
        [[[0.0, 5, 10], [0, 0, 0]]],
        [[[-1, 5, 10], [0, 0, 0]]],
        [[[0, 5, 256], [0, 0, 0]]],
    ],
)
def test_what_is_raw_is_simplified(drawing):
    assert not strokes.is_simplified(drawing)
    assert strokes.points_of(drawing).tolist() == [[0, 0, 0], [255, 0, 1]]


@pytest.mark.parametrize(
    ("drawing", "message"),
    [
        ([], "no strokes"),
        ([[]], "stroke without x and y: stroke 1"),
        ([[[1, 2]]], "stroke without x and y: stroke 1"),
        ([[[1], [1]], [[1, 2], [1]]], "unequal x and y: stroke 2 has 2 x but 1 y"),
        ([[[1], [1]], [[], []]], "stroke without points: stroke 2"),
    ],
)
def test_a_malformed_stroke_is_named(drawing, message):
    for function in (strokes.to_points, strokes.simplify, strokes.points_of):
        with pytest.raises(ValueError, match=f"^{message}$"):
            function(drawing)


@pytest.mark.parametrize(
    ("xs", "message"),
    [
        ([float("nan"), 0], "coordinate is not finite: stroke 1"),
        ([float("inf"), 0], "coordinate is not finite: stroke 1"),
        ([-float("inf"), 0], "coordinate is not finite: stroke 1"),
        ([None, 0], "coordinate is not finite: stroke 1"),
        ([1e308, 0], "coordinates too far apart"),
        ([1e308, -1e308], "coordinates too far apart"),
        ([10**400, 0], "coordinate is no number: stroke 1"),
        (["x", 0], "coordinate is no number: stroke 1"),
        ([[1], 0], "coordinate is no number: stroke 1"),
    ],
)
def test_a_coordinate_that_cannot_be_is_refused(xs, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        strokes.simplify([[xs, [0, 1]]])


def test_large_coordinates_close_together_are_fine():
    assert strokes.simplify([[[1e15, 1e15 + 10], [0, 0]]]) == [[[0, 255], [0, 0]]]
