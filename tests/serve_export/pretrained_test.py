"""The model that comes with the package: what is in the box, and how good it is."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.formats.text.ndjson_lines import parse_line
from serve_export import exported, layout
from serve_export.predictor import RAW, SIMPLIFIED, Predictor, to_ink
from tfrecords import read
from tfrecords.dataset_info import load_dataset_info

LARGEST = 2_000_000
FEWEST_CLASSES, LOWEST_TOP1 = 50, 0.75
PER_CLASS = 200
"""As `make pretrained` says to `create_dataset`."""

BOX = Path(layout.PRETRAINED)


@pytest.fixture(scope="module")
def predictor():
    return Predictor()


def test_one_small_version_of_litert_alone(predictor):
    (version,) = layout.versions(layout.PRETRAINED)
    files = list((BOX / str(version)).iterdir())
    assert {file.name for file in files} == {
        layout.QUANTISED,
        layout.METRICS,
        layout.EXAMPLES,
        layout.MODEL_CARD,
    }
    assert sum(file.stat().st_size for file in files) <= LARGEST


def test_its_list_of_classes_is_its_own(predictor):
    listed = (BOX / "classes.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(listed) == list(predictor.classes)
    assert len(listed) >= FEWEST_CLASSES


def test_what_it_tells_of_itself(predictor):
    told = exported.read(predictor.path)
    assert set(told.examples) == set(told.top1) == set(predictor.classes)
    assert "CC BY 4.0" in told.attribution
    card = (Path(predictor.path) / layout.MODEL_CARD).read_text(encoding="utf-8")
    assert "which training never saw" in card
    assert "of a drawing's points seen" in card


@pytest.fixture(scope="module")
def unseen(predictor, quickdraw_dir, build, tmp_path_factory):
    """Ink and places of the words of the drawings that training was not given."""
    folder = tmp_path_factory.mktemp("box") / "data"
    names = [f"{word}.ndjson.gz" for word in predictor.classes]
    build(
        [quickdraw_dir / "simplified" / name for name in names],
        folder,
        classes=predictor.classes,
        max_per_class=PER_CLASS,
    )
    info = load_dataset_info(str(folder))
    records = list(read.read_split(info, str(folder), "test"))
    labels = np.array([record.class_index for record in records])
    return [record.ink for record in records], labels


def test_it_is_as_good_as_it_says(predictor, unseen):
    inks, labels = unseen
    top1 = (predictor.probabilities(inks).argmax(axis=1) == labels).mean()
    metrics = json.loads((Path(predictor.path) / layout.METRICS).read_text())
    (said,) = [row["top1"] for row in metrics["formats"] if "int8" in row["name"]]
    assert top1 == pytest.approx(said, abs=0.005)
    assert top1 >= LOWEST_TOP1


def test_raw_strokes_get_the_answer_of_the_simplified(predictor, quickdraw_dir):
    pairs, right = 0, 0
    for word in predictor.classes:
        files = [quickdraw_dir / "pairs" / form / f"{word}.ndjson.gz"
                 for form in ("raw", "simplified")]  # fmt: skip
        if not files[0].exists():
            continue
        both = [gzip.decompress(file.read_bytes()).splitlines()[:10] for file in files]
        for raw, simplified in zip(*both):
            raw_ink = to_ink(parse_line(raw).drawing, RAW)
            ink = to_ink(parse_line(simplified).drawing, SIMPLIFIED)
            np.testing.assert_array_equal(raw_ink, ink)
            pairs += 1
            right += predictor.guesses([raw_ink], 1)[0][0].word == word
    assert pairs >= 50
    assert right / pairs >= LOWEST_TOP1
