"""Ink → bitmap in TensorFlow, compared with `pipeline.rasterize`."""

import gzip
import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from pipeline import rasterize, sample, strokes
from rnn_model import models
from rnn_model.models.rasterize_layer import SEGMENTS_PER_BLOCK, Rasterize

GRAY_LEVEL = 1 / 255


@pytest.fixture(scope="module")
def layer():
    return tf.function(
        Rasterize(), input_signature=list(models.INPUT_SPECS["ink"].values())
    )


def assert_same_bitmaps(layer, drawings, columns=0):
    """Rasterizes drawings `<uint8>[T, 3]` as one batch and compares the bitmaps."""
    length = np.array([len(points) for points in drawings], np.int32)
    ink = np.zeros((len(drawings), length.max() + columns, 3), np.float32)
    for row, points in zip(ink, drawings):
        row[: len(points)] = strokes.to_ink(points)
    bitmaps = layer(ink, length).numpy()
    assert bitmaps.shape == (len(drawings), 28, 28, 1)
    for bitmap, points in zip(bitmaps[..., 0], drawings):
        expected = rasterize.rasterize(points) * GRAY_LEVEL
        np.testing.assert_allclose(bitmap, expected, atol=GRAY_LEVEL)


@st.composite
def random_points(draw):
    length = draw(st.integers(1, 3 * SEGMENTS_PER_BLOCK))
    points = draw(np_st.arrays(np.uint8, (length, 3)))
    points[:, 2] = points[:, 2] > 200
    points[-1, 2] = 1
    return points


@settings(deadline=None)
@given(st.lists(random_points(), min_size=1, max_size=4), st.integers(0, 20))
def test_random_drawings(layer, drawings, columns):
    assert_same_bitmaps(layer, drawings, columns)


def test_sample_drawings(layer):
    rng = np.random.default_rng(5)
    drawings = [sample.draw(word, rng) for word in sample.CLASSES for _ in range(5)]
    assert_same_bitmaps(layer, [strokes.to_points(drawing) for drawing in drawings])


def test_real_drawings(layer, quickdraw_dir):
    points = []
    for path in sorted(quickdraw_dir.glob("simplified/*.ndjson.gz"))[:20]:
        with gzip.open(path, "rt") as file:
            lines = [next(file) for _ in range(10)]
        points += [strokes.to_points(json.loads(line)["drawing"]) for line in lines]
    assert points
    assert_same_bitmaps(layer, points)


@pytest.mark.parametrize("length", [15, 16, 17, 83])
def test_segments_at_the_ends_of_blocks(layer, length):
    assert SEGMENTS_PER_BLOCK == 16
    rng = np.random.default_rng(length)
    points = rng.integers(0, 256, (length, 3), dtype=np.uint8)
    points[:, 2] = 0
    points[-1, 2] = 1
    assert_same_bitmaps(layer, [points])


@pytest.mark.parametrize("columns", [0, 1, 50])
def test_a_single_point_is_drawn_in_the_center(layer, columns):
    point = np.array([[17, 200, 1]], np.uint8)
    assert_same_bitmaps(layer, [point], columns)
    ink = np.pad(strokes.to_ink(point)[None], [(0, 0), (0, columns), (0, 0)])
    bitmap = layer(ink, [1]).numpy()[0, ..., 0]
    assert bitmap[13:15, 13:15].min() > 0.5
    assert bitmap[:10].max() == bitmap[:, :10].max() == 0


def test_strokes_are_not_connected(layer):
    two_lines = np.array([[0, 0, 0], [255, 0, 1], [0, 255, 0], [255, 255, 1]], np.uint8)
    assert_same_bitmaps(layer, [two_lines])
    ink = strokes.to_ink(two_lines)[None]
    assert layer(ink, [4]).numpy()[0, 10:18].max() == 0
