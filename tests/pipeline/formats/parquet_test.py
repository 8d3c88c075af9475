"""Parquet files of strokes and of pictures, as Hugging Face publishes them."""

import datetime
import io
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from pipeline import strokes
from pipeline.formats import images, parquet, registry
from pipeline.formats.blocks import UnreadableFileError
from pipeline.formats.drawing import Drawing
from pipeline.formats.text.ndjson_lines import parse_raw, parse_simplified

GOLDEN = Path(__file__).parent / "golden"
LABELS = ["ant", "cat", "zoë"]


def to_parquet(columns, labels=None, column="word"):
    table = pyarrow.table(columns)
    if labels is not None:
        feature = {column: {"names": labels, "_type": "ClassLabel"}}
        metadata = {"huggingface": json.dumps({"info": {"features": feature}})}
        table = table.replace_schema_metadata(metadata)
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out)
    return out.getvalue()


def read(data, **settings):
    stream = io.BytesIO(data)
    detected = registry.detect(stream, "train-00000-of-00001.parquet")
    stream.seek(0)
    blocks = registry.cut(stream, "train.parquet", detected, **settings)
    return [parsed for block in blocks for parsed in registry.parse(block)]


def golden(name):
    return [json.loads(line) for line in (GOLDEN / name).read_text().splitlines()]


def to_struct(drawing):
    names = ("x", "y", "t")[: len(drawing[0])]
    return {name: [stroke[i] for stroke in drawing] for i, name in enumerate(names)}


@pytest.mark.parametrize("convert", [to_struct, lambda drawing: drawing, json.dumps])
@pytest.mark.parametrize(
    ("name", "parse"),
    [("simplified.ndjson", parse_simplified), ("raw.ndjson", parse_raw)],
)
def test_rows_of_strokes(name, parse, convert):
    records = golden(name)
    columns = {
        key: [record[key] for record in records]
        for key in ("key_id", "countrycode", "recognized", "timestamp")
    }
    columns["word"] = [LABELS.index(record["word"]) for record in records]
    columns["drawing"] = [convert(record["drawing"]) for record in records]
    expected = [parse(json.dumps(record).encode()) for record in records]
    assert read(to_parquet(columns, LABELS)) == expected


def test_timestamps():
    moment = datetime.datetime(2017, 3, 1, 20, 41, 36, 700000)
    columns = {
        "word": ["cat"],
        "timestamp": [moment],
        "drawing": [[[[0, 255], [0, 9]]]],
    }
    (drawing,) = read(to_parquet(columns))
    assert drawing.timestamp == "2017-03-01 20:41:36.700000 UTC"


def test_rows_of_sketch_rnn():
    drawing = [[[0, 255, 7], [9, 0, 3]], [[4], [5]], [[1, 2], [3, 4]]]
    rows = strokes.to_points(drawing).astype(int)
    rows[1:, :2] -= rows[:-1, :2].copy()
    columns = {"drawing": [rows.tolist()] * 2, "word": [1, 2]}
    one, two = read(to_parquet(columns, LABELS))
    assert strokes.to_drawing(one.points) == strokes.to_drawing(two.points) == drawing
    assert (one.word, two.word) == ("cat", "zoë")


def test_rows_of_pictures():
    paths = sorted((GOLDEN / "png" / "cat").iterdir())
    columns = {
        "image": [{"bytes": path.read_bytes(), "path": None} for path in paths],
        "label": [1, 2],
    }
    drawings = read(to_parquet(columns, LABELS, "label"))
    assert [drawing.word for drawing in drawings] == ["cat", "zoë"]
    expected = [images.parse(path.read_bytes(), "cat").packed for path in paths]
    assert [drawing.packed for drawing in drawings] == expected


def test_labels_without_names_need_the_flag():
    columns = {"drawing": [[[[0, 255], [0, 9]]]], "word": [1]}
    with pytest.raises(UnreadableFileError, match="--label_names names them"):
        read(to_parquet(columns))


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_out_of_range_is_rejected(label):
    columns = {"drawing": [[[[0, 255], [0, 9]]]], "word": [label]}
    (rejected,) = read(to_parquet(columns, LABELS))
    assert str(rejected).endswith(f"label {label} of 3 classes")


def test_a_file_without_drawings_is_unreadable():
    with pytest.raises(UnreadableFileError, match="Received: a, b"):
        read(to_parquet({"a": [1], "b": [2]}))


@pytest.mark.parametrize("position", range(0, 900, 11))
def test_damaged_files_give_drawings_or_named_rejects(position):
    columns = {"drawing": [[[[0, 255], [0, 9]]]] * 3, "word": ["cat"] * 3}
    data = bytearray(to_parquet(columns))
    data[position % len(data)] ^= 0x5A
    try:
        parsed = read(bytes(data))
    except UnreadableFileError:
        return
    assert all(isinstance(each, Drawing | ValueError) for each in parsed)


def test_a_truncated_file_is_unreadable():
    data = to_parquet({"drawing": [[[[0, 255], [0, 9]]]], "word": ["cat"]})
    with pytest.raises(UnreadableFileError, match="damaged parquet file"):
        list(parquet.read_drawings(io.BytesIO(data[:-5])))
