"""Invalid settings are rejected by name."""

import pytest

from pipeline.beam_job.config import JobConfig, parse_splits


def test_classes_are_sorted_and_unique():
    assert JobConfig(classes=("cat", "ant", "cat")).classes == ("ant", "cat")


def test_to_dict_has_every_setting_but_the_classes():
    assert JobConfig(classes=("cat",)).to_dict() == {
        "max_per_class": None,
        "splits": {"train": 0.8, "validation": 0.1, "test": 0.1},
        "seed": 0,
        "num_shards": 10,
        "keep_duplicates": False,
        "recognized_only": False,
        "compression": "none",
        "max_rejected": 0.01,
        "input_format": "auto",
        "label_names": None,
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": ()}, "classes must name at least one"),
        ({"max_per_class": 0}, "max_per_class must be ≥ 1. Received: 0"),
        ({"num_shards": 0}, "num_shards must be ≥ 1. Received: 0"),
        ({"max_rejected": -0.1}, "max_rejected must be within 0..1. Received: -0.1"),
        ({"max_rejected": float("nan")}, "max_rejected must be within 0..1"),
        ({"input_format": "svgz"}, "input_format must be one of auto, .*'svgz'"),
        ({"label_names": ("a", "")}, "label_names must be unique and not empty"),
        ({"label_names": ("a", "b", "a")}, "label_names must be unique"),
        ({"compression": "zip"}, "compression must be one of none, gzip. .*'zip'"),
    ],
)
def test_invalid_settings_are_rejected(settings, message):
    with pytest.raises(ValueError, match=message):
        JobConfig(**settings)


def test_parse_splits():
    splits = parse_splits("train:0.8, validation:0.1,test:0.1")
    assert splits == {"train": 0.8, "validation": 0.1, "test": 0.1}
    assert list(splits) == ["train", "validation", "test"]
    assert parse_splits("a:0.333333,b:0.333333,c:0.333334")["c"] == 0.333334


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "splits: missing or repeated name in ''"),
        ("0.5,test:0.5", "splits: missing or repeated name in '0.5'"),
        ("train:0.5,train:0.5", "splits: missing or repeated name in 'train:0.5'"),
        ("a/b:1", "splits: missing or repeated name in 'a/b:1'"),
        ("train", "splits: missing fraction in 'train'"),
        ("train:all", "splits: missing fraction in 'train:all'"),
        ("train:1,test:0", "splits: a fraction must be > 0"),
        ("train:1.5,test:-0.5", "splits: a fraction must be > 0"),
        ("train:nan", "splits: a fraction must be > 0"),
        ("train:0.8,test:0.1", "splits must add up to 1"),
        ("train:inf", "splits must add up to 1"),
    ],
)
def test_invalid_splits_are_rejected(text, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        parse_splits(text)
