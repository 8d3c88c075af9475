"""The predictor: strokes in, guesses out, on any canvas."""

import shutil

import numpy as np
import pytest

from serve_export.predictor import AUTO, RUNTIMES, SIMPLIFIED, Predictor, to_ink


@pytest.fixture(scope="module", params=RUNTIMES)
def predictor(exported_rnn, request):
    return Predictor(str(exported_rnn), request.param)


def test_guesses_are_sorted_and_sum_to_one(predictor, drawing):
    guesses = predictor.guess(drawing, top_k=1000)
    chances = [guess.probability for guess in guesses]
    assert {guess.word for guess in guesses} == set(predictor.classes)
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1, abs=1e-5)


def test_the_canvas_does_not_matter(predictor):
    hand = [
        [[3.2, 80.7, 150.1, 148.3], [10.0, 11.5, 90.2, 160.9]],
        [[40, 60], [50, 90]],
    ]
    large = [[[10 * v + 77 for v in axis] for axis in stroke] for stroke in hand]
    assert predictor.guess(hand) == predictor.guess(large)


def test_padding_and_company_do_not_matter(predictor, drawing):
    dot, long = to_ink([[[1], [1]]]), to_ink([[list(range(250)) * 4] * 2])
    alone = predictor.probabilities([to_ink(drawing)])[0]
    among = predictor.probabilities([dot, to_ink(drawing), long])[1]
    np.testing.assert_allclose(among, alone, atol=1e-5)


@pytest.mark.parametrize("form", [AUTO, SIMPLIFIED])
def test_a_simplified_drawing_is_not_simplified_again(drawing, form):
    moved = [[[x // 2 + 9 for x in xs], ys] for xs, ys in drawing]
    assert to_ink(moved, form)[0, 0] == np.float32(moved[0][0][0]) / np.float32(255)
    assert len(to_ink(moved, form)) == sum(len(xs) for xs, _ in moved)


def test_raw_strokes_are_simplified_whatever_they_look_like():
    small = [[[0, 1, 2, 30], [0, 1, 2, 30]]]
    assert to_ink(small).tolist() == [[0, 0, 0], [1, 1, 1]]
    assert len(to_ink(small, AUTO)) == 4


def test_a_missing_format_is_named(exported_rnn, tmp_path):
    shutil.copy(exported_rnn / "model.tflite", tmp_path)
    assert Predictor(str(tmp_path)).classes == Predictor(str(exported_rnn)).classes
    with pytest.raises(ValueError, match="has no savedmodel in it, but litert"):
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
def test_bad_strokes_are_named(predictor, drawing, problem):
    with pytest.raises(ValueError, match=problem):
        predictor.guess(drawing)


def test_top_k_below_one_is_refused(predictor, drawing):
    with pytest.raises(ValueError, match=r"top_k must be ≥ 1\. Received: 0"):
        predictor.guess(drawing, top_k=0)
