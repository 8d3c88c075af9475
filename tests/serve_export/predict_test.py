"""The command `predict`, run as a process, and `predict_files`."""

import gzip
import json
import subprocess
import sys

import numpy as np
import pytest

from pipeline import strokes
from pipeline.formats.text.ndjson_lines import parse_simplified
from serve_export.formats.litert_runtime import rasterize_ink
from serve_export.predict import predict_files
from serve_export.predictor import Predictor

INVALID_LINES = {
    2: b'{"word": "cat", "drawing": [[[1, 2], [1, 2]]',
    4: b'{"word": "cat", "drawing": []}',
    6: b'{"word": "cat", "drawing": [[[1, 2], [1]]]}',
    7: b'{"word": "cat", "drawing": [[[NaN], [1]]]}',
}


def run(*arguments, stdin=b""):
    command = [sys.executable, "-m", "serve_export.predict", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True)


@pytest.fixture(scope="module")
def lines(doodles):
    valid = min(doodles.glob("*.ndjson")).read_bytes().splitlines()
    long = {"drawing": [[list(range(256)) * 20, [7, 9] * 2560]], "key_id": 12}
    dot = {"drawing": [[[3], [4]]]}
    lines = [valid[0], b"", valid[1], b"", json.dumps(long).encode(), b"", b""]
    lines += [valid[2], b"  ", json.dumps(dot).encode()]
    for number, text in INVALID_LINES.items():
        lines[number - 1] = text
    return lines


@pytest.fixture(scope="module")
def completed(lines, exported_rnn, tmp_path_factory):
    path = tmp_path_factory.mktemp("predict") / "drawings.ndjson.gz"
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    return path, run(f"--export_dir={exported_rnn.parent}", f"--input={path}")


def test_each_drawing_is_classified_in_order(completed, lines):
    results = [json.loads(line) for line in completed[1].stdout.splitlines()]
    inputs = [json.loads(lines[i]) for i in (0, 2, 4, 7, 9)]
    assert [result["key_id"] for result in results] == [
        str(line.get("key_id", "")) for line in inputs
    ]
    assert [result.get("word") for result in results] == [
        line.get("word") for line in inputs
    ]
    for result in results:
        assert len(result["guesses"]) == 3
        assert set(result["guesses"][0]) == {"word", "probability"}


def test_each_invalid_line_is_reported_once(completed):
    path, done = completed
    form, *errors = done.stderr.decode().splitlines()
    assert done.returncode == 1
    assert form.startswith(f"{path}: read as simplified: ")
    for number, error in zip(INVALID_LINES, errors, strict=False):
        assert error.startswith(f"{path}:{number}: ")
    assert errors[len(INVALID_LINES) :] == ["error: 4 items are not drawings"]


def test_stdin_and_large_top_k(lines, exported_rnn):
    flags = f"--export_dir={exported_rnn}", "--input=-", "--top_k=999"
    done = run(*flags, "--format=simplified", stdin=lines[0])
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(b"-: read as simplified")
    (result,) = map(json.loads, done.stdout.splitlines())
    words = (exported_rnn / "assets" / "classes.txt").read_text().split("\n")[:-1]
    assert sorted(guess["word"] for guess in result["guesses"]) == sorted(words)


def test_globs_folders_and_other_formats(doodles, exported_rnn, tmp_path):
    predictor = Predictor(str(exported_rnn))
    expected = list(predict_files(predictor, [f"{doodles}/*.ndjson"]))
    assert list(predict_files(predictor, [str(doodles)])) == expected
    assert len(expected) == 4 * 40
    path = min(doodles.glob("*.ndjson"))
    document = [json.loads(line) for line in path.read_bytes().splitlines()]
    (tmp_path / "array.json").write_text(json.dumps(document))
    assert list(predict_files(predictor, [f"{tmp_path}/*.json"])) == expected[:40]


def test_bitmaps_need_a_model_that_takes_them(
    doodles, exported_rnn, exported_mlp, tmp_path
):
    path = min(doodles.glob("*.ndjson"))
    drawings = map(parse_simplified, path.read_bytes().splitlines())
    inks = [strokes.to_ink(drawing.points) for drawing in drawings]
    bitmaps = [rasterize_ink(ink) for ink in inks]
    np.save(tmp_path / "bitmaps.npy", bitmaps)
    inputs = [str(tmp_path / "bitmaps.npy")]
    mlp = Predictor(str(exported_mlp))
    results = list(predict_files(mlp, inputs))
    expected = list(predict_files(mlp, [str(path)]))
    assert [r["guesses"] for r in results] == [r["guesses"] for r in expected]
    with pytest.raises(ValueError, match="classifies strokes"):
        list(predict_files(Predictor(str(exported_rnn)), inputs))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--export_dir=nowhere"], "--input is missing"),
        (["--input=nowhere.ndjson"], "nowhere.ndjson"),
        (["--export_dir=nowhere", "--input=-"], "nowhere contains no export"),
        (["--export_dir=x", "--input=-", "--top_k=0"], "--top_k=0"),
    ],
)
def test_wrong_flags_give_one_error_line(arguments, problem):
    done = run(*arguments)
    assert done.returncode != 0
    (error,) = done.stderr.decode().splitlines()
    assert problem in error
