"""How often the drawings of rare classes are shown, and the offsets of the logits."""

import numpy as np
import pytest

from rnn_model.training.class_balance import (
    compute_epoch_size,
    compute_logit_offsets,
    compute_repeats,
)

COUNTS = [7639, 480, 214, 213, 120, 53, 30, 7, 1, 0]


def test_rare_classes_are_repeated_up_to_a_maximum():
    repeats = compute_repeats(COUNTS, 0.5)
    assert repeats.tolist() == [1, 1, 1, 2, 2, 3, 4, 8, 8, 8]
    assert compute_repeats(COUNTS, 1.0).tolist()[:6] == [1, 1, 2, 2, 4, 8]
    assert compute_epoch_size(COUNTS, 0.5) == np.dot(COUNTS, repeats)


def test_classes_are_rare_relative_to_the_largest():
    assert compute_repeats([50, 45, 40], 0.5).tolist() == [1, 1, 1]
    assert compute_repeats([50, 45, 5], 0.5).tolist() == [1, 1, 3]


def test_zero_balance_keeps_the_frequencies():
    assert (compute_repeats(COUNTS, 0) == 1).all()
    assert not compute_logit_offsets(COUNTS, 0).any()


@pytest.mark.parametrize("balance", [0.25, 0.5, 1.0])
def test_equal_classes_have_equal_offsets(balance):
    offsets = compute_logit_offsets([600] * 4, balance)
    np.testing.assert_allclose(offsets, balance / 2 * np.log(1 / 4), rtol=1e-6)


def test_the_offset_is_the_log_of_the_share_shown():
    offsets = compute_logit_offsets([1000, 120], 0.5)
    shares = np.exp(offsets / 0.25)
    np.testing.assert_allclose(shares, np.array([1000, 240]) / 1240, rtol=1e-6)
