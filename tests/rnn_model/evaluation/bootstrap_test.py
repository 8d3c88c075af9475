"""The bootstrap: its weights, and the intervals that it gives."""

import math

import numpy as np
import pytest

from rnn_model.evaluation import bootstrap
from rnn_model.evaluation.metrics import MetricSums, judge

KEYS = [f"{number}".encode() for number in range(4000)]


def answers(drawings, share, classes=5, seed=0):
    """Judged drawings of which about that share is right."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, drawings)
    logits = rng.normal(size=(drawings, classes))
    right = rng.random(drawings) < share
    logits[np.arange(drawings), labels] += np.where(right, 20, -20)
    return judge(logits, labels)


def test_weights_are_poisson_numbers():
    weights = bootstrap.weights(bootstrap.hashes(KEYS, 0))
    assert weights.shape == (4000, 1001)
    assert (weights[:, 0] == 1).all()
    drawn = weights[:, 1:]
    for number in range(5):
        expected = math.exp(-1) / math.factorial(number)
        assert (drawn == number).mean() == pytest.approx(expected, abs=1e-3)
    # Neither two drawings nor two replicates go together.
    for matrix in (np.corrcoef(drawn[:300]), np.corrcoef(drawn[:, :300].T)):
        np.fill_diagonal(matrix, 0)
        assert np.abs(matrix).max() < 0.2


def test_a_weight_is_its_keys_own():
    weights = bootstrap.weights(bootstrap.hashes(KEYS, 0))
    order = np.random.default_rng(0).permutation(len(KEYS))[:50]
    some = bootstrap.weights(bootstrap.hashes([KEYS[place] for place in order], 0))
    np.testing.assert_array_equal(some, weights[order])
    others = bootstrap.weights(bootstrap.hashes(KEYS[:50], 1))
    assert (others != weights[:50]).mean() > 0.5


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_the_interval_of_a_share_is_the_binomial_one(share):
    sums = MetricSums(5, bootstrap.COLUMNS)
    sums.add(answers(4000, share), bootstrap.weights(bootstrap.hashes(KEYS, 0)))
    top1 = sums.metrics()["top1"]
    error = math.sqrt(top1[0] * (1 - top1[0]) / 4000)
    assert top1[1:].std() == pytest.approx(error, rel=0.1)
    low, high = bootstrap.interval(top1)
    assert low == pytest.approx(top1[0] - 1.96 * error, abs=0.3 * error)
    assert high == pytest.approx(top1[0] + 1.96 * error, abs=0.3 * error)


def test_the_difference_of_a_run_and_itself_is_nothing():
    """Its interval says so: the weights are the same for every run."""
    weights = bootstrap.weights(bootstrap.hashes(KEYS, 0))
    one, other = MetricSums(5, bootstrap.COLUMNS), MetricSums(5, bootstrap.COLUMNS)
    one.add(answers(4000, 0.8), weights)
    other.add(answers(4000, 0.8), weights)
    difference = one.metrics()["top1"] - other.metrics()["top1"]
    assert bootstrap.interval(difference) == (0, 0)


@pytest.mark.parametrize("sizes", [[1, 2000, 1999], [17] * 236])
def test_streaming_gives_what_all_at_once_gives(sizes):
    judged = answers(4000, 0.8)
    hashed = bootstrap.hashes(KEYS, 0)
    whole, parts = MetricSums(5, bootstrap.COLUMNS), MetricSums(5, bootstrap.COLUMNS)
    whole.add(judged, bootstrap.weights(hashed))
    for stop, size in zip(np.cumsum(sizes), sizes):
        some = slice(stop - size, stop)
        part = type(judged)(*(column[some] for column in judged))
        parts.add(part, bootstrap.weights(hashed[some]))
    expected = whole.metrics()
    for name, values in parts.metrics().items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1e-7)


def test_an_interval_holds_its_estimate():
    values = np.r_[0.5, np.linspace(0.6, 0.8, bootstrap.REPLICATES)]
    low, high = bootstrap.interval(values)
    assert low == 0.5
    assert high == pytest.approx(0.795, abs=1e-3)
    assert all(map(math.isnan, bootstrap.interval(np.full(1001, np.nan))))


def test_replicates_without_a_drawing_have_no_say():
    values = np.r_[0.5, np.nan, np.full(bootstrap.REPLICATES - 1, 0.5)]
    assert bootstrap.interval(values) == (0.5, 0.5)
