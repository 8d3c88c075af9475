"""Synthetic drawings have the published format, are reproducible and all differ."""

import datetime
import json
import re
import subprocess
import sys

import numpy as np
import pytest

from pipeline import sample
from pipeline.sample import drawings as sample_drawings
from pipeline.simplification import simplify
from pipeline.strokes import is_simplified

PER_CLASS = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    sample.write_sample(str(folder), PER_CLASS, seed=7)
    return folder


@pytest.fixture(scope="module")
def records(folder):
    return [
        json.loads(line)
        for path in sorted(folder.iterdir())
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


@pytest.fixture(scope="module")
def drawings(records):
    by_word = {word: [] for word in sample.CLASSES}
    for record in records:
        by_word[record["word"]].append(record["drawing"])
    return by_word


def signed_area(stroke):
    xs, ys = np.array(stroke, float)
    return 0.5 * np.sum(xs * np.roll(ys, -1) - ys * np.roll(xs, -1))


def test_classes_are_in_alphabetical_order():
    assert len(sample.CLASSES) >= 12
    assert list(sample.CLASSES) == sorted(set(sample.CLASSES))


def test_one_file_per_class_and_nothing_else(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{word}.ndjson" for word in sample.CLASSES
    ]


def test_every_class_has_drawings(drawings):
    for word in sample.CLASSES:
        assert len(drawings[word]) == PER_CLASS


def test_records_have_the_published_fields(records):
    for record in records:
        assert list(record) == [
            "word",
            "countrycode",
            "timestamp",
            "recognized",
            "key_id",
            "drawing",
        ]
        assert re.fullmatch(r"[A-Z]{2}", record["countrycode"])
        assert re.fullmatch(r"[\d-]{10} [\d:]{8}\.\d{5} UTC", record["timestamp"])
        datetime.datetime.strptime(record["timestamp"], "%Y-%m-%d %H:%M:%S.%f UTC")
        assert type(record["recognized"]) is bool
        assert re.fullmatch(r"[1-9]\d{15}", record["key_id"])


def test_drawings_are_simplified(records):
    for record in records:
        drawing = record["drawing"]
        assert drawing
        assert is_simplified(drawing)
        assert all(len(xs) == len(ys) >= 1 for xs, ys in drawing)


def test_key_ids_are_unique_within_and_between_seeds(records, tmp_path):
    sample.write_sample(str(tmp_path), PER_CLASS, seed=8, classes=["sun"])
    lines = (tmp_path / "sun.ndjson").read_text().splitlines()
    keys = [record["key_id"] for record in [*records, *map(json.loads, lines)]]
    assert len(set(keys)) == len(keys)


def test_most_but_not_all_are_recognized(records):
    unrecognized = np.mean([not record["recognized"] for record in records])
    assert 0.02 < unrecognized < 0.10


def test_fields_vary(records):
    for field in ("countrycode", "timestamp"):
        assert len({record[field] for record in records}) >= 5


def test_same_arguments_give_the_same_bytes(folder, tmp_path):
    sample.write_sample(str(tmp_path), PER_CLASS, seed=7)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_another_seed_gives_other_drawings(drawings, tmp_path):
    sample.write_sample(str(tmp_path), PER_CLASS, seed=8, classes=["star"])
    lines = (tmp_path / "star.ndjson").read_text().splitlines()
    for line in lines:
        assert json.loads(line)["drawing"] not in drawings["star"]


def test_larger_sample_only_appends(folder, tmp_path):
    sample.write_sample(str(tmp_path), PER_CLASS + 5, seed=7, classes=["house", "sun"])
    for name in ("house.ndjson", "sun.ndjson"):
        larger, smaller = (tmp_path / name).read_bytes(), (folder / name).read_bytes()
        assert larger.startswith(smaller)
        assert larger.count(b"\n") == PER_CLASS + 5


def test_all_drawings_differ(records):
    encoded = [json.dumps(record["drawing"]) for record in records]
    assert len(set(encoded)) == len(encoded)


@pytest.mark.parametrize("word", sample.CLASSES)
def test_a_class_varies(drawings, word):
    starts = {(d[0][0][0], d[0][1][0]) for d in drawings[word]}
    stroke_counts = {len(d) for d in drawings[word]}
    point_counts = {sum(len(xs) for xs, _ in d) for d in drawings[word]}
    assert len(starts) > PER_CLASS / 2
    assert len(stroke_counts) >= 2
    assert len(point_counts) >= 6


def test_circles_are_drawn_in_both_directions(drawings):
    clockwise = [signed_area(d[0]) > 0 for d in drawings["circle"] if len(d) == 1]
    assert 0 < sum(clockwise) < len(clockwise)


def test_circles_start_on_every_side(drawings):
    starts = [(d[0][0][0] > 127, d[0][1][0] > 127) for d in drawings["circle"]]
    assert len(set(starts)) == 4


def test_drawings_have_about_as_many_points_as_real_ones(records):
    points = [sum(len(xs) for xs, _ in each["drawing"]) for each in records]
    assert 20 <= np.median(points) <= 60
    assert max(points) < 300


def test_sloppiness_makes_circles_less_round():
    def unevenness(sloppiness):
        ratios = []
        for seed in range(20):
            rng = np.random.default_rng(seed)
            strokes = sample.draw_raw("circle", rng, sloppiness)
            xs, ys = np.concatenate([np.array(stroke) for stroke in strokes], axis=1)
            radii = np.hypot(xs - xs.mean(), ys - ys.mean())
            ratios.append(radii.std() / radii.mean())
        return np.median(ratios)

    assert unevenness(0.0) < 0.1 < unevenness(3.0)


def test_raw_strokes_have_more_points_than_simplified_ones():
    raw = sample.draw_raw("circle", np.random.default_rng(3), 0.2)
    points = [len(xs) for xs, _ in raw]
    assert all(
        type(value) is float for stroke in raw for axis in stroke for value in axis
    )
    assert sum(points) > sum(len(xs) for xs, _ in simplify(raw))


def test_draw_depends_only_on_the_generator():
    first, again, other = (
        sample.draw("sun", np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("word", ["no such thing", "", "../star"])
def test_an_unknown_word_is_rejected(word, tmp_path):
    with pytest.raises(ValueError, match="word must be one of"):
        sample.draw(word, np.random.default_rng(0))
    with pytest.raises(ValueError, match="word must be one of"):
        sample.write_sample(str(tmp_path), 1, seed=0, classes=["star", word])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("per_class", "seed"), [(0, 0), (-3, 0), (1, -1)])
def test_invalid_numbers_are_rejected(per_class, seed, tmp_path):
    with pytest.raises(ValueError, match=r"must be ≥ \d\. Received: -?\d"):
        sample.write_sample(str(tmp_path), per_class, seed)
    assert not list(tmp_path.iterdir())


def test_a_failed_run_keeps_the_existing_file(tmp_path, monkeypatch):
    sample.write_sample(str(tmp_path), 2, seed=0, classes=["star"])
    before = (tmp_path / "star.ndjson").read_bytes()
    rest = [OSError("disk full"), [[[0, 1], [0, 1]]]]

    def fail_at_second(strokes):
        result = rest.pop()
        if isinstance(result, OSError):
            raise result
        return result

    monkeypatch.setattr(sample_drawings, "simplify", fail_at_second)
    with pytest.raises(OSError, match="disk full"):
        sample.write_sample(str(tmp_path), 2, seed=1, classes=["star"])
    assert (tmp_path / "star.ndjson").read_bytes() == before


def run_command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "pipeline.sample", *arguments],
        capture_output=True,
        text=True,
    )


def test_the_command_writes_the_same_files_as_the_function(tmp_path):
    done = run_command(f"--output_dir={tmp_path / 'a'}", "--per_class=2", "--seed=5")
    assert (done.returncode, done.stderr) == (0, "")
    sample.write_sample(str(tmp_path / "b"), 2, seed=5)
    for word in sample.CLASSES:
        name = f"{word}.ndjson"
        assert (tmp_path / "a" / name).read_bytes() == (
            tmp_path / "b" / name
        ).read_bytes()


@pytest.mark.parametrize("argument", ["--per_class=0", "--seed=-1", "--output_dir="])
def test_errors_of_the_command_are_one_line(argument, tmp_path):
    done = run_command(f"--output_dir={tmp_path / 'a'}", "--per_class=1", argument)
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "a").exists()
