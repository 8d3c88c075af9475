"""Resampling of ink to equidistant points."""

import numpy as np
import tensorflow as tf

from pipeline import strokes
from rnn_model.models import resample
from rnn_model.models.resample import FEATURES, STEPS, Resample


def resample_drawing(drawing):
    """Resamples a simplified drawing; returns positions in boxes and stroke starts."""
    ink = strokes.to_ink(strokes.to_points(drawing))
    features = Resample()(ink[None], np.array([len(ink)], np.int32))[0].numpy()
    assert features.shape == (STEPS, FEATURES)
    assert np.isfinite(features).all()
    return (features[:, :2] + 1) / 2, features[:, 6]


def test_points_on_a_line_are_equidistant():
    positions, starts = resample_drawing([[[0, 255], [51, 51]]])
    np.testing.assert_allclose(positions[:, 1], 0.2, atol=1e-6)
    steps = np.diff(positions[:, 0])
    assert steps.min() >= 0
    assert positions[0, 0] < 0.01
    assert positions[-1, 0] > 0.99
    moving = steps[steps > 1e-6]
    np.testing.assert_allclose(moving[1:-1], np.median(moving), rtol=0.01)
    assert starts.tolist() == [1] + [0] * (STEPS - 1)


def test_additional_points_on_a_line_change_little():
    few, _ = resample_drawing([[[0, 255], [0, 255]]])
    many, _ = resample_drawing([[[0, 85, 170, 255], [0, 85, 170, 255]]])
    assert np.abs(few - many).max() < 0.05


def test_no_point_lies_between_two_strokes():
    positions, starts = resample_drawing([[[0, 255], [0, 0]], [[0, 255], [255, 255]]])
    distance_to_stroke = np.minimum(positions[:, 1], 1 - positions[:, 1])
    assert distance_to_stroke.max() < 1e-6
    assert starts.sum() == 2
    assert abs((positions[:, 1] > 0.5).mean() - 0.5) < 0.02


def test_a_dot_between_long_strokes_is_kept():
    zigzag = [[0, 255] * 2, list(range(0, 120, 30))]
    positions, starts = resample_drawing([zigzag, [[128], [255]], zigzag])
    at_the_dot = np.abs(positions - [128 / 255, 1]).max(axis=1) < 1e-6
    assert starts[at_the_dot].sum() == 1
    assert starts.sum() == 3


def test_a_single_dot_is_repeated():
    positions, starts = resample_drawing([[[7], [9]]])
    np.testing.assert_allclose(positions, [[7 / 255, 9 / 255]] * STEPS, atol=1e-6)
    assert starts.sum() == 1


def test_integer_sqrt_corrects_an_inexact_square_root(monkeypatch):
    squares = np.float32([*range(10_000), 8_323_200, 8_323_199, 2**24 - 1])
    expected = np.rint(np.sqrt(squares.astype(np.float64)))
    np.testing.assert_array_equal(resample._integer_sqrt(squares), expected)
    exact_sqrt = tf.sqrt
    for factor in (0.999, 1.001):
        monkeypatch.setattr(tf, "sqrt", lambda x, f=factor: exact_sqrt(x) * f)
        roots = resample._integer_sqrt(tf.constant(squares[:10_000]))
        np.testing.assert_array_equal(roots, expected[:10_000])
