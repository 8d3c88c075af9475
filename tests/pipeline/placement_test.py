"""Places are pinned: to change one is a major version."""

import collections

import pytest

from pipeline.placement import Place, Placement

SPLITS = {"train": 0.8, "validation": 0.1, "test": 0.1}
KEYS = [str(number) for number in range(20_000)]


def splits_of(seed=0, num_shards=10, splits=SPLITS):
    placement = Placement(splits, num_shards, seed)
    return [placement.of(key).split for key in KEYS]


@pytest.mark.parametrize(
    ("key", "seed", "place"),
    [
        (
            "5891796615823360",
            0,
            Place(
                "test",
                1,
                bytes.fromhex("3429d63870b722c96926feaa94f4383d"),
                8548372097282805848,
            ),
        ),
        (
            "5891796615823360",
            1,
            Place(
                "train",
                5,
                bytes.fromhex("3c901068c6687c4734 2fdf17f412ea44"),
                6756273072597801502,
            ),
        ),
        (
            "zoë",
            0,
            Place(
                "train",
                3,
                bytes.fromhex("8fafd7ab800cd5ba52ee7a0d2b32d7d4"),
                627903634062614958,
            ),
        ),
    ],
)
def test_places_are_pinned(key, seed, place):
    assert Placement(SPLITS, 10, seed).of(key) == place


def test_splits_have_their_shares():
    counts = collections.Counter(splits_of())
    for name, share in SPLITS.items():
        assert counts[name] / len(KEYS) == pytest.approx(share, abs=0.01)


def test_shards_are_about_equal():
    placement = Placement(SPLITS, 10, 0)
    counts = collections.Counter(placement.of(key).shard for key in KEYS)
    assert sorted(counts) == list(range(10))
    assert max(counts.values()) < 1.15 * min(counts.values())


def test_split_does_not_depend_on_the_number_of_shards():
    assert splits_of(num_shards=3) == splits_of(num_shards=500)


def test_rank_and_order_depend_on_key_and_seed_alone():
    one, other = Placement(SPLITS, 10, 0), Placement({"all": 1.0}, 3, 0)
    for key in KEYS[:100]:
        assert one.of(key)[2:] == other.of(key)[2:]


def test_a_larger_first_split_only_takes_from_the_others():
    more = splits_of(splits={"train": 0.9, "test": 0.1})
    assert all(
        now == "train" for now, before in zip(more, splits_of()) if before == "train"
    )


def test_another_seed_moves_drawings():
    moved = sum(a != b for a, b in zip(splits_of(), splits_of(seed=1)))
    assert 0.25 < moved / len(KEYS) < 0.45


def test_no_two_keys_share_an_order():
    placement = Placement(SPLITS, 10, 0)
    assert len({placement.of(key).order for key in KEYS}) == len(KEYS)


def test_shares_that_round_below_1_leave_no_gap():
    splits = {str(n): 1 / 7 for n in range(7)}
    assert set(splits_of(splits=splits)) == set(splits)
