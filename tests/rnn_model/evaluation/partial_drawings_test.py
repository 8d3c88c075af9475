"""Partial drawings are what a server would receive."""

import numpy as np
import pytest

from pipeline import simplification, strokes
from rnn_model.evaluation import partial_drawings
from rnn_model.evaluation.partial_drawings import HashSample, SampledDrawing

DRAWING = [[[0, 100, 200, 100], [0, 30, 0, 40]], [[255, 250, 255], [10, 90, 255]]]


@pytest.fixture
def ink():
    return strokes.to_ink(strokes.to_points(DRAWING))


@pytest.mark.parametrize(
    ("part", "partial_drawing"),
    [
        (0.25, [[[0, 100], [0, 30]]]),
        (0.5, [[[0, 100, 200, 100], [0, 30, 0, 40]]]),
        (0.75, [DRAWING[0], [[255, 250], [10, 90]]]),
    ],
)
def test_first_points_are_simplified_in_the_full_box(ink, part, partial_drawing):
    points = strokes.from_ink(partial_drawings.first_points(ink, part))
    assert strokes.to_drawing(points) == simplification.simplify(partial_drawing)
    assert points[:, :2].max() == strokes.BOX
    assert points[-1, 2] == 1


def test_whole_drawing_is_unchanged(ink):
    assert partial_drawings.first_points(ink, 1.0) is ink


def test_single_point_is_kept():
    ink = strokes.to_ink(strokes.to_points([[[7], [9]]]))
    points = strokes.from_ink(partial_drawings.first_points(ink, 0.25))
    assert strokes.to_drawing(points) == [[[0, 0], [0, 0]]]


def test_models_receive_all_parts_of_the_same_drawings(ink):
    """The class of a drawing is given by its number of points."""
    short = strokes.to_ink(strokes.to_points([[[0, 255], [0, 9]]]))
    drawings = [
        SampledDrawing(number, number % 2, (ink, short)[number % 2])
        for number in range(300)
    ]

    def classify_by_length(ink, length):
        assert ink.shape[1] == max(length)
        return np.eye(2, dtype=np.float32)[(length < 3).astype(int)]

    def return_nan(ink, length):
        return np.full((len(length), 2), np.nan, np.float32)

    result = partial_drawings.evaluate_parts(
        [classify_by_length, return_nan], 2, drawings
    )
    assert list(result) == [0.25, 0.5, 0.75, 1.0]
    assert all(sums[0].examples == 300 for sums in result.values())
    top1 = [sums[0].result()["top1"] for sums in result.values()]
    # The first quarter of either drawing has two points.
    assert top1 == [0.5, 1, 1, 1]
    assert all(sums[1].result()["top1"] == 0 for sums in result.values())


@pytest.mark.parametrize("size", [1, 7, 30, 99])
@pytest.mark.parametrize("batch_size", [1, 4, 30])
def test_sample_has_the_smallest_hashes(size, batch_size):
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 1 << 64, 30, np.uint64)
    order = rng.permutation(30)
    sample = HashSample("ink", size)
    for start in range(0, 30, batch_size):
        rows = order[start : start + batch_size]
        ink = np.broadcast_to(rows[:, None, None], (len(rows), 5, 3)).astype(np.float32)
        batch = {"ink": ink, "length": 1 + rows % 4, "class_index": rows}
        sample.offer(hashes[rows], batch)
    expected = np.argsort(hashes)[:size]
    assert [sampled.label for sampled in sample.drawings] == expected.tolist()
    for sampled in sample.drawings:
        assert sampled.hash == hashes[sampled.label]
        assert sampled.drawing.shape == (1 + sampled.label % 4, 3)
        assert (sampled.drawing == sampled.label).all()
