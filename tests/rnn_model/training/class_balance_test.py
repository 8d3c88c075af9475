"""Rare classes: how often they are shown, and what the logits are offset by."""

import numpy as np
import pytest

from rnn_model.training import class_balance

COUNTS = [7639, 480, 214, 213, 120, 53, 30, 7, 1, 0]


def test_rare_classes_are_shown_more_often_and_never_too_often():
    times = class_balance.repeats(COUNTS, 0.5)
    assert times.tolist() == [1, 1, 1, 2, 2, 3, 4, 8, 8, 8]
    assert class_balance.repeats(COUNTS, 1.0).tolist()[:6] == [1, 1, 2, 2, 4, 8]


def test_small_classes_are_not_repeated_where_all_are_small():
    assert class_balance.repeats([50, 45, 40], 0.5).tolist() == [1, 1, 1]
    assert class_balance.repeats([50, 45, 5], 0.5).tolist() == [1, 1, 3]


def test_without_balance_nothing_changes():
    assert (class_balance.repeats(COUNTS, 0) == 1).all()
    assert not class_balance.offsets(COUNTS, 0).any()


@pytest.mark.parametrize("strength", [0.25, 0.5, 1.0])
def test_equal_classes_are_offset_equally(strength):
    offsets = class_balance.offsets([600] * 4, strength)
    np.testing.assert_allclose(offsets, strength / 2 * np.log(1 / 4), rtol=1e-6)


def test_the_offset_is_the_log_of_the_share_that_is_shown():
    offsets = class_balance.offsets([1000, 120], 0.5)
    shares = np.exp(offsets / 0.25)
    np.testing.assert_allclose(shares, np.array([1000, 240]) / 1240, rtol=1e-6)
