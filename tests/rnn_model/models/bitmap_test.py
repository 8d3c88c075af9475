"""Ink → bitmap in the graph, against the same in numpy."""

import gzip
import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from pipeline import rasterize, sample, strokes
from rnn_model.models.bitmap import SEGMENTS_AT_ONCE, Rasterize

LEVEL = 1 / 255


@pytest.fixture(scope="module")
def layer():
    signature = [
        tf.TensorSpec([None, None, 3], tf.float32),
        tf.TensorSpec([None], tf.int32),
    ]
    return tf.function(Rasterize(), input_signature=signature)


def assert_same_bitmaps(layer, drawings, columns=0):
    """Compares the bitmaps of points `<uint8>[T, 3]`, rasterised as one batch."""
    length = np.array([len(points) for points in drawings], np.int32)
    ink = np.zeros((len(drawings), length.max() + columns, 3), np.float32)
    for row, points in zip(ink, drawings):
        row[: len(points)] = strokes.to_ink(points)
    bitmaps = layer(ink, length).numpy()
    assert bitmaps.shape == (len(drawings), 28, 28, 1)
    for bitmap, points in zip(bitmaps[..., 0], drawings):
        expected = rasterize.rasterize(points) * LEVEL
        np.testing.assert_allclose(bitmap, expected, atol=LEVEL)


@st.composite
def drawings_of_points(draw):
    length = draw(st.integers(1, 3 * SEGMENTS_AT_ONCE))
    points = draw(np_st.arrays(np.uint8, (length, 3)))
    points[:, 2] = points[:, 2] > 200
    points[-1, 2] = 1
    return points


@settings(deadline=None)
@given(st.lists(drawings_of_points(), min_size=1, max_size=4), st.integers(0, 20))
def test_any_drawing_is_as_in_numpy(layer, drawings, columns):
    assert_same_bitmaps(layer, drawings, columns)


@pytest.mark.parametrize("word", sample.CLASSES)
def test_a_doodle_is_as_in_numpy(layer, word):
    rng = np.random.default_rng(5)
    doodles = [strokes.to_points(sample.draw(word, rng)) for _ in range(5)]
    assert_same_bitmaps(layer, doodles)


def test_a_real_drawing_is_as_in_numpy(layer, quickdraw_dir):
    points = []
    for path in sorted(quickdraw_dir.glob("simplified/*.ndjson.gz"))[:20]:
        with gzip.open(path, "rt") as file:
            lines = [next(file) for _ in range(10)]
        points += [strokes.to_points(json.loads(line)["drawing"]) for line in lines]
    assert points
    assert_same_bitmaps(layer, points)


@pytest.mark.parametrize(
    "length",
    [
        SEGMENTS_AT_ONCE - 1,
        SEGMENTS_AT_ONCE,
        SEGMENTS_AT_ONCE + 1,
        5 * SEGMENTS_AT_ONCE + 3,
    ],
)
def test_no_segment_is_lost_where_blocks_meet(layer, length):
    rng = np.random.default_rng(length)
    points = rng.integers(0, 256, (length, 3), dtype=np.uint8)
    points[:, 2] = 0
    points[-1, 2] = 1
    assert_same_bitmaps(layer, [points])


@pytest.mark.parametrize("columns", [0, 1, 50])
def test_one_point_is_a_dot_in_the_middle(layer, columns):
    point = np.array([[17, 200, 1]], np.uint8)
    assert_same_bitmaps(layer, [point], columns)
    ink = np.pad(strokes.to_ink(point)[None], [(0, 0), (0, columns), (0, 0)])
    bitmap = layer(ink, [1]).numpy()[0, ..., 0]
    assert bitmap[13:15, 13:15].min() > 0.5
    assert bitmap[:10].max() == bitmap[:, :10].max() == 0


def test_strokes_are_not_joined(layer):
    apart = np.array([[0, 0, 0], [255, 0, 1], [0, 255, 0], [255, 255, 1]], np.uint8)
    assert_same_bitmaps(layer, [apart])
    ink = strokes.to_ink(apart)[None]
    assert layer(ink, [4]).numpy()[0, 10:18].max() == 0
