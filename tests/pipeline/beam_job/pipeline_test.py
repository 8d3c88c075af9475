"""The job makes the same records of every input format."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipeline import strokes
from tfrecords.dataset_info import DatasetInfo

GOLDEN = Path(__file__).parents[1] / "formats" / "golden"


def info_of(folder):
    return DatasetInfo.from_json((folder / "dataset_info.json").read_text(), "here")


def records_of(folder, split):
    """The features of each record of a split."""
    paths = [str(folder / shard.name) for shard in info_of(folder).split(split).shards]
    return [
        tf.train.Example.FromString(record.numpy()).features.feature
        for record in tf.data.TFRecordDataset(paths)
    ]


def error_of(build, inputs, folder, **settings):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        build(inputs, folder, **settings)
    assert not (folder / "dataset_info.json").exists()
    return str(caught.value)


def test_every_stroke_format_gives_the_same_ink(build, tmp_path):
    inks = []
    for name in ("simplified.ndjson", "raw.ndjson", "cat.bin"):
        build([GOLDEN / name], tmp_path / name, splits={"train": 1.0})
        assert info_of(tmp_path / name).kind == "ink"
        records = records_of(tmp_path / name, "train")
        inks.append([list(record["ink"].float_list.value) for record in records])
    assert inks[0] == inks[1] == inks[2]
    assert sorted(map(len, inks[0])) == [9, 18]


def test_sketch_rnn_keeps_its_splits(build, tmp_path):
    build([GOLDEN / "cat.npz", GOLDEN / "dog.full.npz"], tmp_path / "out")
    info = info_of(tmp_path / "out")
    assert info.classes == ("cat", "dog")
    counts = {name: split.class_counts for name, split in info.splits.items()}
    assert counts == {"train": (2, 2), "validation": (1, 1), "test": (1, 1)}
    for record in records_of(tmp_path / "out", "validation"):
        ink = np.reshape(record["ink"].float_list.value, (-1, 3))
        drawing = strokes.to_drawing(strokes.from_ink(ink.astype(np.float32)))
        assert drawing == [[[0], [0]]]


def test_sketch_rnn_splits_must_be_among_the_splits(build, tmp_path):
    splits = {"train": 0.5, "validation": 0.5}
    message = error_of(build, [GOLDEN / "cat.npz"], tmp_path / "out", splits=splits)
    assert message == (
        f"cannot read {GOLDEN}/cat.npz: its drawings keep the splits they were "
        "published in, and --splits has no 'test'"
    )


@pytest.mark.parametrize("name", ["cat.npy", "labeled.npz", "png/*/*.png"])
def test_bitmap_formats_give_bitmap_records(build, tmp_path, name):
    settings = {"splits": {"train": 1.0}}
    if name == "labeled.npz":
        settings["label_names"] = ("ant", "bee")
    build([GOLDEN / name], tmp_path / "out", **settings)
    info = info_of(tmp_path / "out")
    assert info.kind == "bitmap"
    assert info.classes == (("ant", "bee") if settings.get("label_names") else ("cat",))
    expected = {row.tobytes() for row in np.load(GOLDEN / "cat.npy")}
    records = records_of(tmp_path / "out", "train")
    assert {record["bitmap"].bytes_list.value[0] for record in records} == expected
    assert not any("ink" in record or "shape" in record for record in records)


def test_strokes_and_bitmaps_do_not_mix(build, tmp_path):
    inputs = [GOLDEN / "cat.npy", GOLDEN / "simplified.ndjson"]
    message = error_of(build, inputs, tmp_path / "out")
    assert message == "the input holds strokes and bitmaps; make a data set of each"


def test_integer_labels_need_label_names(build, tmp_path):
    message = error_of(build, [GOLDEN / "labeled.npz"], tmp_path / "out")
    assert message == (
        f"cannot read {GOLDEN}/labeled.npz: arr_1 holds integers; --label_names "
        "names them"
    )


def test_the_lost_part_of_a_binary_file_is_one_reject(build, tmp_path):
    whole = (GOLDEN / "cat.bin").read_bytes()
    (tmp_path / "cat.bin").write_bytes(whole[:-1])
    build([tmp_path / "cat.bin"], tmp_path / "out", max_rejected=0.5)
    (row,) = (tmp_path / "out" / "rejected-00000.ndjson").read_text().splitlines()
    assert json.loads(row) == {
        "file": str(tmp_path / "cat.bin"),
        "line": 2,
        "reason": "truncated record: record 2 at byte 33, and all after it: the file "
        "ends",
        "text": "",
    }
    message = error_of(build, [tmp_path / "cat.bin"], tmp_path / "b", max_rejected=0.4)
    assert message.startswith("1 of 2 lines were rejected (1 truncated record), more")
