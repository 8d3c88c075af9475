"""The command `predict`, run as a process."""

import gzip
import json
import subprocess
import sys

import pytest

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
    good = min(doodles.glob("*.ndjson")).read_bytes().splitlines()
    long = {"drawing": [[list(range(256)) * 20, [7, 9] * 2560]], "key_id": 12}
    raw = {"drawing": [[[0.5, 900.25], [3, 4], [0, 16]]], "key_id": "raw"}
    dot = {"drawing": [[[3], [4]]]}
    lines = [good[0], b"", good[1], b"", json.dumps(long).encode(), b"", b""]
    lines += [json.dumps(raw).encode(), b"  ", json.dumps(dot).encode()]
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
    errors = done.stderr.decode().splitlines()
    assert done.returncode == 1
    for number, error in zip(INVALID_LINES, errors, strict=False):
        assert error.startswith(f"{path}:{number}: ")
    assert errors[len(INVALID_LINES) :] == [
        f"error: {path}: {len(INVALID_LINES)} lines are not drawings"
    ]


def test_stdin_and_large_top_k(lines, exported_rnn):
    flags = f"--export_dir={exported_rnn}", "--input=-", "--top_k=999"
    done = run(*flags, stdin=lines[0])
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    (result,) = map(json.loads, done.stdout.splitlines())
    words = (exported_rnn / "assets" / "classes.txt").read_text().split("\n")[:-1]
    assert sorted(guess["word"] for guess in result["guesses"]) == sorted(words)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--export_dir=nowhere"], "--input is missing"),
        (["--export_dir=nowhere", "--input=nowhere.ndjson"], "nowhere.ndjson"),
        (["--export_dir=nowhere", "--input=-"], "nowhere contains no export"),
        (["--export_dir=x", "--input=-", "--top_k=0"], "Received: 0"),
    ],
)
def test_wrong_flags_give_one_error_line(arguments, problem):
    done = run(*arguments)
    assert done.returncode != 0
    (error,) = done.stderr.decode().splitlines()
    assert problem in error
