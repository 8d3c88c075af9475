"""The groups of drawings: who is in them, and what they are called."""

import numpy as np

from rnn_model.evaluation import subgroups
from rnn_model.evaluation.metrics import judge, means, values_of
from rnn_model.evaluation.subgroups import Breakdowns, Grouping


def batch_of(countries, recognized, length):
    return {
        "countrycode": np.array([code.encode() for code in countries], object),
        "recognized": np.array(recognized),
        "length": np.array(length),
    }


def groups_of(batches, kind="ink"):
    """Name to number of drawings, of each breakdown; the first of a batch is right."""
    grouping = Grouping(kind)
    found = Breakdowns(grouping)
    for batch in batches:
        size = len(batch["recognized"])
        labels = np.ones(size, int)
        labels[0] = 0
        judged = judge(np.tile([1.0, 0.0], (size, 1)), labels)
        ones = np.ones((size, 1))
        found.add(grouping.of(batch), values_of(judged), ones)
    return found.groups()


def sizes(groups):
    return {group.name: int(group.sums[0, 0]) for group in groups}


def test_drawings_are_grouped_by_what_is_known():
    first = batch_of(["US", "", "DE"], [1, 0, 1], [15, 16, 400])
    second = batch_of(["DE", "DE"], [0, -1], [1, 100])
    found = groups_of([first, second])
    assert sizes(found["recognized"]) == {
        "recognised": 2,
        "not recognised": 2,
        "not known": 1,
    }
    assert sizes(found["country"]) == {"DE": 3, "US": 1, "not known": 1}
    assert sizes(found["points"]) == {
        "1 to 15": 2,
        "16 to 25": 1,
        "61 to 100": 1,
        "101 and more": 1,
    }
    germany = found["country"][0]
    assert float(means(germany.sums)["top1"][0]) == 1 / 3


def test_small_countries_are_added_up():
    codes = [f"{n:02d}" for n in range(13) for _ in range(20 - n)]
    zeros = [0] * len(codes)
    country = groups_of([batch_of(codes, zeros, zeros)])["country"]
    found = sizes(country)
    assert list(found)[:2] == ["00", "01"]
    assert len(found) == subgroups.COUNTRIES + 1
    assert found["3 others"] == 10 + 9 + 8


def test_what_is_not_known_of_any_drawing_is_left_out():
    found = groups_of([batch_of(["", ""], [-1, -1], [5, 5])])
    assert set(found) == {"points"}
    assert groups_of([batch_of(["", ""], [-1, -1], [5, 5])], "bitmap") == {}
