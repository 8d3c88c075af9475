"""`dataset_info.json` comes back as written, and whatever is not whole is refused."""

import dataclasses
import json

import pytest

from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo, Shard, Split, check_shards

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


def test_comes_back_as_written():
    assert DatasetInfo.from_json(INFO.to_json(), "here") == INFO


def test_examples_are_the_sum_over_classes():
    assert INFO.split("train").examples == 3


def test_unknown_split_names_those_there_are():
    with pytest.raises(ValueError, match=r"no split named 'dev'.* has train, test"):
        INFO.split("dev")


def test_another_format_version_is_refused():
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
def test_damaged_file_is_refused(text):
    with pytest.raises(ValueError, match=r"^here is damaged: "):
        DatasetInfo.from_json(text, "here")


def test_a_file_that_names_no_kind_is_of_ink():
    fields = json.loads(INFO.to_json())
    assert fields.pop("kind") == "ink"
    assert DatasetInfo.from_json(json.dumps(fields), "here") == INFO


def test_an_unknown_kind_is_refused():
    text = dataclasses.replace(INFO, kind="song").to_json()
    with pytest.raises(
        ValueError, match=r"^here is damaged: no kind of drawing 'song'"
    ):
        DatasetInfo.from_json(text, "here")


def test_whole_shards_pass():
    check_shards(INFO, "data", {shard.name: shard.bytes for shard in SHARDS}.get)


def test_missing_shard_is_named():
    with pytest.raises(
        ValueError, match=r"^data: shard train-00001-of-00002.tfrecord is missing"
    ):
        check_shards(INFO, "data", {SHARDS[0].name: 300}.get)


@pytest.mark.parametrize("size", [0, 139, 141])
def test_shard_of_another_size_is_named(size):
    sizes = {SHARDS[0].name: 300, SHARDS[1].name: size}
    with pytest.raises(
        ValueError, match=f"^data: shard train-00001.* has {size} bytes,.* says 140"
    ):
        check_shards(INFO, "data", sizes.get)
