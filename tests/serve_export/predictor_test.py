"""The predictor classifies strokes on any canvas."""

import shutil

import numpy as np
import pytest

from serve_export.predictor import AUTO, RAW, RUNTIMES, SIMPLIFIED, Predictor, to_ink


@pytest.fixture(scope="module", params=RUNTIMES)
def predictor(exported_rnn, request):
    return Predictor(str(exported_rnn), request.param)


def test_guesses_are_sorted_and_sum_to_one(predictor, drawing):
    guesses = predictor.guess(drawing, top_k=1000)
    probabilities = [guess.probability for guess in guesses]
    assert {guess.word for guess in guesses} == set(predictor.classes)
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)


def test_position_and_scale_do_not_matter(predictor):
    small = [
        [[3.2, 80.7, 150.1, 148.3], [10.0, 11.5, 90.2, 160.9]],
        [[40, 60], [50, 90]],
    ]
    large = [[[10 * v + 77 for v in axis] for axis in stroke] for stroke in small]
    assert predictor.guess(small) == predictor.guess(large)


def test_padding_and_batch_do_not_matter(predictor, drawing):
    dot, long = to_ink([[[1], [1]]]), to_ink([[list(range(250)) * 4] * 2])
    alone = predictor.predict_probabilities([to_ink(drawing)])[0]
    in_batch = predictor.predict_probabilities([dot, to_ink(drawing), long])[1]
    np.testing.assert_allclose(in_batch, alone, atol=1e-5)


@pytest.mark.parametrize("input_format", [AUTO, SIMPLIFIED])
def test_simplified_drawing_is_not_simplified_again(drawing, input_format):
    moved = [[[x // 2 + 9 for x in xs], ys] for xs, ys in drawing]
    assert to_ink(moved, input_format)[0, 0] == np.float32(moved[0][0][0]) / np.float32(
        255
    )
    assert len(to_ink(moved, input_format)) == sum(len(xs) for xs, _ in moved)


def test_raw_strokes_on_a_small_canvas_are_simplified():
    small = [[[0, 1, 2, 30], [0, 1, 2, 30]]]
    for input_format in (RAW, AUTO):
        assert to_ink(small, input_format).tolist() == [[0, 0, 0], [1, 1, 1]]
    assert len(to_ink(small, SIMPLIFIED)) == 4


@pytest.mark.parametrize("input_format", [RAW, SIMPLIFIED, AUTO])
def test_points_are_read_as_points(input_format):
    axes = [[[0, 255, 9, 30, 7, 8], [0, 1, 2, 200, 255, 3]], [[4], [5]]]
    points = [list(map(list, zip(*stroke))) for stroke in axes]
    expected = to_ink(axes, input_format)
    np.testing.assert_array_equal(to_ink(points, input_format), expected)


def test_strokes_that_are_neither_axes_nor_points_are_rejected():
    for input_format in (RAW, AUTO):
        with pytest.raises(ValueError, match="too many axes: stroke 1"):
            to_ink([[[1] * 6] * 6], input_format)


def test_missing_format_is_an_error(exported_rnn, tmp_path):
    shutil.copy(exported_rnn / "model.tflite", tmp_path)
    assert Predictor(str(tmp_path)).classes == Predictor(str(exported_rnn)).classes
    with pytest.raises(ValueError, match=r"format savedmodel\. Available: litert"):
        Predictor(str(tmp_path), "savedmodel")


@pytest.mark.parametrize(
    ("drawing", "problem"),
    [
        ([], "no strokes"),
        ([[[1, 2], [1]]], "unequal x and y"),
        ([[[1.0, float("nan")], [1.0, 2.0]]], "not finite"),
        ([[[-1e308, 1e308], [0, 0]]], "too far apart"),
    ],
)
def test_invalid_strokes_are_an_error(predictor, drawing, problem):
    with pytest.raises(ValueError, match=problem):
        predictor.guess(drawing)


def test_top_k_below_one_is_an_error(predictor, drawing):
    with pytest.raises(ValueError, match=r"top_k must be ≥ 1\. Received: 0"):
        predictor.guess(drawing, top_k=0)
