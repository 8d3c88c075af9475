"""A data set is converted completely or not at all, and without loss."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pipeline import cli, convert, file_lock, strokes
from pipeline.convert.ndjson_writer import format_line
from pipeline.rasterize import rasterize
from tfrecords import encode, read, schema
from tfrecords.dataset_info import (
    FILE_NAME,
    DatasetInfo,
    Shard,
    Split,
    load_dataset_info,
)


def read_shards(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.tfrecord*")}


def write_dataset(folder, classes, records, split="train"):
    """Writes a data set with one shard of serialized records."""
    folder.mkdir()
    data = encode.frame_records(records)
    shard = Shard(schema.shard_name(split, 0, 1), len(records), len(data))
    (folder / shard.name).write_bytes(data)
    counts = [read.parse_record(record).class_index for record in records]
    split_info = Split((shard,), tuple(map(counts.count, range(len(classes)))))
    info = DatasetInfo(classes=classes, splits={split: split_info})
    (folder / FILE_NAME).write_text(info.to_json())
    return str(folder)


def make_dot_record(key_id, class_index=0):
    ink = np.float32([[0, 0, 1]])
    return encode.encode_example(ink=ink, class_index=class_index, key_id=key_id)


def make_bitmap_record(bitmap, key_id):
    feature = {
        "bitmap": tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[bitmap.tobytes()])
        ),
        "class_index": tf.train.Feature(int64_list=tf.train.Int64List(value=[0])),
        "key_id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[key_id])),
    }
    return tf.train.Example(
        features=tf.train.Features(feature=feature)
    ).SerializeToString()


def test_create_dataset_makes_the_same_shards_from_ndjson(build, doodles, tmp_path):
    build([f"{doodles}/*.ndjson"], tmp_path / "one", compression="gzip")
    count = convert.convert(str(tmp_path / "one"), str(tmp_path / "lines"), "ndjson")
    assert count == 160
    build([tmp_path / "lines" / "*.ndjson"], tmp_path / "two", compression="gzip")
    assert read_shards(tmp_path / "one") == read_shards(tmp_path / "two")


def test_create_dataset_makes_the_same_shards_of_real_drawings(
    build, quickdraw_dir, tmp_path
):
    files = quickdraw_dir / "simplified" / "[u-z]*.ndjson.gz"
    build([files], tmp_path / "one", max_per_class=100)
    convert.convert(str(tmp_path / "one"), str(tmp_path / "lines"), "ndjson")
    build([tmp_path / "lines" / "*"], tmp_path / "two", max_per_class=100)
    assert read_shards(tmp_path / "one") == read_shards(tmp_path / "two")
    names = {path.stem for path in (tmp_path / "lines").iterdir()}
    expected = {path.name.partition(".")[0] for path in files.parent.glob(files.name)}
    assert names == expected


def test_lines_equal_the_input(data_dir, doodles, tmp_path):
    out = tmp_path / "out"
    convert.convert(str(data_dir), str(out), "ndjson")
    assert sorted(os.listdir(out)) == sorted(os.listdir(doodles))
    for path in doodles.iterdir():
        expected = path.read_bytes().splitlines()
        assert sorted((out / path.name).read_bytes().splitlines()) == sorted(expected)


def test_a_line_omits_unknown_fields():
    record = read.parse_record(make_dot_record("é"))
    line = '{"word":"zoë","key_id":"é","drawing":[[[0],[0]]]}\n'
    assert format_line("zoë", record) == line
    known = dataclasses.replace(
        record, recognized=0, countrycode="AE", timestamp="now", key_id=""
    )
    assert list(json.loads(format_line("zoë", known)).items()) == [
        ("word", "zoë"),
        ("countrycode", "AE"),
        ("timestamp", "now"),
        ("recognized", False),
        ("drawing", [[[0], [0]]]),
    ]


def test_only_the_requested_splits_are_converted(data_dir, tmp_path):
    info = load_dataset_info(str(data_dir))
    splits = ["test", "validation", "test"]
    count = convert.convert(str(data_dir), str(tmp_path / "out"), "ndjson", splits)
    files = (tmp_path / "out").iterdir()
    lines = [line for path in files for line in path.read_text().splitlines()]
    keys = {
        record.key_id
        for split in splits
        for record in read.read_split(info, str(data_dir), split)
    }
    assert {json.loads(line)["key_id"] for line in lines} == keys
    assert len(lines) == count == len(keys)


def test_images_equal_the_rasterizer(data_dir, tmp_path):
    out = tmp_path / "out"
    count = convert.convert(str(data_dir), str(out), "png")
    info = load_dataset_info(str(data_dir))
    assert len(list(out.glob("*/*/*.png"))) == count
    assert sorted(os.listdir(out)) == sorted(info.splits)
    for split in info.splits:
        assert sorted(os.listdir(out / split)) == list(info.classes)
        for record in read.read_split(info, str(data_dir), split):
            word = info.classes[record.class_index]
            with Image.open(out / split / word / f"{record.key_id}.png") as image:
                assert image.mode == "L"
                pixels = np.asarray(image)
            expected = rasterize(strokes.from_ink(record.ink))
            np.testing.assert_array_equal(pixels, expected)


def test_bitmaps_are_not_changed(tmp_path):
    bitmap = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    data = write_dataset(tmp_path / "in", ("cat",), [make_bitmap_record(bitmap, b"7")])
    convert.convert(data, str(tmp_path / "out"), "png")
    with Image.open(tmp_path / "out" / "train" / "cat" / "7.png") as image:
        np.testing.assert_array_equal(np.asarray(image), bitmap)
    with pytest.raises(
        ValueError, match=r"'7' of the split train: ndjson needs strokes"
    ):
        convert.convert(data, str(tmp_path / "lines"), "ndjson")
    assert sorted(os.listdir(tmp_path)) == ["in", "out"]


def test_drawings_with_equal_keys_are_all_written(tmp_path):
    keys = ["a", "a", "A", "a", "a%2", "", "../../a", "x" * 400, "x" * 401]
    data = write_dataset(
        tmp_path / "in", ("one/two", "."), [*map(make_dot_record, [*keys, ""])]
    )
    convert.convert(data, str(tmp_path / "out"), "png")
    assert sorted(os.listdir(tmp_path / "out" / "train")) == ["%2E", "one%2Ftwo"]
    names = os.listdir(tmp_path / "out" / "train" / "one%2Ftwo")
    assert len(names) == 10
    assert {"a.png", "a%2.png", "a%3.png", "a%252.png"} <= set(names)
    assert {"%.png", "%%2.png", "%2E.%2F..%2Fa.png"} <= set(names)
    convert.convert(data, str(tmp_path / "lines"), "ndjson")
    assert os.listdir(tmp_path / "lines") == ["one%2Ftwo.ndjson"]


def test_a_folder_with_files_is_rejected(data_dir, tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ValueError, match="output_dir must be new or empty"):
        convert.convert(str(data_dir), str(tmp_path), "ndjson")
    assert os.listdir(tmp_path) == ["mine"]


def test_a_folder_is_written_by_one_run_at_a_time(data_dir, tmp_path):
    unfinished = tmp_path / "out.unfinished"
    with (
        file_lock.hold_lock(str(unfinished)),
        pytest.raises(file_lock.FolderInUseError),
    ):
        convert.convert(str(data_dir), str(tmp_path / "out"), "ndjson")
    (tmp_path / "out").mkdir()
    (unfinished / "files" / "train").mkdir(parents=True)
    convert.convert(str(data_dir), str(tmp_path / "out"), "ndjson")
    assert os.listdir(tmp_path) == ["out"]
    assert len(os.listdir(tmp_path / "out")) == 4


def test_a_damaged_data_set_leaves_no_files(data_dir, tmp_path):
    data = shutil.copytree(data_dir, tmp_path / "data")
    shard = next(data.glob("train-00001*"))
    content = bytearray(shard.read_bytes())
    content[-20] ^= 1
    shard.write_bytes(content)
    with pytest.raises(ValueError, match=f"{shard.name}: record .* damaged or trunc"):
        convert.convert(str(data), str(tmp_path / "out"), "ndjson")
    assert os.listdir(tmp_path) == ["data"]


def test_the_error_for_a_missing_library_names_the_extra(monkeypatch, data_dir):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "PIL.Image")
    with pytest.raises(ValueError, match=r"pip install 'quickdraw-rnn\[png\]'"):
        cli.import_extra("PIL.Image", "png")


def start_convert(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.convert", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_killed_run_leaves_no_output_folder(tmp_path):
    records = [make_dot_record(str(number)) for number in range(4000)]
    data = write_dataset(tmp_path / "data", ("dot",), records)
    out = tmp_path / "out"
    arguments = (f"--data_dir={data}", f"--output_dir={out}")
    process = start_convert(*arguments, "--format=png")
    while not any(tmp_path.glob("out.unfinished/files/train/*/*.png")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not out.exists()
    again = start_convert(*arguments, "--format=ndjson")
    assert again.communicate()[0] == f"Wrote 4,000 drawings to {out}\n"
    assert not (tmp_path / "out.unfinished").exists()
    assert len((out / "dot.ndjson").read_text().splitlines()) == 4000


def test_errors_of_the_command_are_one_line(data_dir, tmp_path):
    data, out = f"--data_dir={data_dir}", f"--output_dir={tmp_path / 'out'}"
    cases = [
        ([data, out], 1, "--format is missing"),
        ([data, out, "--format=jpeg"], 2, "should be one of <ndjson|parquet|png>"),
        ([f"--data_dir={tmp_path}", out, "--format=png"], 1, "is not a data set"),
        ([data, out, "--format=png", "--splits=dev"], 1, "no split named 'dev'; the"),
        ([data, "--output_dir=gs://b", "--format=png"], 1, "Received: gs://b"),
    ]
    for arguments, status, message in cases:
        process = start_convert(*arguments)
        stdout, stderr = process.communicate()
        assert (process.returncode, stdout) == (status, "")
        assert message in stderr
        assert stderr.startswith("error: ")
        assert stderr.count("\n") == 1
    assert not os.listdir(tmp_path)
