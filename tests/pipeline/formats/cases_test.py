"""Small inputs that people really have are read as what they are.

`$QUICKDRAW_CASES` is a folder with one folder per case.
"""

import collections
import os
from pathlib import Path

import pytest

from pipeline import class_names
from pipeline.formats import input_files, reader
from pipeline.formats.drawing import Drawing

LINES = {"circle": 30, "clock": 30}
PICTURES = {"circle": 5, "clock": 5}
SINGLE = {"circle": 1, "clock": 1}

CASES = {
    **dict.fromkeys(("country_code", "crlf", "gz_no_suffix", "gz_suffix_plain"), LINES),
    **dict.fromkeys(("json_array", "kaggle_csv", "no_word", "npy_dash"), LINES),
    **dict.fromkeys(("npy_float", "npy_url", "npz_equal_length"), LINES),
    **dict.fromkeys(("npz_float32", "npz_float64", "npz_int16", "npz_int32"), LINES),
    **dict.fromkeys(("npz_int64", "npz_renamed_npy", "pandas_to_json"), LINES),
    **dict.fromkeys(("parser_dump", "points_not_axes", "pressure"), LINES),
    **dict.fromkeys(("recognized_int", "timestamp_int", "utf8_bom"), LINES),
    **dict.fromkeys(("pictures_PNG", "pictures_gif", "pictures_jpg"), PICTURES),
    **dict.fromkeys(("pretty", "signature_pad", "svg"), SINGLE),
    "folder_with_more": {"star": 60, "sun": 60},
    "small_canvas": {"square": 30, "star": 30},
    "word_newline": {"star": 40, "sun": 40},
    "word_spaces": {"star": 40, "sun": 40},
}
"""Name of a case to its number of drawings per class; none is rejected."""


@pytest.fixture(scope="session")
def cases_dir():
    default = Path(__file__).parents[4] / "shared" / "cases"
    folder = Path(os.environ.get("QUICKDRAW_CASES", default))
    if not folder.is_dir():
        pytest.skip(f"no input files at {folder} (set QUICKDRAW_CASES)")
    return folder


def read(folder):
    formats = {}
    items = reader.read_drawings(
        input_files.match_files([str(folder)]),
        on_detected=lambda path, detected: formats.update({path: detected.format}),
    )
    parsed = [item.parsed for item in items]
    drawings = [each for each in parsed if isinstance(each, Drawing)]
    rejects = [str(each) for each in parsed if isinstance(each, ValueError)]
    return drawings, rejects, set(formats.values())


@pytest.mark.parametrize("name", CASES)
def test_every_drawing_is_read_with_its_class(cases_dir, name):
    drawings, rejects, _ = read(cases_dir / name)
    assert rejects == []
    assert collections.Counter(drawing.word for drawing in drawings) == CASES[name]


def test_every_case_is_tested(cases_dir):
    folders = {path.name for path in cases_dir.iterdir() if path.is_dir()}
    assert folders == {*CASES, "odd_words"}


@pytest.mark.parametrize(
    "name",
    ["json_array", "kaggle_csv", "pandas_to_json", "no_word", "parser_dump", "utf8_bom"]
    + ["crlf", "points_not_axes", "gz_no_suffix", "recognized_int", "timestamp_int"],
)
def test_the_strokes_are_the_same_in_every_form(cases_dir, name):
    expected, _, _ = read(cases_dir / "country_code")
    drawings, _, _ = read(cases_dir / name)
    assert [d.packed for d in drawings] == [d.packed for d in expected]


def test_a_small_canvas_is_raw(cases_dir):
    drawings, _, formats = read(cases_dir / "small_canvas")
    assert formats == {"raw"}
    assert min(int(drawing.points[:, :2].max()) for drawing in drawings) >= 250


def test_the_other_name_of_the_country_code(cases_dir):
    drawings, _, _ = read(cases_dir / "country_code")
    assert {drawing.countrycode for drawing in drawings} == {"DE"}


def test_integers_for_recognized(cases_dir):
    drawings, _, _ = read(cases_dir / "parser_dump")
    assert {drawing.recognized for drawing in drawings} == {0, 1}
    assert drawings[0].timestamp == "2017-01-27 21:49:54 UTC"


def test_odd_words_are_kept_or_rejected(cases_dir):
    drawings, rejects, _ = read(cases_dir / "odd_words")
    assert {"🐱", "AC/DC", "Star", "../../evil"} <= {d.word for d in drawings}
    assert {reason.partition(":")[0] for reason in rejects} == {"invalid word"}


@pytest.mark.parametrize("name", ["classes_bom.txt", "classes_underscore.txt"])
def test_lists_of_classes(cases_dir, name):
    words = class_names.read_classes(None, str(cases_dir / name))
    assert set(words) <= class_names.OFFICIAL_WORDS
