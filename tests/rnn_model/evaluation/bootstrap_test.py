"""Poisson bootstrap: weights and confidence intervals."""

import math

import numpy as np
import pytest

from rnn_model.evaluation import bootstrap
from rnn_model.evaluation.metrics import MetricSums, Predictions

KEYS = [f"{number}".encode() for number in range(4000)]


def make_predictions(drawings, top1, classes=5, seed=0):
    """Makes predictions with about this top-1."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, drawings)
    logits = rng.normal(size=(drawings, classes))
    is_correct = rng.random(drawings) < top1
    logits[np.arange(drawings), labels] += np.where(is_correct, 20, -20)
    return Predictions.from_logits(logits, labels)


def test_weights_are_independent_poisson_numbers():
    weights = bootstrap.poisson_weights(bootstrap.hash_keys(KEYS, 0))
    assert weights.shape == (4000, 1001)
    assert (weights[:, 0] == 1).all()
    replicates = weights[:, 1:]
    for number in range(5):
        expected = math.exp(-1) / math.factorial(number)
        assert (replicates == number).mean() == pytest.approx(expected, abs=1e-3)
    for matrix in (np.corrcoef(replicates[:300]), np.corrcoef(replicates[:, :300].T)):
        np.fill_diagonal(matrix, 0)
        assert np.abs(matrix).max() < 0.2


def test_weights_depend_on_key_and_seed_only():
    weights = bootstrap.poisson_weights(bootstrap.hash_keys(KEYS, 0))
    order = np.random.default_rng(0).permutation(len(KEYS))[:50]
    shuffled_keys = [KEYS[index] for index in order]
    shuffled = bootstrap.poisson_weights(bootstrap.hash_keys(shuffled_keys, 0))
    np.testing.assert_array_equal(shuffled, weights[order])
    other_seed = bootstrap.poisson_weights(bootstrap.hash_keys(KEYS[:50], 1))
    assert (other_seed != weights[:50]).mean() > 0.5


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_interval_of_top1_matches_the_binomial_interval(share):
    sums = MetricSums(5, bootstrap.COLUMNS)
    weights = bootstrap.poisson_weights(bootstrap.hash_keys(KEYS, 0))
    sums.add(make_predictions(4000, share), weights)
    top1 = sums.compute()["top1"]
    standard_error = math.sqrt(top1[0] * (1 - top1[0]) / 4000)
    assert top1[1:].std() == pytest.approx(standard_error, rel=0.1)
    low, high = bootstrap.confidence_interval(top1)
    tolerance = 0.3 * standard_error
    assert low == pytest.approx(top1[0] - 1.96 * standard_error, abs=tolerance)
    assert high == pytest.approx(top1[0] + 1.96 * standard_error, abs=tolerance)


def test_paired_difference_of_equal_predictions_is_zero():
    weights = bootstrap.poisson_weights(bootstrap.hash_keys(KEYS, 0))
    first, second = MetricSums(5, bootstrap.COLUMNS), MetricSums(5, bootstrap.COLUMNS)
    first.add(make_predictions(4000, 0.8), weights)
    second.add(make_predictions(4000, 0.8), weights)
    difference = first.compute()["top1"] - second.compute()["top1"]
    assert bootstrap.confidence_interval(difference) == (0, 0)


@pytest.mark.parametrize("sizes", [[1, 2000, 1999], [17] * 236])
def test_batches_do_not_change_the_replicates(sizes):
    predictions = make_predictions(4000, 0.8)
    hashes = bootstrap.hash_keys(KEYS, 0)
    whole, batched = MetricSums(5, bootstrap.COLUMNS), MetricSums(5, bootstrap.COLUMNS)
    whole.add(predictions, bootstrap.poisson_weights(hashes))
    for stop, size in zip(np.cumsum(sizes), sizes):
        rows = np.arange(stop - size, min(stop, 4000))
        weights = bootstrap.poisson_weights(hashes[rows])
        batched.add(predictions.select(rows), weights)
    expected = whole.compute()
    for name, values in batched.compute().items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1e-7)


def test_interval_contains_the_estimate():
    values = np.r_[0.5, np.linspace(0.6, 0.8, bootstrap.REPLICATES)]
    low, high = bootstrap.confidence_interval(values)
    assert low == 0.5
    assert high == pytest.approx(0.795, abs=1e-3)
    assert all(map(math.isnan, bootstrap.confidence_interval(np.full(1001, np.nan))))


def test_replicates_without_drawings_are_ignored():
    values = np.r_[0.5, np.nan, np.full(bootstrap.REPLICATES - 1, 0.5)]
    assert bootstrap.confidence_interval(values) == (0.5, 0.5)
