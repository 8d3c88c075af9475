"""The predictor: strokes in, guesses out, on any canvas."""

import json

import numpy as np
import pytest

from serve_export.predictor import Predictor, to_ink


@pytest.fixture(scope="module")
def predictor(exported_rnn):
    return Predictor(str(exported_rnn))


@pytest.fixture(scope="module")
def drawing(doodles):
    path = min(doodles.glob("*.ndjson"))
    return json.loads(path.read_text().splitlines()[0])["drawing"]


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


def test_a_simplified_drawing_is_not_simplified_again(drawing):
    first = drawing[0][0][0]
    assert to_ink(drawing)[0, 0] == np.float32(first) / np.float32(255)
    assert len(to_ink(drawing)) == sum(len(xs) for xs, _ in drawing)


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
