"""Comparison of two runs: counts, and which drawings only one predicts correctly."""

import numpy as np
import pytest

from rnn_model.evaluation import run_metrics
from rnn_model.evaluation.metrics import Predictions
from rnn_model.evaluation.run_metrics import PairCounts, RunPair


def make_predictions(predicted, labels):
    return Predictions.from_logits(np.eye(3)[predicted] * 2, np.array(labels))


FIRST = make_predictions([0, 0, 1, 2], [0, 0, 0, 0])
SECOND = make_predictions([0, 1, 0, 2], [0, 0, 0, 0])


def as_tuple(counts: PairCounts):
    return counts.both, counts.only_first, counts.only_second, counts.neither


def test_pairs_are_counted_for_all_and_for_recognized_drawings():
    pair = RunPair(3, 0, 2)
    unused = FIRST
    for recognized in ([1, 1, 0, 0], [0, -1, 1, 1]):
        pair.add([FIRST, unused, SECOND], {"recognized": np.array(recognized)})
    assert as_tuple(pair.all) == (2, 2, 2, 2)
    assert as_tuple(pair.recognized) == (1, 1, 1, 1)
    assert as_tuple(PairCounts()) == (0, 0, 0, 0)


def test_only_drawings_that_one_run_predicts_correctly_have_a_score():
    scores = run_metrics.only_one_correct_scores(FIRST, SECOND)
    expected = FIRST.true_class_prob[1] - SECOND.true_class_prob[1]
    assert scores.tolist() == [-np.inf, pytest.approx(expected), -np.inf, -np.inf]
