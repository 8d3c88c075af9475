"""A drawing that is written in any format is read as the same drawing."""

import csv
import gzip
import io
import json
import random
import struct

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import simplification, strokes
from pipeline.formats import input_files, reader
from pipeline.formats.blocks import UnreadableFileError
from pipeline.formats.drawing import Drawing
from tests.pipeline.formats.vector_ink_test import to_inkml, to_svg

coordinates = st.integers(0, 255)
points = st.tuples(coordinates, coordinates)
drawings = st.lists(
    st.lists(points, min_size=2, max_size=9).map(
        lambda stroke: [list(axis) for axis in zip(*stroke)]
    ),
    min_size=1,
    max_size=4,
).map(lambda drawing: [[[0, 255, 7], [0, 9, 255]], *drawing])
"""Simplified drawings that fill the box."""


def write_ndjson(drawings):
    return b"".join(to_line({"word": "cat", "drawing": d}) for d in drawings)


def to_line(record):
    return json.dumps(record).encode() + b"\n"


def write_floats(drawings):
    floats = [[[list(map(float, a)) for a in s] for s in d] for d in drawings]
    return write_ndjson(floats)


def write_points(drawings):
    return write_ndjson([[list(zip(*stroke)) for stroke in d] for d in drawings])


def write_json(drawings):
    return json.dumps(
        [{"word": "cat", "drawing": d} for d in drawings], indent=1
    ).encode()


def write_strokes(drawings):
    return json.dumps(drawings).encode()


def write_columns(drawings):
    columns = {
        "drawing": dict(enumerate(drawings)),
        "word": dict.fromkeys(range(len(drawings)), "cat"),
    }
    return json.dumps(columns).encode()


def write_csv(drawings):
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["drawing", "word"])
    writer.writerows([json.dumps(drawing), "cat"] for drawing in drawings)
    return out.getvalue().encode()


def write_parquet(drawings):
    table = pyarrow.table({"drawing": drawings, "word": ["cat"] * len(drawings)})
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out)
    return out.getvalue()


def write_binary(drawings):
    records = []
    for drawing in drawings:
        records.append(struct.pack("<Q2sbIH", 7, b"AE", 1, 0, len(drawing)))
        for xs, ys in drawing:
            records.append(struct.pack("<H", len(xs)) + bytes(xs) + bytes(ys))
    return b"".join(records)


def write_npz(drawings, dtype=np.int16):
    arrays = np.empty(len(drawings), object)
    for index, drawing in enumerate(drawings):
        rows = strokes.to_points(drawing).astype(dtype)
        rows[1:, :2] -= rows[:-1, :2].copy()
        arrays[index] = rows
    out = io.BytesIO()
    np.savez(out, train=arrays)
    return out.getvalue()


def write_npz_of_floats(drawings):
    return write_npz(drawings, np.float32)


SIMPLIFIED = {
    "cat.ndjson": write_ndjson,
    "floats.ndjson": write_floats,
    "cat.json": write_json,
    "cat/strokes.json": write_strokes,
    "columns.json": write_columns,
    "cat.csv": write_csv,
    "cat.parquet": write_parquet,
    "cat.bin": write_binary,
    "cat.npz": write_npz,
    "cat.full.npz": write_npz_of_floats,
}
"""Name of a file to the function that writes drawings to it."""


def read(path):
    items = reader.read_drawings(input_files.match_files([str(path)]))
    return [item.parsed for item in items]


def write(tmp_path, name, data):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


any_folder = settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("name", SIMPLIFIED)
@any_folder
@given(st.lists(drawings, min_size=1, max_size=4), st.booleans())
def test_simplified_drawings_round_trip(tmp_path, name, drawings, is_gzipped):
    data = SIMPLIFIED[name](drawings)
    parsed = read(write(tmp_path, name, gzip.compress(data) if is_gzipped else data))
    if name.endswith(".npz"):
        drawings = [moved_to_origin(drawing) for drawing in drawings]
    assert [strokes.to_drawing(each.points) for each in parsed] == drawings
    if name != "cat/strokes.json":
        assert {each.word for each in parsed} == {"cat"}


def moved_to_origin(drawing):
    """The format has no position; here the box is filled, so nothing moves."""
    assert min(min(stroke[0]) for stroke in drawing) == 0
    return drawing


@any_folder
@given(st.lists(drawings, min_size=1, max_size=4))
def test_points_round_trip(tmp_path, drawings):
    # A stroke of seven points in the sample makes the layout certain.
    sure = [[[0, 255, 0, 1, 2, 3, 4], [255, 0, 9, 9, 9, 9, 9]]]
    path = write(tmp_path, "cat.ndjson", write_points([sure, *drawings]))
    parsed = [strokes.to_drawing(each.points) for each in read(path)]
    assert parsed == [sure, *drawings]


@pytest.mark.parametrize(("suffix", "convert"), [("svg", to_svg), ("inkml", to_inkml)])
@any_folder
@given(drawings)
def test_vector_ink_round_trips_as_raw_strokes(tmp_path, suffix, convert, drawing):
    (parsed,) = read(write(tmp_path, f"cat.{suffix}", convert(drawing)))
    assert strokes.to_drawing(parsed.points) == simplification.simplify(drawing)
    assert parsed.word == "cat"


DRAWINGS = [
    [[[0, 255, 7], [number, 9, 255]], [[3, 4, 5, 6], [1, 1, 2, 3]]]
    for number in range(12)
]
WRITERS = {
    **SIMPLIFIED,
    "cat.svg": lambda drawings: to_svg(drawings[0]),
    "cat.inkml": lambda drawings: to_inkml(drawings[0]),
    "points.ndjson": lambda drawings: write_points(
        [[[[0, 255, 9] * 3] * 2], *drawings]
    ),
}


def mutate(data, rng):
    """Flips, removes, inserts or truncates a few bytes."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        position = rng.randrange(len(data)) if data else 0
        kind = rng.randrange(5)
        if kind == 0:
            del data[position : position + rng.randint(1, 9)]
        elif kind == 1:
            data[position:position] = rng.choice([b"[", b"]", b",", b'"', b"\n", b"9"])
        elif kind == 2 and rng.random() < 0.3:
            del data[position:]
        elif data:
            data[position % len(data)] ^= 1 << rng.randrange(8)
    return bytes(data)


@pytest.mark.parametrize("name", WRITERS)
def test_mutated_files_give_drawings_or_named_rejects(tmp_path, name):
    whole = WRITERS[name](DRAWINGS)
    path = write(tmp_path, name, whole)
    intact = {each.packed for each in read(path)}
    for seed in range(120):
        path.write_bytes(mutate(whole, random.Random(f"{name} {seed}")) or b"\n")
        try:
            parsed = read(path)
        except UnreadableFileError:
            raise AssertionError("the path must be named") from None
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017
            continue
        assert all(isinstance(each, Drawing | ValueError) for each in parsed), seed
        drawings = [each for each in parsed if isinstance(each, Drawing)]
        # A mutation of a few bytes changes the strokes of few drawings.
        if name in LINE_FORMATS:
            assert sum(each.packed not in intact for each in drawings) <= 3, seed


LINE_FORMATS = ("cat.ndjson", "cat.csv", "points.ndjson", "floats.ndjson")


@pytest.mark.parametrize(
    "retype",
    [
        {"recognized": 1},
        {"recognized": "yes"},
        {"timestamp": 1485553794},
        {"timestamp": [1]},
        {"countrycode": 7},
        {"key_id": 4.5e15},
        {"key_id": {"a": 1}},
        {"anything": {"else": [1, 2]}},
    ],
)
def test_metadata_never_rejects_a_drawing(tmp_path, retype):
    lines = [to_line({"word": "cat", "drawing": d} | retype) for d in DRAWINGS]
    parsed = read(write(tmp_path, "cat.ndjson", b"".join(lines)))
    assert [strokes.to_drawing(each.points) for each in parsed] == DRAWINGS


@pytest.mark.parametrize(
    "retype", [str, lambda d: [d], lambda d: {"a": d}, lambda d: 5]
)
def test_strokes_of_another_type_are_no_other_drawing(tmp_path, retype):
    lines = [to_line({"word": "cat", "drawing": d}) for d in DRAWINGS]
    lines[3] = to_line({"word": "cat", "drawing": retype(DRAWINGS[3])})
    parsed = read(write(tmp_path, "cat.ndjson", b"".join(lines)))
    others = [strokes.to_drawing(each.points) for each in parsed[:3] + parsed[4:]]
    assert others == DRAWINGS[:3] + DRAWINGS[4:]
    if isinstance(parsed[3], Drawing):  # JSON text of the same strokes
        assert strokes.to_drawing(parsed[3].points) == DRAWINGS[3]
