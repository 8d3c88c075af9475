"""The metrics, against a plain computation drawing by drawing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from rnn_model.evaluation.metrics import GroupSums, MetricSums, judge, means, values_of


def plain_metrics(logits, labels):
    """What `MetricSums` gives, without sums over batches and without numpy."""
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
    shares = []
    for word in set(labels.tolist()):
        own = [rank for rank, label in zip(ranks, labels) if label == word]
        shares.append(own.count(0) / len(own))
    return {
        "top1": ranks.count(0) / number,
        "top3": sum(rank < 3 for rank in ranks) / number,
        "top5": sum(rank < 5 for rank in ranks) / number,
        "map3": sum(1 / (rank + 1) for rank in ranks if rank < 3) / number,
        "macro_top1": sum(shares) / len(shares),
        "loss": math.fsum(losses) / number,
        "ece": sum(abs(math.fsum(gaps)) for gaps in bins.values()) / number,
        "examples": number,
    }


@st.composite
def answers(draw):
    """Logits and labels of a few drawings; few values, so that ties are common."""
    classes, drawings = draw(st.integers(1, 6)), draw(st.integers(1, 20))
    values = st.one_of(st.integers(-2, 2).map(float), st.floats(-50, 50, width=32))
    logits = draw(np_st.arrays(np.float32, (drawings, classes), elements=values))
    labels = draw(
        np_st.arrays(np.int64, drawings, elements=st.integers(0, classes - 1))
    )
    return logits, labels


@given(answers(), st.lists(st.integers(1, 7), min_size=20, max_size=20))
def test_any_split_into_batches_gives_the_plain_result(data, sizes):
    logits, labels = data
    sums, start = MetricSums(logits.shape[1]), 0
    for size in sizes:
        if start < len(labels):
            sums.update(logits[start : start + size], labels[start : start + size])
        start += size
    assert sums.result() == pytest.approx(plain_metrics(logits, labels), abs=1e-9)


def test_of_equal_logits_the_lower_class_is_better():
    sums = MetricSums(4)
    sums.update(np.zeros((4, 4), np.float32), np.arange(4))
    result = sums.result()
    assert (result["top1"], result["top3"]) == (0.25, 0.75)
    assert result["map3"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 4)
    assert result["loss"] == pytest.approx(math.log(4))


def test_a_class_without_drawings_has_no_say_in_macro_top1():
    sums = MetricSums(5)
    logits = np.eye(5, dtype=np.float32)[[0, 0, 0, 3]]
    sums.update(logits, np.array([0, 0, 0, 1]))
    assert sums.result()["macro_top1"] == 0.5
    assert sums.result()["top1"] == 0.75


def test_huge_logits_stay_finite():
    sums = MetricSums(2)
    sums.update(np.array([[1e5, -1e5]], np.float32), np.array([1]))
    assert sums.result()["loss"] == pytest.approx(2e5)


def test_no_drawing_is_an_error():
    with pytest.raises(ValueError, match="no drawing"):
        MetricSums(3).result()


@pytest.mark.parametrize("classes", [2, 5])
def test_what_is_not_a_number_is_never_right(classes):
    sums = MetricSums(classes)
    sums.update(np.full((3, classes), np.nan), np.array([0, 1, 1]))
    assert sums.result()["top1"] == sums.result()["top3"] == 0
    one = np.zeros((1, classes))
    one[0, 0] = np.nan
    sums.update(one, np.array([1]))
    assert sums.result()["top1"] == 0


def test_the_calibration_error_by_hand():
    """Two drawings of 3/4 in one bin, one right; one of 1/2 in another, wrong."""
    sums = MetricSums(2)
    logits = np.log([[3.0, 1.0], [3.0, 1.0], [1.0, 1.0]])
    sums.update(logits, np.array([0, 1, 1]))
    # (2 · |1/2 - 3/4| + 1 · |0 - 1/2|) / 3
    assert sums.result()["ece"] == pytest.approx(1 / 3)
    drawings = sums.calibration()[:, 0, 0]
    assert {place: n for place, n in enumerate(drawings) if n} == {7: 1, 11: 2}


def test_a_weight_stands_for_so_many_equal_drawings():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(40, 6)), rng.integers(0, 6, 40)
    times = rng.integers(0, 4, 40)
    weighted, repeated = MetricSums(6, 2), MetricSums(6)
    weights = np.stack([np.ones(40), times], axis=1)
    weighted.add(judge(logits, labels), weights)
    repeated.update(np.repeat(logits, times, axis=0), np.repeat(labels, times))
    expected = repeated.result()
    for name, (plain, other) in weighted.metrics().items():
        assert other == pytest.approx(expected[name], abs=1e-9)
        assert plain != other


def test_groups_are_summed_apart():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(30, 3)), rng.integers(0, 3, 30)
    groups, ones = rng.integers(4, 7, 30), np.ones((30, 1))
    values = values_of(judge(logits, labels))
    sums = GroupSums()
    sums.add(groups[:11], values[:11], ones[:11])
    sums.add(groups[11:], values[11:], ones[11:])
    assert sorted(sums) == [4, 5, 6]
    for group, found in sums.items():
        own = groups == group
        expected = plain_metrics(logits[own], labels[own])
        for name, (value,) in means(found).items():
            assert value == pytest.approx(expected[name])
