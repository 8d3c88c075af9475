"""Galleries keep the best of each class, however the drawings come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import strokes
from rnn_model.evaluation import example_gallery
from rnn_model.evaluation.example_gallery import Gallery, Shown

DRAWING = np.zeros((1, 3), np.float32)


def offer(kept, scores, labels, start=0):
    kept.offer(
        np.array(scores, float),
        np.array(labels),
        lambda place, score: Shown(
            score, f"{start + place:03d}", labels[place], DRAWING, ()
        ),
    )


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=40),
    st.integers(1, 7),
    st.integers(1, 3),
)
def test_the_best_of_each_class_are_kept(drawings, size, per_class):
    kept = Gallery(3, per_class)
    for start in range(0, len(drawings), size):
        some = drawings[start : start + size]
        offer(kept, *zip(*some), start)
    expected = []
    for label in range(3):
        own = [(-score, at) for at, (score, of) in enumerate(drawings) if of == label]
        places = enumerate(sorted(own)[:per_class])
        expected += [(place, score, f"{at:03d}") for place, (score, at) in places]
    expected = [key for *_, key in sorted(expected)]
    assert [shown.key for shown in kept.best(99)] == expected
    assert [shown.key for shown in kept.best(2)] == expected[:2]


def test_what_is_none_of_these_is_never_shown():
    kept = Gallery(2, 3)
    offer(kept, [-np.inf, 1, -np.inf], [0, 0, 1])
    assert [shown.key for shown in kept.best(9)] == ["001"]


def test_guesses_are_the_softmax_in_order():
    found = example_gallery.answer(np.log(np.array([1, 6, 2, 1], np.float32)))
    assert [guess for guess, _ in found] == [1, 2, 0]
    assert [share for _, share in found] == pytest.approx([0.6, 0.2, 0.1])


def test_a_drawing_is_kept_without_its_padding():
    points = strokes.to_points([[[0, 255], [7, 9]], [[3], [4]]])
    ink = np.zeros((2, 9, 3), np.float32)
    ink[1, :3] = strokes.to_ink(points)
    batch = {"ink": ink, "length": np.array([1, 3])}
    shown = Shown(0.0, "", 0, example_gallery.drawing_of(batch, "ink", 1), ())
    np.testing.assert_array_equal(shown.points(), points)
    assert not shown.is_bitmap
    ink[:] = 7
    np.testing.assert_array_equal(shown.points(), points)


def test_a_bitmap_is_kept_with_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    batch = {"bitmap": (pixels / np.float32(255)).astype(np.float32)[None, ..., None]}
    shown = Shown(0.0, "", 0, example_gallery.drawing_of(batch, "bitmap", 0), ())
    assert shown.is_bitmap
    np.testing.assert_array_equal(shown.pixels(), pixels)
