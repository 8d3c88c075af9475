"""The bundled model: its files and its accuracy."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.class_names import OFFICIAL_WORDS
from pipeline.formats.text.ndjson_lines import parse_line
from serve_export import layout
from serve_export.formats import web
from serve_export.predictor import RAW, SIMPLIFIED, Predictor, to_ink
from tfrecords import read
from tfrecords.dataset_info import load_dataset_info

MAX_BYTES = 6_000_000
MIN_TOP1, MIN_RAW_TOP1 = 0.76, 0.65
"""The raw drawings are of all words alike, so rare words weigh more."""

SAMPLE_STEP = 4
"""The accuracy is measured on every fourth drawing of the test split."""

FOLDERS = ("simplified", "more")
"""The drawings that `make pretrained` uses."""

BUNDLED = Path(layout.BUNDLED_EXPORT_DIR)


@pytest.fixture(scope="module")
def predictor():
    return Predictor()


def test_one_small_version_for_litert_and_the_web():
    (version,) = layout.list_versions(layout.BUNDLED_EXPORT_DIR)
    folder = BUNDLED / str(version)
    assert {path.name for path in folder.iterdir()} == {
        layout.WEB_DIR,
        layout.LITERT_INT8_FILE,
        layout.METRICS_FILE,
        layout.EXAMPLES_FILE,
        layout.MODEL_CARD_FILE,
    }
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(file.stat().st_size for file in files) <= MAX_BYTES


def test_scripts_are_those_that_the_web_format_writes(predictor):
    for script in web.SCRIPTS_DIR.glob("*.js"):
        copy = Path(predictor.path, layout.WEB_DIR, script.name)
        assert copy.read_bytes() == script.read_bytes(), f"copy {script} to {copy}"


def test_it_knows_all_words_of_the_game(predictor):
    assert set(predictor.classes) == OFFICIAL_WORDS


def test_metrics_and_examples_cover_all_classes(predictor):
    info = layout.load_export_info(predictor.path)
    assert set(info.examples) == set(info.top1) == set(predictor.classes)
    assert "CC BY 4.0" in info.attribution
    card = (Path(predictor.path) / layout.MODEL_CARD_FILE).read_text(encoding="utf-8")
    assert "which were not used for training" in card
    assert "Accuracy on the first points of a drawing" in card


@pytest.fixture(scope="module")
def unseen_drawings(predictor, quickdraw_dir, build, tmp_path_factory):
    """Ink and labels of the test split, which was not used for training."""
    folder = tmp_path_factory.mktemp("box") / "data"
    build([quickdraw_dir / name / "*.ndjson.gz" for name in FOLDERS], folder)
    info = load_dataset_info(str(folder))
    records = list(read.read_split(info, str(folder), "test"))[::SAMPLE_STEP]
    labels = np.array([record.class_index for record in records])
    return [record.ink for record in records], labels


def test_accuracy_is_as_published(predictor, unseen_drawings):
    inks, labels = unseen_drawings
    top1 = (predictor.predict_probabilities(inks).argmax(axis=1) == labels).mean()
    metrics = json.loads((Path(predictor.path) / layout.METRICS_FILE).read_text())
    published = metrics["accuracy"]["all"]["top1"]
    assert top1 == pytest.approx(published, abs=0.02)  # another sample
    assert top1 >= MIN_TOP1


def test_raw_and_simplified_strokes_give_the_same_ink(predictor, quickdraw_dir):
    num_pairs = num_correct = 0
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
            num_pairs += 1
            num_correct += predictor.guess_batch([raw_ink], 1)[0][0].word == word
    assert num_pairs >= 50
    assert num_correct / num_pairs >= MIN_RAW_TOP1
