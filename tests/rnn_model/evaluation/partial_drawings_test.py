"""Drawings in progress are what a server would make of them."""

import numpy as np
import pytest

from pipeline import simplification, strokes
from rnn_model.evaluation import partial_drawings

DRAWING = [[[0, 100, 200, 100], [0, 30, 0, 40]], [[255, 250, 255], [10, 90, 255]]]


@pytest.fixture
def ink():
    return strokes.to_ink(strokes.to_points(DRAWING))


@pytest.mark.parametrize(
    ("part", "begun"),
    [
        (0.25, [[[0, 100], [0, 30]]]),
        (0.5, [[[0, 100, 200, 100], [0, 30, 0, 40]]]),
        (0.75, [DRAWING[0], [[255, 250], [10, 90]]]),
    ],
)
def test_the_first_points_are_simplified_in_the_whole_box(ink, part, begun):
    found = strokes.from_ink(partial_drawings.first_points(ink, part))
    assert strokes.to_drawing(found) == simplification.simplify(begun)
    assert found[:, :2].max() == strokes.BOX
    assert found[-1, 2] == 1


def test_the_whole_drawing_stays_as_it_is(ink):
    assert partial_drawings.first_points(ink, 1.0) is ink


def test_a_dot_stays_a_dot():
    ink = strokes.to_ink(strokes.to_points([[[7], [9]]]))
    assert strokes.to_drawing(
        strokes.from_ink(partial_drawings.first_points(ink, 0.25))
    ) == [[[0, 0], [0, 0]]]


def test_models_see_all_parts_of_the_same_drawings(ink):
    """One knows the class of a drawing by its number of points."""
    short = strokes.to_ink(strokes.to_points([[[0, 255], [0, 9]]]))
    drawings = [(number, number % 2, (ink, short)[number % 2]) for number in range(300)]
    counts = []

    def by_length(ink, length):
        assert ink.shape[1] == max(length)
        return np.eye(2, dtype=np.float32)[(length < 3).astype(int)]

    def never(ink, length):
        return np.full((len(length), 2), np.nan, np.float32)

    found = partial_drawings.evaluate([by_length, never], 2, drawings, counts.append)
    assert list(found) == [0.25, 0.5, 0.75, 1.0]
    assert sum(counts) == 4 * 300
    shares = [sums[0].result()["top1"] for sums in found.values()]
    # At a quarter, of both two points are left.
    assert shares == [0.5, 1, 1, 1]
    assert all(sums[1].result()["top1"] == 0 for sums in found.values())
