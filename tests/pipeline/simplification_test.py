"""Raw strokes are simplified as Google did it."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import simplification, strokes

raw_drawings = st.lists(
    st.lists(
        st.tuples(st.integers(-2000, 2000), st.integers(-2000, 2000)),
        min_size=1,
        max_size=20,
    ).map(lambda points: [list(axis) for axis in zip(*points)]),
    min_size=1,
    max_size=4,
)


def test_published_pairs_simplify_as_google_did(quickdraw_dir):
    different = []
    for path in sorted((quickdraw_dir / "pairs" / "raw").glob("*.ndjson.gz")):
        twin = quickdraw_dir / "pairs" / "simplified" / path.name
        with gzip.open(path) as raw_lines, gzip.open(twin) as simplified_lines:
            lines = zip(raw_lines, simplified_lines, strict=True)
            for number, (raw, simplified) in enumerate(lines, 1):
                ours = simplification.simplify(json.loads(raw)["drawing"])
                if ours != json.loads(simplified)["drawing"]:
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
def test_equidistant_points_are_selected_as_by_google(raw, simplified):
    assert simplification.simplify([raw]) == [simplified]


@given(
    raw_drawings, st.integers(-8, 8), st.integers(-5000, 5000), st.integers(-5000, 5000)
)
def test_invariant_to_scale_and_translation(drawing, exponent, right, down):
    scale = 2.0**exponent  # exact in floating point
    moved = [
        [[(x + right) * scale for x in xs], [(y + down) * scale for y in ys]]
        for xs, ys in drawing
    ]
    assert simplification.simplify(moved) == simplification.simplify(drawing)


@given(raw_drawings)
def test_result_is_within_the_box_and_keeps_end_points(drawing):
    result = simplification.simplify(drawing)
    assert strokes.is_simplified(result)
    assert len(result) == len(drawing)
    lowest = np.min([np.min(stroke, axis=1) for stroke in drawing], axis=0)
    highest = np.max([np.max(stroke, axis=1) for stroke in drawing], axis=0)
    extent = max(highest - lowest) or 255
    for before, after in zip(drawing, result):
        ends = (np.array(before).T[[0, -1]] - lowest) * 255 / extent
        np.testing.assert_allclose(np.array(after).T[[0, -1]], ends, atol=0.51)


def test_a_stroke_without_extent_becomes_two_equal_points():
    assert simplification.simplify([[[7, 7, 7], [9, 9, 9]]]) == [[[0, 0], [0, 0]]]
    assert simplification.simplify([[[0, 255], [0, 0]], [[9], [8]]])[1] == [
        [9, 9],
        [8, 8],
    ]


def test_collinear_points_are_dropped_and_times_ignored():
    assert simplification.simplify([[[0, 5, 10], [0, 0, 0], [0, 1, 9]]]) == [
        [[0, 255], [0, 0]]
    ]


def test_5000_raw_points_simplify():
    angle = np.linspace(0, 20 * np.pi, 5000)
    spiral = [[(angle * np.cos(angle)).tolist(), (angle * np.sin(angle)).tolist()]]
    (stroke,) = simplification.simplify(spiral)
    assert 100 < len(stroke[0]) < 1000


def test_simplified_strokes_are_not_simplified_again():
    drawing = [[[3, 4, 253], [10, 10, 10]]]
    assert simplification.to_simplified_points(drawing)[:, 0].tolist() == [3, 4, 253]


@pytest.mark.parametrize(
    "drawing",
    [
        [[[0, 5, 10], [0, 0, 0], [0, 1, 2]]],
        [[[0, 5, 10], [0, 0, 0]]],
        [[[0.0, 5, 10], [0, 0, 0]]],
        [[[-1, 5, 10], [0, 0, 0]]],
        [[[0, 5, 256], [0, 0, 0]]],
    ],
)
def test_raw_strokes_are_simplified(drawing):
    assert simplification.to_simplified_points(drawing).tolist() == [
        [0, 0, 0],
        [255, 0, 1],
    ]


@pytest.mark.parametrize(
    ("xs", "message"),
    [
        ([float("nan"), 0], "coordinate is not finite: stroke 1"),
        ([float("inf"), 0], "coordinate is not finite: stroke 1"),
        ([-float("inf"), 0], "coordinate is not finite: stroke 1"),
        ([None, 0], "coordinate is not finite: stroke 1"),
        ([1e308, 0], "coordinates too far apart"),
        ([1e308, -1e308], "coordinates too far apart"),
        ([10**400, 0], "coordinate is not a number: stroke 1"),
        (["x", 0], "coordinate is not a number: stroke 1"),
        ([[1], 0], "coordinate is not a number: stroke 1"),
    ],
)
def test_invalid_coordinates_are_rejected(xs, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        simplification.simplify([[xs, [0, 1]]])


def test_large_coordinates_with_small_range_are_accepted():
    assert simplification.simplify([[[1e15, 1e15 + 10], [0, 0]]]) == [
        [[0, 255], [0, 0]]
    ]


def test_strokes_longer_than_the_limit_are_rejected():
    zigzag = [[list(range(100)), [0, 99] * 50]]
    with pytest.raises(simplification.StrokesTooLongError, match="strokes too long: 9"):
        simplification.simplify(zigzag, max_length=10 * 255)
    assert simplification.simplify(zigzag, max_length=101 * 255)
