"""Assignments are pinned: changing one needs a new major version."""

import collections

import numpy as np
import pytest

from pipeline.beam_job.splits import SplitAssigner

SPLITS = {"train": 0.8, "validation": 0.1, "test": 0.1}
KEYS = [str(number) for number in range(20_000)]


def assign(seed=0, num_shards=10, splits=SPLITS):
    return SplitAssigner(splits, num_shards, seed).assign(KEYS)


def split_names(splits=SPLITS, **settings):
    return [list(splits)[index] for index in assign(splits=splits, **settings).split]


@pytest.mark.parametrize(
    ("key", "seed", "split", "shard", "rank", "sort_key"),
    [
        ("5891796615823360", 0, 2, 1, 8548372097282805848,
         "3429d63870b722c96926feaa94f4383d"),
        ("5891796615823360", 1, 0, 5, 6756273072597801502,
         "3c901068c6687c47342fdf17f412ea44"),
        ("zoë", 0, 0, 3, 627903634062614958, "8fafd7ab800cd5ba52ee7a0d2b32d7d4"),
    ],
)  # fmt: skip
def test_assignments_are_pinned(key, seed, split, shard, rank, sort_key):
    assigned = SplitAssigner(SPLITS, 10, seed).assign(["other", key])
    numbers = (assigned.split[1], assigned.shard[1], assigned.rank[1])
    assert numbers == (split, shard, rank)
    assert assigned.sort_key[1].hex() == sort_key


def test_no_keys():
    assert [len(column) for column in SplitAssigner(SPLITS, 10, 0).assign([])] == [
        0
    ] * 4


def test_splits_have_their_fractions():
    counts = collections.Counter(split_names())
    for name, fraction in SPLITS.items():
        assert counts[name] / len(KEYS) == pytest.approx(fraction, abs=0.01)


def test_shards_have_similar_sizes():
    counts = collections.Counter(assign().shard.tolist())
    assert sorted(counts) == list(range(10))
    assert max(counts.values()) < 1.15 * min(counts.values())


def test_the_split_does_not_depend_on_the_number_of_shards():
    assert split_names(num_shards=3) == split_names(num_shards=500)


def test_rank_and_sort_key_depend_on_key_and_seed_only():
    assigned, other = assign(), assign(splits={"all": 1.0}, num_shards=3)
    assert assigned.rank.tolist() == other.rank.tolist()
    assert assigned.sort_key == other.sort_key


def test_a_larger_first_split_only_takes_from_the_others():
    larger = split_names(splits={"train": 0.9, "test": 0.1})
    assert all(
        after == "train"
        for after, before in zip(larger, split_names())
        if before == "train"
    )


def test_another_seed_moves_drawings():
    moved = sum(a != b for a, b in zip(split_names(), split_names(seed=1)))
    assert 0.25 < moved / len(KEYS) < 0.45


def test_sort_keys_are_unique():
    assert len(set(assign().sort_key)) == len(KEYS)


def test_fractions_that_round_below_1_leave_no_gap():
    splits = {str(n): 1 / 7 for n in range(7)}
    assert set(split_names(splits=splits)) == set(splits)


def test_the_rank_is_independent_of_the_split():
    assigned = assign()
    smallest = assigned.split[np.argsort(assigned.rank)[:2000]]
    assert np.mean(smallest == 0) == pytest.approx(0.8, abs=0.03)
