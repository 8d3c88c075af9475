"""The metrics, against a plain computation drawing by drawing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from rnn_model.metrics import MetricSums


def plain_metrics(logits, labels):
    """What `MetricSums` gives, without sums over batches and without numpy."""
    ranks, losses = [], []
    for row, label in zip(logits.tolist(), labels.tolist()):
        order = sorted(range(len(row)), key=lambda i: (-row[i], i))
        ranks.append(order.index(label))
        highest = max(row)
        total = math.fsum(math.exp(v - highest) for v in row)
        losses.append(math.log(total) + highest - row[label])
    number = len(ranks)
    shares = []
    for word in set(labels.tolist()):
        own = [rank for rank, label in zip(ranks, labels) if label == word]
        shares.append(own.count(0) / len(own))
    return {
        "top1": ranks.count(0) / number,
        "top3": sum(rank < 3 for rank in ranks) / number,
        "map3": sum(1 / (rank + 1) for rank in ranks if rank < 3) / number,
        "macro_top1": sum(shares) / len(shares),
        "loss": math.fsum(losses) / number,
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
