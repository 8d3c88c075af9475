"""Drawings in progress: what is cut, and what is asked."""

import numpy as np
import pytest

from pipeline import strokes
from rnn_model.evaluation import partial_drawings
from serve_export import in_progress
from serve_export.predictor import RAW, to_ink
from serve_export.validate import Drawings, Format
from tfrecords import schema

DRAWING = [[[0, 100, 100], [0, 0, 50]], [[40, 40], [0, 255]]]


def ink_of(drawing):
    return strokes.to_ink(strokes.to_points(drawing))


@pytest.mark.parametrize(
    ("share", "seen"),
    [
        (0.2, [[[0], [0]]]),
        (0.4, [[[0, 100], [0, 0]]]),
        (0.5, DRAWING[:1]),  # rounded up
        (0.75, [DRAWING[0], [[40], [0]]]),
    ],
)
def test_the_first_points_are_made_as_a_server_makes_them(share, seen):
    cut = partial_drawings.first_points(ink_of(DRAWING), share)
    np.testing.assert_array_equal(cut, to_ink(seen, RAW))


def test_the_whole_is_left_as_it_is():
    ink = ink_of(DRAWING)
    assert partial_drawings.first_points(ink, 1.0) is ink


def test_each_share_is_asked_of_drawings_spread_over_all(monkeypatch):
    monkeypatch.setattr(in_progress, "MOST", 2)
    items = [ink_of(DRAWING)] * 3
    drawings = Drawings("three", schema.INK, items, np.array([0, 5, 1]), [])
    asked = []

    def answer(given, kind):
        """Knows the first drawing at once, and the others when they are whole."""
        asked.append(given)
        return np.eye(2)[[0, int(given[0] is items[0])]]

    some = Format("some", answer, 1, True)
    found = in_progress.top1_by_share(some, drawings, schema.INK)
    assert [row["top1"] for row in found] == [0.5, 0.5, 0.5, 1.0]
    assert [row["seen"] for row in found] == list(partial_drawings.PARTS)
    for given, share in zip(asked, partial_drawings.PARTS):
        np.testing.assert_array_equal(
            given, [partial_drawings.first_points(items[0], share)] * 2
        )
