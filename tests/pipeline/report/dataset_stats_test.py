"""What is counted is exact, and what is picked is picked fairly."""

import collections

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import strokes
from pipeline.rasterize import rasterize
from pipeline.report import dataset_stats
from pipeline.report.dataset_stats import ClassSurvey, Distribution, Seen, Survey

CORNER = strokes.to_points([[[0, 30, 30], [0, 0, 40]], [[255], [255]]])
LINE = strokes.to_points([[[10, 13], [20, 24]]])


def seen(word="cat", points=CORNER, split="train", countrycode="AE", recognized=1):
    return Seen(word, split, countrycode, recognized, points)


@given(st.lists(st.integers(0, 500), min_size=1), st.floats(0, 1))
def test_quantiles_are_numpys(numbers, share):
    distribution = Distribution()
    for number in numbers:
        distribution.add(number)
    expected = np.quantile(numbers, share, method="inverted_cdf")
    assert distribution.quantile(share) == expected
    values, counts = distribution.sorted()
    np.testing.assert_array_equal(np.repeat(values, counts), sorted(numbers))


def test_the_way_between_strokes_is_no_ink():
    assert dataset_stats.ink_length(CORNER) == 70
    assert dataset_stats.ink_length(LINE) == 5
    assert dataset_stats.ink_length(strokes.to_points([[[7], [7]]])) == 0


def test_every_drawing_is_counted():
    found = Survey(pictures=1, seed=0)
    found.add(seen())
    found.add(seen(split="test", recognized=0, points=LINE))
    found.add(seen("dog", countrycode="", recognized=-1))
    bitmap = np.zeros((28, 28), np.uint8)
    found.add(Seen("dog", "test", "", -1, bitmap=bitmap))
    assert found.drawings == 4
    assert found.classes["cat"].by_split == {"train": 1, "test": 1}
    assert found.recognized() == {1: 1, 0: 1, -1: 2}
    assert found.countries == {"AE": 2, "": 2}
    assert found.points.counts == {4: 2, 2: 1}
    assert found.strokes.counts == {2: 2, 1: 1}
    assert found.ink.counts == {70: 2, 5: 1}
    assert {word: len(each.picked) for word, each in found.classes.items()} == {
        "cat": 1,
        "dog": 1,
    }


def picks(seed, drawings=12, pictures=4):
    found = ClassSurvey(seed)
    for number in range(drawings):
        found.add(seen(countrycode=str(number)), pictures)
    return [int(each.countrycode) for each in found.picked]


def test_every_drawing_has_the_same_chance_at_every_place():
    places = [collections.Counter() for _ in range(4)]
    for seed in range(3000):
        for place, number in zip(places, picks(str(seed)), strict=True):
            place[number] += 1
    for place in places:
        assert set(place) == set(range(12))
        assert 180 < min(place.values()) < max(place.values()) < 320


def test_the_seed_decides_what_is_picked():
    assert picks("1") == picks("1") != picks("2")
    assert sorted(picks("1", drawings=3)) == [0, 1, 2]
    assert len(set(picks("1"))) == 4


def test_pictures_are_of_the_picked_drawings():
    found = Survey(pictures=5, seed=0)
    grey = np.full((28, 28), 9, np.uint8)
    for _ in range(2):
        found.add(seen("cat"))
    found.add(seen("cat", LINE))
    found.add(Seen("ant", "train", "", -1, bitmap=grey))
    first, last = dataset_stats.look(found)
    assert (first.count, last.count) == (1, 4)
    assert list(last.means) == ["ant", "cat"]
    np.testing.assert_array_equal(last.means["ant"], grey)
    expected = (2.0 * rasterize(CORNER) + rasterize(LINE)) / 3
    np.testing.assert_allclose(last.means["cat"], expected)
    assert last.grey_values.sum() == 4 * 784
    assert last.grey_values[9] >= 784


def test_no_pictures_is_refused():
    with pytest.raises(ValueError, match=r"pictures must be ≥ 1\. Received: 0"):
        Survey(0, 0)
