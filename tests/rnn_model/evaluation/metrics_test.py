"""Metrics against a reference computation, drawing by drawing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from rnn_model.evaluation.metrics import (
    GroupSums,
    MetricSums,
    Predictions,
    compute_means,
    per_drawing_values,
    softmax,
    top_k,
)


def reference_metrics(logits, labels):
    """Computes the metrics of `MetricSums` without batches and without NumPy."""
    ranks, losses, bins = [], [], {}
    for row, label in zip(logits.tolist(), labels.tolist()):
        order = sorted(range(len(row)), key=lambda i: (-row[i], i))
        ranks.append(order.index(label))
        highest = max(row)
        total = math.fsum(math.exp(v - highest) for v in row)
        losses.append(math.log(total) + highest - row[label])
        gap = 1 / total - (order[0] == label)
        bins.setdefault(max(math.ceil(15 / total), 1), []).append(gap)
    number = len(ranks)
    class_top1 = []
    for label in set(labels.tolist()):
        class_ranks = [rank for rank, other in zip(ranks, labels) if other == label]
        class_top1.append(class_ranks.count(0) / len(class_ranks))
    return {
        "top1": ranks.count(0) / number,
        "top3": sum(rank < 3 for rank in ranks) / number,
        "top5": sum(rank < 5 for rank in ranks) / number,
        "map3": sum(1 / (rank + 1) for rank in ranks if rank < 3) / number,
        "macro_top1": sum(class_top1) / len(class_top1),
        "loss": math.fsum(losses) / number,
        "ece": sum(abs(math.fsum(gaps)) for gaps in bins.values()) / number,
        "examples": number,
    }


@st.composite
def logits_and_labels(draw):
    """Draws logits with many ties, and labels."""
    classes, drawings = draw(st.integers(1, 6)), draw(st.integers(1, 20))
    values = st.one_of(st.integers(-2, 2).map(float), st.floats(-50, 50, width=32))
    logits = draw(np_st.arrays(np.float32, (drawings, classes), elements=values))
    labels = draw(
        np_st.arrays(np.int64, drawings, elements=st.integers(0, classes - 1))
    )
    return logits, labels


@given(logits_and_labels(), st.lists(st.integers(1, 7), min_size=20, max_size=20))
def test_any_batches_give_the_reference_metrics(data, sizes):
    logits, labels = data
    sums, start = MetricSums(logits.shape[1]), 0
    for size in sizes:
        if start < len(labels):
            sums.update(logits[start : start + size], labels[start : start + size])
        start += size
    assert sums.result() == pytest.approx(reference_metrics(logits, labels), abs=1e-9)


@given(logits_and_labels(), st.integers(1, 7))
def test_top_k_agrees_with_the_rank_of_the_label(data, k):
    logits, labels = data
    best = top_k(logits, k)
    assert best.shape == (len(labels), min(k, logits.shape[1]))
    ranks = Predictions.from_logits(logits, labels).rank
    in_top_k = (best == labels[:, None]).any(axis=1)
    np.testing.assert_array_equal(in_top_k, ranks < k)


@given(logits_and_labels())
def test_softmax_agrees_with_the_predictions(data):
    logits, labels = data
    probabilities = softmax(logits)
    predictions = Predictions.from_logits(logits, labels)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(probabilities.max(axis=1), predictions.confidence)
    of_label = probabilities[np.arange(len(labels)), labels]
    np.testing.assert_allclose(of_label, predictions.true_class_prob)


def test_lower_class_wins_ties():
    sums = MetricSums(4)
    sums.update(np.zeros((4, 4), np.float32), np.arange(4))
    result = sums.result()
    assert (result["top1"], result["top3"]) == (0.25, 0.75)
    assert result["map3"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 4)
    assert result["loss"] == pytest.approx(math.log(4))


def test_macro_top1_ignores_classes_without_drawings():
    sums = MetricSums(5)
    logits = np.eye(5, dtype=np.float32)[[0, 0, 0, 3]]
    sums.update(logits, np.array([0, 0, 0, 1]))
    assert sums.result()["macro_top1"] == 0.5
    assert sums.result()["top1"] == 0.75


def test_large_logits_do_not_overflow():
    sums = MetricSums(2)
    sums.update(np.array([[1e5, -1e5]], np.float32), np.array([1]))
    assert sums.result()["loss"] == pytest.approx(2e5)


def test_no_drawings_are_an_error():
    with pytest.raises(ValueError, match="No drawings"):
        MetricSums(3).result()


@pytest.mark.parametrize("classes", [2, 5])
def test_nan_is_never_correct(classes):
    sums = MetricSums(classes)
    sums.update(np.full((3, classes), np.nan), np.array([0, 1, 1]))
    assert sums.result()["top1"] == sums.result()["top3"] == 0
    one_nan = np.zeros((1, classes))
    one_nan[0, 0] = np.nan
    sums.update(one_nan, np.array([1]))
    assert sums.result()["top1"] == 0


def test_calibration_error_by_hand():
    """Confidence 3/4 twice, one correct; confidence 1/2 once, wrong."""
    sums = MetricSums(2)
    logits = np.log([[3.0, 1.0], [3.0, 1.0], [1.0, 1.0]])
    sums.update(logits, np.array([0, 1, 1]))
    # (2 · |1/2 - 3/4| + 1 · |0 - 1/2|) / 3
    assert sums.result()["ece"] == pytest.approx(1 / 3)
    drawings = sums.calibration()[:, 0, 0]
    assert {index: n for index, n in enumerate(drawings) if n} == {7: 1, 11: 2}


def test_integer_weights_are_equivalent_to_repeated_drawings():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(40, 6)), rng.integers(0, 6, 40)
    times = rng.integers(0, 4, 40)
    weighted, repeated = MetricSums(6, 2), MetricSums(6)
    weights = np.stack([np.ones(40), times], axis=1)
    weighted.add(Predictions.from_logits(logits, labels), weights)
    repeated.update(np.repeat(logits, times, axis=0), np.repeat(labels, times))
    expected = repeated.result()
    for name, (unweighted, value) in weighted.compute().items():
        assert value == pytest.approx(expected[name], abs=1e-9)
        assert unweighted != value


def test_groups_have_separate_sums():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(30, 3)), rng.integers(0, 3, 30)
    groups, ones = rng.integers(4, 7, 30), np.ones((30, 1))
    values = per_drawing_values(Predictions.from_logits(logits, labels))
    sums = GroupSums()
    sums.add(groups[:11], values[:11], ones[:11])
    sums.add(groups[11:], values[11:], ones[11:])
    assert sorted(sums) == [4, 5, 6]
    for group, group_sums in sums.items():
        rows = groups == group
        expected = reference_metrics(logits[rows], labels[rows])
        for name, (value,) in compute_means(group_sums).items():
            assert value == pytest.approx(expected[name])


def test_all_reduce_gives_the_metrics_of_all_workers():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(30, 4)), rng.integers(0, 4, 30)
    workers = MetricSums(4), MetricSums(4)
    for worker, rows in zip(workers, (slice(11), slice(11, 30))):
        worker.update(logits[rows], labels[rows])
    sent = []
    workers[1].all_reduce(lambda array: sent.append(array) or array)
    workers[0].all_reduce(lambda array: array + sent[0])
    expected = reference_metrics(logits, labels)
    assert workers[0].result() == pytest.approx(expected, abs=1e-9)
