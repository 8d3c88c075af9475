"""Places are pinned: to change one is a major version."""

import collections

import numpy as np
import pytest

from pipeline.beam_job.splits import Placement

SPLITS = {"train": 0.8, "validation": 0.1, "test": 0.1}
KEYS = [str(number) for number in range(20_000)]


def splits_of(seed=0, num_shards=10, splits=SPLITS):
    places = Placement(splits, num_shards, seed).of(KEYS)
    return [list(splits)[number] for number in places.split]


@pytest.mark.parametrize(
    ("key", "seed", "place"),
    [
        (
            "5891796615823360",
            0,
            (2, 1, 8548372097282805848, "3429d63870b722c96926feaa94f4383d"),
        ),
        (
            "5891796615823360",
            1,
            (0, 5, 6756273072597801502, "3c901068c6687c47342fdf17f412ea44"),
        ),
        ("zoë", 0, (0, 3, 627903634062614958, "8fafd7ab800cd5ba52ee7a0d2b32d7d4")),
    ],
)
def test_places_are_pinned(key, seed, place):
    places = Placement(SPLITS, 10, seed).of(["other", key])
    (split, shard, rank), order = (column[1] for column in places[:3]), places.order[1]
    assert (split, shard, rank, order.hex()) == place


def test_no_keys_have_no_places():
    assert [len(column) for column in Placement(SPLITS, 10, 0).of([])] == [0] * 4


def test_splits_have_their_shares():
    counts = collections.Counter(splits_of())
    for name, share in SPLITS.items():
        assert counts[name] / len(KEYS) == pytest.approx(share, abs=0.01)


def test_shards_are_about_equal():
    counts = collections.Counter(Placement(SPLITS, 10, 0).of(KEYS).shard.tolist())
    assert sorted(counts) == list(range(10))
    assert max(counts.values()) < 1.15 * min(counts.values())


def test_split_does_not_depend_on_the_number_of_shards():
    assert splits_of(num_shards=3) == splits_of(num_shards=500)


def test_rank_and_order_depend_on_key_and_seed_alone():
    one = Placement(SPLITS, 10, 0).of(KEYS)
    other = Placement({"all": 1.0}, 3, 0).of(KEYS)
    assert one.rank.tolist() == other.rank.tolist()
    assert one.order == other.order


def test_a_larger_first_split_only_takes_from_the_others():
    more = splits_of(splits={"train": 0.9, "test": 0.1})
    assert all(
        now == "train" for now, before in zip(more, splits_of()) if before == "train"
    )


def test_another_seed_moves_drawings():
    moved = sum(a != b for a, b in zip(splits_of(), splits_of(seed=1)))
    assert 0.25 < moved / len(KEYS) < 0.45


def test_no_two_keys_share_an_order():
    assert len(set(Placement(SPLITS, 10, 0).of(KEYS).order)) == len(KEYS)


def test_shares_that_round_below_1_leave_no_gap():
    splits = {str(n): 1 / 7 for n in range(7)}
    assert set(splits_of(splits=splits)) == set(splits)


def test_rank_says_nothing_of_the_split():
    places = Placement(SPLITS, 10, 0).of(KEYS)
    smallest = places.split[np.argsort(places.rank)[:2000]]
    assert np.mean(smallest == 0) == pytest.approx(0.8, abs=0.03)
