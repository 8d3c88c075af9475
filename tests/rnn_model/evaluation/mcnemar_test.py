"""McNemar's test against known values, and what two runs get alone."""

import numpy as np
import pytest

from rnn_model.evaluation import mcnemar as compare
from rnn_model.evaluation.mcnemar import Pair, mcnemar
from rnn_model.evaluation.metrics import judge


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (0, 5, 2 / 32),
        (1, 9, 2 * 11 / 1024),  # 1 + 10 ways of 2¹⁰
        (9, 1, 2 * 11 / 1024),
    ],
)
def test_the_exact_test(only_first, only_second, p_value):
    assert mcnemar(only_first, only_second) == (pytest.approx(p_value), True)


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"),
    [
        # (121 - 59 → |b - c| - 1)² / (b + c) is 3.841459 where p is 0.05.
        (1000, 1000, 1.0),
        (1044, 956, 0.0517),  # 87² / 2000 = 3.7845
        (1100, 900, 8.6e-6),  # 199² / 2000 = 19.8005
    ],
)
def test_many_drawings_are_tested_by_chi_square(only_first, only_second, p_value):
    found = mcnemar(only_first, only_second)
    assert found.p_value == pytest.approx(p_value, rel=0.01)
    assert not found.exact


def test_both_forms_agree_where_they_meet(monkeypatch):
    exact = mcnemar(470, 530)
    monkeypatch.setattr(compare, "EXACT", 0)
    assert mcnemar(470, 530).p_value == pytest.approx(exact.p_value, rel=0.02)


def judged(guesses, labels):
    return judge(np.eye(3)[guesses] * 2, np.array(labels))


def test_a_pair_counts_who_is_right():
    pair = Pair(3, 1)
    first, second = judged([0, 0, 1, 2], [0, 0, 0, 0]), judged([0, 1, 0, 2], [0] * 4)
    pair.add(first, second)
    pair.add(first, second)
    found = (pair.both, pair.only_first, pair.only_second, pair.neither)
    assert found == (2, 2, 2, 2)
    assert pair.test().p_value == 1


def test_the_surest_are_those_that_one_gets_alone():
    first, second = judged([0, 0, 1], [0, 0, 0]), judged([0, 1, 0], [0, 0, 0])
    scores = compare.surer(first, second)
    assert scores.tolist()[::2] == [-np.inf, -np.inf]
    assert scores[1] == pytest.approx(first.own[1] - second.own[1])
