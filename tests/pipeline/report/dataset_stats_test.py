"""Counts are exact and samples are uniform."""

import collections

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import strokes
from pipeline.rasterize import rasterize
from pipeline.report import dataset_stats
from pipeline.report.dataset_stats import (
    ClassStats,
    DatasetStats,
    Distribution,
    DrawingSummary,
)

CORNER = strokes.to_points([[[0, 30, 30], [0, 0, 40]], [[255], [255]]])
LINE = strokes.to_points([[[10, 13], [20, 24]]])


def make_drawing(
    word="cat", points=CORNER, split="train", countrycode="AE", recognized=1
):
    return DrawingSummary(word, split, countrycode, recognized, points)


@given(st.lists(st.integers(0, 500), min_size=1), st.floats(0, 1))
def test_quantiles_equal_those_of_numpy(values, share):
    distribution = Distribution()
    for value in values:
        distribution.add(value)
    expected = np.quantile(values, share, method="inverted_cdf")
    assert distribution.quantile(share) == expected
    unique, counts = distribution.sorted()
    np.testing.assert_array_equal(np.repeat(unique, counts), sorted(values))


def test_pen_up_movements_are_not_ink():
    assert dataset_stats.compute_ink_length(CORNER) == 70
    assert dataset_stats.compute_ink_length(LINE) == 5
    assert dataset_stats.compute_ink_length(strokes.to_points([[[7], [7]]])) == 0


def test_every_drawing_is_counted():
    stats = DatasetStats(sample_size=1, seed=0)
    stats.add(make_drawing())
    stats.add(make_drawing(split="test", recognized=0, points=LINE))
    stats.add(make_drawing("dog", countrycode="", recognized=-1))
    bitmap = np.zeros((28, 28), np.uint8)
    stats.add(DrawingSummary("dog", "test", "", -1, bitmap=bitmap))
    assert stats.num_drawings == 4
    assert stats.classes["cat"].by_split == {"train": 1, "test": 1}
    assert stats.by_recognized == {1: 1, 0: 1, -1: 2}
    assert stats.countries == {"AE": 2, "": 2}
    assert stats.points.counts == {4: 2, 2: 1}
    assert stats.strokes.counts == {2: 2, 1: 1}
    assert stats.ink.counts == {70: 2, 5: 1}
    assert [len(each.sample) for each in stats.classes.values()] == [1, 1]


def sample(seed, num_drawings=12, sample_size=4):
    stats = ClassStats(seed)
    for number in range(num_drawings):
        stats.add(make_drawing(countrycode=str(number)), sample_size)
    return [int(drawing.countrycode) for drawing in stats.sample]


def test_every_drawing_is_equally_probable_at_every_index():
    counts = [collections.Counter() for _ in range(4)]
    for seed in range(3000):
        for counter, number in zip(counts, sample(str(seed)), strict=True):
            counter[number] += 1
    for counter in counts:
        assert set(counter) == set(range(12))
        assert 180 < min(counter.values()) < max(counter.values()) < 320


def test_the_seed_determines_the_sample():
    assert sample("1") == sample("1") != sample("2")
    assert sorted(sample("1", num_drawings=3)) == [0, 1, 2]
    assert len(set(sample("1"))) == 4


def test_bitmap_stats_cover_the_sample():
    stats = DatasetStats(sample_size=5, seed=0)
    gray = np.full((28, 28), 9, np.uint8)
    for points in (CORNER, CORNER, LINE):
        stats.add(make_drawing("cat", points))
    stats.add(DrawingSummary("ant", "train", "", -1, bitmap=gray))
    first, last = dataset_stats.compute_bitmap_stats(stats)
    assert (first.num_drawings, last.num_drawings) == (1, 4)
    assert list(last.means) == ["ant", "cat"]
    np.testing.assert_array_equal(last.means["ant"], gray)
    expected = (2.0 * rasterize(CORNER) + rasterize(LINE)) / 3
    np.testing.assert_allclose(last.means["cat"], expected)
    assert last.gray_values.sum() == 4 * 784
    assert last.gray_values[9] >= 784


def test_an_empty_sample_is_rejected():
    with pytest.raises(ValueError, match=r"sample_size must be ≥ 1\. Received: 0"):
        DatasetStats(0, 0)
