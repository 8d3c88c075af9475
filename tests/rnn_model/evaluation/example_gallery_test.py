"""Galleries keep the best examples of each class, in any order of the drawings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import strokes
from rnn_model.evaluation import example_gallery
from rnn_model.evaluation.example_gallery import ExampleDrawing, Gallery

DRAWING = np.zeros((1, 3), np.float32)


def offer(gallery, scores, labels, start=0):
    gallery.offer(
        np.array(scores, float),
        np.array(labels),
        lambda index, score: ExampleDrawing(
            score, f"{start + index:03d}", labels[index], DRAWING, ()
        ),
    )


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=40),
    st.integers(1, 7),
    st.integers(1, 3),
)
def test_best_examples_of_each_class_are_kept(drawings, batch_size, per_class):
    gallery = Gallery(3, per_class)
    for start in range(0, len(drawings), batch_size):
        offer(gallery, *zip(*drawings[start : start + batch_size]), start)
    expected = []
    for label in range(3):
        of_class = sorted(
            (-score, index)
            for index, (score, drawing_label) in enumerate(drawings)
            if drawing_label == label
        )
        expected += [
            (rank, score, f"{index:03d}")
            for rank, (score, index) in enumerate(of_class[:per_class])
        ]
    expected = [key for *_, key in sorted(expected)]
    assert [example.key for example in gallery.best(99)] == expected
    assert [example.key for example in gallery.best(2)] == expected[:2]


def test_drawings_without_a_score_are_not_kept():
    gallery = Gallery(2, 3)
    offer(gallery, [-np.inf, 1, -np.inf], [0, 0, 1])
    assert [example.key for example in gallery.best(9)] == ["001"]


def test_top_predictions_have_softmax_probabilities():
    logits = np.log(np.array([1, 6, 2, 1], np.float32))
    predictions = example_gallery.top_predictions(logits)
    assert [label for label, _ in predictions] == [1, 2, 0]
    probabilities = [probability for _, probability in predictions]
    assert probabilities == pytest.approx([0.6, 0.2, 0.1])


def test_ink_is_copied_without_padding():
    points = strokes.to_points([[[0, 255], [7, 9]], [[3], [4]]])
    ink = np.zeros((2, 9, 3), np.float32)
    ink[1, :3] = strokes.to_ink(points)
    batch = {"ink": ink, "length": np.array([1, 3])}
    drawing = example_gallery.get_drawing(batch, "ink", 1)
    example = ExampleDrawing(0.0, "", 0, drawing, ())
    ink[:] = 7
    np.testing.assert_array_equal(example.points(), points)
    assert not example.is_bitmap


def test_bitmap_is_copied_with_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    batch = {"bitmap": (pixels / np.float32(255)).astype(np.float32)[None, ..., None]}
    drawing = example_gallery.get_drawing(batch, "bitmap", 0)
    example = ExampleDrawing(0.0, "", 0, drawing, ())
    assert example.is_bitmap
    np.testing.assert_array_equal(example.pixels(), pixels)
