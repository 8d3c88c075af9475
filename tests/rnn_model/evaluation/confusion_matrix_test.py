"""What is taken for what: counts, the worst pairs, and an order of the classes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnn_model.evaluation.confusion_matrix import Confused, Confusion, clustered


def test_the_worst_pairs_are_named_in_order():
    confusion = Confusion(3)
    confusion.add(np.array([0, 0, 0, 1, 1]), np.array([0, 2, 2, 0, 1]))
    confusion.add(np.array([0]), np.array([0]))
    assert confusion.matrix.tolist() == [[2, 0, 2], [1, 1, 0], [0, 0, 0]]
    assert confusion.most_confused(5) == [
        Confused(0, 2, 2, 0.5),
        Confused(1, 0, 1, 0.5),
    ]
    assert confusion.most_confused(1) == [Confused(0, 2, 2, 0.5)]
    assert confusion.shares()[2].tolist() == [0, 0, 0]


def test_classes_that_are_confused_stand_side_by_side():
    """Three families, mixed: each comes out in one piece."""
    rng = np.random.default_rng(0)
    family = rng.permutation(np.repeat([0, 1, 2], 5))
    shares = np.where(family[:, None] == family, 0.1, 0.001) + np.eye(15) * 0.5
    found = family[clustered(shares + 0.01 * rng.random((15, 15)))]
    assert np.count_nonzero(np.diff(found)) == 2


@given(st.integers(1, 12), st.integers(0, 99))
def test_an_order_names_every_class_once(classes, seed):
    shares = np.random.default_rng(seed).random((classes, classes))
    assert sorted(clustered(shares)) == list(range(classes))
    assert sorted(clustered(shares * 0)) == list(range(classes))
