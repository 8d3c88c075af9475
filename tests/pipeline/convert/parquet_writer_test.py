"""Parquet files have the columns and the metadata of the Hugging Face hub."""

import datetime
import io
import json
import os

import numpy as np
import pyarrow.parquet
from PIL import Image

from pipeline import convert, strokes
from pipeline.convert import parquet_writer
from tfrecords import read
from tfrecords.dataset_info import load_dataset_info


def read_rows(path):
    return pyarrow.parquet.read_table(path).to_pylist()


def read_features(path):
    metadata = pyarrow.parquet.read_schema(path).metadata
    return json.loads(metadata[b"huggingface"])["info"]["features"]


def test_rows_equal_the_records(data_dir, tmp_path):
    convert.convert(str(data_dir), str(tmp_path / "out"), "parquet")
    info = load_dataset_info(str(data_dir))
    files = [f"{split}-00000-of-00001.parquet" for split in info.splits]
    assert sorted(os.listdir(tmp_path / "out" / "data")) == sorted(files)
    for split, file in zip(info.splits, files):
        rows = read_rows(tmp_path / "out" / "data" / file)
        records = list(read.read_split(info, str(data_dir), split))
        assert len(rows) == len(records) == info.splits[split].examples
        for row, record in zip(rows, records):
            time = record.timestamp.removesuffix(" UTC") + "0+00:00"
            drawing = [list(axes) for axes in zip(*row.pop("drawing").values())]
            assert drawing == strokes.to_drawing(strokes.from_ink(record.ink))
            assert row == {
                "key_id": record.key_id,
                "word": record.class_index,
                "recognized": bool(record.recognized),
                "timestamp": datetime.datetime.fromisoformat(time),
                "countrycode": record.countrycode,
            }
        features = read_features(tmp_path / "out" / "data" / file)
        assert features["word"]["names"] == list(info.classes)


def test_bitmaps_are_images(bitmap_data_dir, tmp_path):
    convert.convert(str(bitmap_data_dir), str(tmp_path / "out"), "parquet", ["test"])
    info = load_dataset_info(str(bitmap_data_dir))
    path = tmp_path / "out" / "data" / "test-00000-of-00001.parquet"
    records = list(read.read_split(info, str(bitmap_data_dir), "test"))
    for row, record in zip(read_rows(path), records, strict=True):
        image = Image.open(io.BytesIO(row["image"]["bytes"]))
        np.testing.assert_array_equal(np.asarray(image), record.bitmap)
        assert row["label"] == record.class_index
    assert read_features(path)["image"] == {"_type": "Image"}


def test_large_splits_have_several_files(data_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_writer, "MAX_ROWS_PER_FILE", 50)
    monkeypatch.setattr(parquet_writer, "ROWS_PER_GROUP", 20)
    convert.convert(str(data_dir), str(tmp_path / "out"), "parquet", ["train"])
    count = load_dataset_info(str(data_dir)).splits["train"].examples
    paths = sorted((tmp_path / "out" / "data").iterdir())
    assert paths[0].name == f"train-00000-of-{len(paths):05d}.parquet"
    sizes = [len(read_rows(path)) for path in paths]
    assert sizes == [*[50] * (len(paths) - 1), count - 50 * (len(paths) - 1)]


def read_drawings(data_dir, split):
    info = load_dataset_info(str(data_dir))
    return {
        record.key_id: (info.classes[record.class_index], record.ink.tolist())
        for record in read.read_split(info, str(data_dir), split)
    }


def test_create_dataset_reads_the_same_drawings(build, data_dir, tmp_path):
    convert.convert(str(data_dir), str(tmp_path / "out"), "parquet")
    build([tmp_path / "out" / "data" / "*.parquet"], tmp_path / "data")
    for split in load_dataset_info(str(data_dir)).splits:
        expected = read_drawings(data_dir, split)
        assert read_drawings(tmp_path / "data", split) == expected
