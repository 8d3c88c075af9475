"""`dataset_info.json` round-trips; damaged or incomplete data sets are rejected."""

import dataclasses
import json

import pytest

from tfrecords import schema
from tfrecords.dataset_info import (
    FILE_NAME,
    DatasetInfo,
    Shard,
    Split,
    load_dataset_info,
)

SHARDS = (
    Shard("train-00000-of-00002.tfrecord", 2, 300),
    Shard("train-00001-of-00002.tfrecord", 1, 140),
)
INFO = DatasetInfo(
    classes=("ant", "zoë"),
    splits={"train": Split(SHARDS, (2, 1)), "test": Split((), ())},
    compression="none",
    counts={"read": 3, "rejected": {}},
    made_by={"seed": 0, "splits": {"train": 1.0}},
)


def changed(**fields):
    return json.dumps(json.loads(INFO.to_json()) | fields)


def test_round_trip():
    assert DatasetInfo.from_json(INFO.to_json(), "here") == INFO


def test_examples_are_the_sum_over_classes():
    assert INFO.split("train").examples == 3


def test_an_unknown_split_lists_the_splits():
    with pytest.raises(ValueError, match=r"no split named 'dev'.* has train, test"):
        INFO.split("dev")


def test_another_format_version_is_rejected():
    version = schema.FORMAT_VERSION + 1
    with pytest.raises(ValueError, match=f"^here has format version {version}, this"):
        DatasetInfo.from_json(changed(format_version=version), "here")


@pytest.mark.parametrize(
    "text",
    [
        "",
        INFO.to_json()[:-40],
        "[]",
        "null",
        "{}",
        changed(classes=None),
        changed(splits=None),
        changed(splits={"train": {"shards": []}}),
        changed(splits={"train": {"shards": [{"name": "a"}], "class_counts": []}}),
        changed(unheard_of=1),
    ],
)
def test_a_damaged_file_is_rejected(text):
    with pytest.raises(ValueError, match=r"^here is damaged: "):
        DatasetInfo.from_json(text, "here")


def test_the_default_kind_is_ink():
    fields = json.loads(INFO.to_json())
    assert fields.pop("kind") == "ink"
    assert DatasetInfo.from_json(json.dumps(fields), "here") == INFO


def test_an_unknown_kind_is_rejected():
    text = dataclasses.replace(INFO, kind="song").to_json()
    with pytest.raises(ValueError, match=r"^here is damaged: unknown kind 'song'"):
        DatasetInfo.from_json(text, "here")


@pytest.fixture
def data_set(tmp_path):
    """A folder with INFO and shards of the right sizes."""
    (tmp_path / FILE_NAME).write_text(INFO.to_json())
    for shard in SHARDS:
        (tmp_path / shard.name).write_bytes(bytes(shard.bytes))
    return tmp_path


def test_a_complete_data_set_is_loaded(data_set):
    assert load_dataset_info(str(data_set)) == INFO
    assert load_dataset_info(f"{data_set}/") == INFO


def test_a_folder_without_data_set_is_rejected(tmp_path):
    with pytest.raises(ValueError, match=r"is not a data set: there is no dataset_inf"):
        load_dataset_info(str(tmp_path))


def test_a_missing_shard_is_named(data_set):
    (data_set / SHARDS[1].name).unlink()
    with pytest.raises(ValueError, match=r"train-00001-of-00002.tfrecord is missing"):
        load_dataset_info(str(data_set))


@pytest.mark.parametrize("size", [0, 139, 141])
def test_a_shard_of_another_size_is_named(data_set, size):
    (data_set / SHARDS[1].name).write_bytes(bytes(size))
    with pytest.raises(
        ValueError, match=f": shard train-00001.* has {size} bytes,.* says 140"
    ):
        load_dataset_info(str(data_set))
