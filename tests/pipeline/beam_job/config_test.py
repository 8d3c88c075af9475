"""Settings that cannot be are refused by name."""

import pytest

from pipeline.beam_job.config import Recipe, parse_splits

SETTINGS = {
    "classes": None,
    "max_per_class": None,
    "splits": {"train": 1.0},
    "seed": 0,
    "num_shards": 1,
    "keep_duplicates": False,
    "recognized_only": False,
    "compression": "none",
    "max_rejected": 0.01,
    "input_format": "auto",
    "label_names": None,
}


def test_classes_are_sorted_and_each_once():
    recipe = Recipe(**SETTINGS | {"classes": ("cat", "ant", "cat")})
    assert recipe.classes == ("ant", "cat")


def test_to_dict_has_every_setting_but_the_classes():
    expected = {name: SETTINGS[name] for name in SETTINGS if name != "classes"}
    assert Recipe(**SETTINGS).to_dict() == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": ()}, "no classes are wanted"),
        ({"max_per_class": 0}, "max_per_class must be ≥ 1. Received: 0"),
        ({"num_shards": 0}, "num_shards must be ≥ 1. Received: 0"),
        ({"max_rejected": -0.1}, "max_rejected must be within 0..1. Received: -0.1"),
        ({"max_rejected": 1.5}, "max_rejected must be within 0..1. Received: 1.5"),
        ({"max_rejected": float("nan")}, "max_rejected must be within 0..1"),
        ({"input_format": "svg"}, "input_format must be one of auto, .*'svg'"),
        ({"label_names": ("a", "")}, "label_names: one is empty or twice there"),
        ({"label_names": ("a", "b", "a")}, "label_names: one is empty or twice"),
        ({"compression": "zip"}, "compression must be one of none, gzip. .*'zip'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**SETTINGS | settings)


def test_parse_splits():
    splits = parse_splits("train:0.8, validation:0.1,test:0.1")
    assert splits == {"train": 0.8, "validation": 0.1, "test": 0.1}
    assert list(splits) == ["train", "validation", "test"]
    assert parse_splits("a:0.333333,b:0.333333,c:0.333334")["c"] == 0.333334


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no or no new name in ''"),
        ("0.5,test:0.5", "no or no new name in '0.5'"),
        ("train:0.5,train:0.5", "no or no new name in 'train:0.5'"),
        ("a/b:1", "no or no new name in 'a/b:1'"),
        ("train", "no share in 'train'"),
        ("train:all", "no share in 'train:all'"),
        ("train:1,test:0", "a share must be > 0"),
        ("train:1.5,test:-0.5", "a share must be > 0"),
        ("train:nan", "a share must be > 0"),
        ("train:0.8,test:0.1", "must add up to 1"),
        ("train:inf", "must add up to 1"),
    ],
)
def test_splits_that_cannot_be_are_refused(text, message):
    with pytest.raises(ValueError, match=f"^splits:? .*{message}.*|^splits {message}"):
        parse_splits(text)
