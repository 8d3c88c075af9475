"""A data set comes back as files: whole or not at all, and without loss."""

import dataclasses
import fcntl
import json
import os
import shutil
import signal
import string
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline import cli, convert, strokes
from pipeline.rasterize import rasterize
from tfrecords import encode, read, schema
from tfrecords.dataset_info import (
    FILE_NAME,
    DatasetInfo,
    Shard,
    Split,
    load_dataset_info,
)

SAFE = set(string.ascii_letters + string.digits + " .,+()'&!@=-_%")


def shards_of(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.tfrecord*")}


def write_dataset(folder, classes, records, split="train"):
    """A data set of one shard with these serialised records."""
    folder.mkdir()
    data = b"".join(map(encode.frame_record, records))
    shard = Shard(schema.shard_name(split, 0, 1), len(records), len(data))
    (folder / shard.name).write_bytes(data)
    counts = [read.parse_record(record).class_index for record in records]
    split_info = Split((shard,), tuple(map(counts.count, range(len(classes)))))
    info = DatasetInfo(classes=classes, splits={split: split_info})
    (folder / FILE_NAME).write_text(info.to_json())
    return str(folder)


def dot(key_id, class_index=0):
    ink = np.float32([[0, 0, 1]])
    return encode.encode_example(ink=ink, class_index=class_index, key_id=key_id)


def bitmap_record(bitmap, key_id):
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


def test_the_same_data_set_is_made_of_the_ndjson(build, doodles, tmp_path):
    build([f"{doodles}/*.ndjson"], tmp_path / "one", compression="gzip")
    count = convert.convert(str(tmp_path / "one"), str(tmp_path / "lines"), "ndjson")
    assert count == 160
    build([tmp_path / "lines" / "*.ndjson"], tmp_path / "two", compression="gzip")
    assert shards_of(tmp_path / "one") == shards_of(tmp_path / "two")


def test_the_same_data_set_is_made_of_real_drawings(build, quickdraw_dir, tmp_path):
    files = quickdraw_dir / "simplified" / "[u-z]*.ndjson.gz"
    build([files], tmp_path / "one", max_per_class=100)
    convert.convert(str(tmp_path / "one"), str(tmp_path / "lines"), "ndjson")
    build([tmp_path / "lines" / "*"], tmp_path / "two", max_per_class=100)
    assert shards_of(tmp_path / "one") == shards_of(tmp_path / "two")
    ours = {path.stem for path in (tmp_path / "lines").iterdir()}
    theirs = {path.name.partition(".")[0] for path in files.parent.glob(files.name)}
    assert ours == theirs


def test_lines_are_those_that_were_published(data_dir, doodles, tmp_path):
    out = tmp_path / "out"
    convert.convert(str(data_dir), str(out), "ndjson")
    assert sorted(os.listdir(out)) == sorted(os.listdir(doodles))
    for path in doodles.iterdir():
        theirs = path.read_bytes().splitlines()
        assert sorted((out / path.name).read_bytes().splitlines()) == sorted(theirs)


def test_a_line_says_nothing_that_is_not_known():
    record = read.parse_record(dot("é"))
    line = '{"word":"zoë","key_id":"é","drawing":[[[0],[0]]]}\n'
    assert convert.to_line("zoë", record) == line.encode()
    known = dataclasses.replace(
        record, recognized=0, countrycode="AE", timestamp="now", key_id=""
    )
    assert list(json.loads(convert.to_line("zoë", known)).items()) == [
        ("word", "zoë"),
        ("countrycode", "AE"),
        ("timestamp", "now"),
        ("recognized", False),
        ("drawing", [[[0], [0]]]),
    ]


def test_wanted_splits_alone(data_dir, tmp_path):
    info = load_dataset_info(str(data_dir))
    wanted = ["test", "validation", "test"]
    count = convert.convert(str(data_dir), str(tmp_path / "out"), "ndjson", wanted)
    files = (tmp_path / "out").iterdir()
    lines = [line for path in files for line in path.read_text().splitlines()]
    keys = {
        record.key_id
        for split in wanted
        for record in read.read_split(info, str(data_dir), split)
    }
    assert {json.loads(line)["key_id"] for line in lines} == keys
    assert len(lines) == count == len(keys)


def test_images_are_those_of_the_rasterizer(data_dir, tmp_path):
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


def test_a_bitmap_is_written_as_it_is(tmp_path):
    bitmap = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    data = write_dataset(tmp_path / "in", ("cat",), [bitmap_record(bitmap, b"7")])
    convert.convert(data, str(tmp_path / "out"), "png")
    with Image.open(tmp_path / "out" / "train" / "cat" / "7.png") as image:
        np.testing.assert_array_equal(np.asarray(image), bitmap)
    with pytest.raises(ValueError, match=r"'7' of the split train: a bitmap has no st"):
        convert.convert(data, str(tmp_path / "lines"), "ndjson")
    assert sorted(os.listdir(tmp_path)) == ["in", "out"]


def test_drawings_with_one_key_are_all_written(tmp_path):
    keys = ["a", "a", "A", "a", "a%2", "", "../../a", "x" * 400, "x" * 401]
    data = write_dataset(tmp_path / "in", ("one/two", "."), [*map(dot, keys), dot("")])
    convert.convert(data, str(tmp_path / "out"), "png")
    assert sorted(os.listdir(tmp_path / "out" / "train")) == ["%2E", "one%2Ftwo"]
    names = os.listdir(tmp_path / "out" / "train" / "one%2Ftwo")
    assert len(names) == 10
    assert {"a.png", "a%2.png", "a%3.png", "a%252.png"} <= set(names)
    assert {"%.png", "%%2.png", "%2E.%2F..%2Fa.png"} <= set(names)
    convert.convert(data, str(tmp_path / "lines"), "ndjson")
    assert os.listdir(tmp_path / "lines") == ["one%2Ftwo.ndjson"]


@given(st.text(), st.text())
def test_safe_names_are_safe_and_differ(one, other):
    first, second = convert.safe_name(one), convert.safe_name(other)
    assert (first == second) == (one == other)
    for name in (first, second):
        assert 0 < len(name.encode()) <= convert.MAX_NAME_BYTES
        assert not name.startswith(".")
        assert all(sign in SAFE or sign.isalnum() for sign in name)


@given(st.text(min_size=100, alphabet="é/a"))
def test_long_names_are_cut_between_characters(name):
    assert len(convert.safe_name(name).encode()) <= convert.MAX_NAME_BYTES


@pytest.mark.parametrize("word", ["The Eiffel Tower", "t-shirt", "zoë", "日本"])
def test_ordinary_names_stay(word):
    assert convert.safe_name(word) == word


def test_a_folder_with_something_in_it_is_refused(data_dir, tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ValueError, match="is in use: it is not empty; name a new"):
        convert.convert(str(data_dir), str(tmp_path), "ndjson")
    assert os.listdir(tmp_path) == ["mine"]


def test_a_second_run_is_refused(data_dir, tmp_path):
    unfinished = tmp_path / "out.unfinished"
    unfinished.mkdir()
    lock = os.open(unfinished, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(ValueError, match="is in use by another run"):
        convert.convert(str(data_dir), str(tmp_path / "out"), "ndjson")
    os.close(lock)
    (tmp_path / "out").mkdir()
    (unfinished / "left").write_text("")
    (unfinished / "train").mkdir()
    convert.convert(str(data_dir), str(tmp_path / "out"), "ndjson")
    assert os.listdir(tmp_path) == ["out"]
    assert len(os.listdir(tmp_path / "out")) == 4


def test_damage_leaves_nothing(data_dir, tmp_path):
    data = shutil.copytree(data_dir, tmp_path / "data")
    shard = next(data.glob("train-00001*"))
    content = bytearray(shard.read_bytes())
    content[-20] ^= 1
    shard.write_bytes(content)
    with pytest.raises(ValueError, match=f"{shard.name}: record .* damaged or trunc"):
        convert.convert(str(data), str(tmp_path / "out"), "ndjson")
    assert os.listdir(tmp_path) == ["data"]


def test_a_missing_library_is_a_line_that_says_what_to_do(monkeypatch, data_dir):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "PIL.Image")
    with pytest.raises(ValueError, match=r"pip install 'quickdraw-rnn\[png\]'"):
        cli.import_extra("PIL.Image", "png")


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.convert", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_killed_run_leaves_nothing_that_looks_whole(tmp_path):
    records = [dot(str(number)) for number in range(4000)]
    data = write_dataset(tmp_path / "data", ("dot",), records)
    out = tmp_path / "out"
    arguments = (f"--data_dir={data}", f"--output_dir={out}")
    process = start(*arguments, "--format=png")
    while not any(tmp_path.glob("out.unfinished/train/*/*.png")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not out.exists()
    again = start(*arguments, "--format=ndjson")
    assert again.communicate()[0] == f"4,000 drawings in {out}\n"
    assert not (tmp_path / "out.unfinished").exists()
    assert len((out / "dot.ndjson").read_text().splitlines()) == 4000


def test_mistakes_on_the_command_line_are_one_line(data_dir, tmp_path):
    data, out = f"--data_dir={data_dir}", f"--output_dir={tmp_path / 'out'}"
    mistakes = [
        ([data, out], 1, "--format is missing"),
        ([data, out, "--format=jpeg"], 2, "should be one of <ndjson|png>"),
        ([f"--data_dir={tmp_path}", out, "--format=png"], 1, "is not a data set"),
        ([data, out, "--format=png", "--splits=dev"], 1, "no split named 'dev'; the"),
        ([data, "--output_dir=gs://b", "--format=png"], 1, "gs://b is not on this mac"),
    ]
    for arguments, status, message in mistakes:
        process = start(*arguments)
        stdout, stderr = process.communicate()
        assert (process.returncode, stdout) == (status, "")
        assert message in stderr
        assert stderr.startswith("error: ")
        assert stderr.count("\n") == 1
    assert not os.listdir(tmp_path)
