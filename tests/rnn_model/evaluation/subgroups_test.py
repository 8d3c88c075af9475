"""Subgroups of drawings: membership, sums and names."""

import numpy as np

from rnn_model.evaluation import subgroups
from rnn_model.evaluation.metrics import Predictions, compute_means, per_drawing_values
from rnn_model.evaluation.subgroups import SubgroupIndexer, SubgroupSums


def make_batch(countries, recognized, length):
    return {
        "countrycode": np.array([code.encode() for code in countries], object),
        "recognized": np.array(recognized),
        "length": np.array(length),
    }


def accumulate(batches, kind="ink"):
    """Accumulates batches; only the first prediction of each batch is correct."""
    indexer = SubgroupIndexer(kind)
    sums = SubgroupSums(indexer)
    for batch in batches:
        size = len(batch["recognized"])
        labels = np.ones(size, int)
        labels[0] = 0
        logits = np.tile([1.0, 0.0], (size, 1))
        values = per_drawing_values(Predictions.from_logits(logits, labels))
        sums.add(indexer.assign(batch), values, np.ones((size, 1)))
    return sums.by_attribute()


def count_drawings(groups):
    return {group.name: int(group.sums[0, 0]) for group in groups}


def test_drawings_are_grouped_by_their_attributes():
    first = make_batch(["US", "", "DE"], [1, 0, 1], [15, 16, 400])
    second = make_batch(["DE", "DE"], [0, -1], [1, 100])
    groups = accumulate([first, second])
    assert count_drawings(groups["recognized"]) == {
        "recognized": 2,
        "not recognized": 2,
        "unknown": 1,
    }
    assert count_drawings(groups["country"]) == {"DE": 3, "US": 1, "unknown": 1}
    assert count_drawings(groups["points"]) == {
        "1 to 15": 2,
        "16 to 25": 1,
        "61 to 100": 1,
        "101 or more": 1,
    }
    germany = groups["country"][0]
    assert compute_means(germany.sums)["top1"].tolist() == [1 / 3]


def test_small_countries_are_summed():
    codes = [f"{n:02d}" for n in range(13) for _ in range(20 - n)]
    zeros = [0] * len(codes)
    counts = count_drawings(accumulate([make_batch(codes, zeros, zeros)])["country"])
    assert list(counts)[:2] == ["00", "01"]
    assert len(counts) == subgroups.MAX_COUNTRIES + 1
    assert counts["3 others"] == 10 + 9 + 8


def test_attributes_that_no_drawing_has_are_omitted():
    batch = make_batch(["", ""], [-1, -1], [5, 5])
    assert set(accumulate([batch])) == {"points"}
    assert accumulate([batch], "bitmap") == {}
