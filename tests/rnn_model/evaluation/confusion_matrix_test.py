"""Confusion matrix: counts, most confused pairs, and the order of the classes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnn_model.evaluation.confusion_matrix import (
    ConfusionMatrix,
    ConfusionPair,
    order_by_similarity,
)


def test_most_confused_pairs_come_first():
    confusion = ConfusionMatrix(3)
    confusion.add(np.array([0, 0, 0, 1, 1]), np.array([0, 2, 2, 0, 1]))
    confusion.add(np.array([0]), np.array([0]))
    assert confusion.counts.tolist() == [[2, 0, 2], [1, 1, 0], [0, 0, 0]]
    assert confusion.most_confused(5) == [
        ConfusionPair(0, 2, 2, 0.5),
        ConfusionPair(1, 0, 1, 0.5),
    ]
    assert confusion.most_confused(1) == [ConfusionPair(0, 2, 2, 0.5)]
    assert confusion.shares()[2].tolist() == [0, 0, 0]


def test_confused_classes_are_adjacent():
    """Three shuffled clusters of classes: each comes out in one piece."""
    rng = np.random.default_rng(0)
    cluster = rng.permutation(np.repeat([0, 1, 2], 5))
    shares = np.where(cluster[:, None] == cluster, 0.1, 0.001) + np.eye(15) * 0.5
    ordered = cluster[order_by_similarity(shares + 0.01 * rng.random((15, 15)))]
    assert np.count_nonzero(np.diff(ordered)) == 2


@given(st.integers(1, 12), st.integers(0, 99))
def test_order_contains_every_class_once(classes, seed):
    shares = np.random.default_rng(seed).random((classes, classes))
    assert sorted(order_by_similarity(shares)) == list(range(classes))
    assert sorted(order_by_similarity(shares * 0)) == list(range(classes))
