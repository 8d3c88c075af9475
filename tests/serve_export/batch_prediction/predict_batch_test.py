"""Batch prediction: the output of `predict`, made by a Beam job."""

import csv
import json
import subprocess
import sys

import pyarrow.parquet
import pytest

from serve_export.predict import predict_files
from serve_export.predict_batch import predict_batch
from serve_export.predictor import RUNTIMES, Predictor
from tests.conftest import IN_PROCESS

INVALID_LINE = b'{"word": "circle", "drawing": []}\n'


@pytest.fixture
def run(exported_rnn, tmp_path):
    """Runs the job in this process; returns the output folder."""

    def run(inputs, export_dir=exported_rnn, **settings):
        output_dir = tmp_path / "out"
        predict_batch(
            list(map(str, inputs)),
            str(output_dir),
            export_dir=str(export_dir),
            beam_args=IN_PROCESS,
            **settings,
        )
        return output_dir

    return run


def read_ndjson(folder):
    return [
        json.loads(line)
        for path in sorted(folder.glob("predictions-*.ndjson"))
        for line in path.read_text().splitlines()
    ]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_ndjson_equals_predict_in_order(run, doodles, exported_rnn, runtime):
    output_dir = run([doodles], runtime=runtime, num_files=3, top_k=2)
    predictor = Predictor(str(exported_rnn), runtime)
    expected = list(predict_files(predictor, [str(doodles)], top_k=2))
    assert read_ndjson(output_dir) == expected
    info = json.loads((output_dir / "predictions.json").read_text())
    assert info["counts"]["written"] == len(expected) == 4 * 40
    assert sorted(info["files"]) == sorted(
        path.name for path in output_dir.glob("predictions-*")
    )
    assert len(info["files"]) == 3


def test_csv_and_parquet(run, doodles, exported_rnn):
    expected = list(predict_files(Predictor(str(exported_rnn)), [str(doodles)]))
    output_dir = run([doodles], output_format="csv", num_files=1)
    with open(output_dir / "predictions-00000-of-00001.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[:4] == ["key_id", "word", "guess_1", "probability_1"]
    assert len(header) == 2 + 2 * 3
    assert [row[:3] for row in rows] == [
        [r["key_id"], r["word"], r["guesses"][0]["word"]] for r in expected
    ]
    assert float(rows[0][3]) == expected[0]["guesses"][0]["probability"]
    run([doodles], output_format="parquet", num_files=1, overwrite=True)
    path = output_dir / "predictions-00000-of-00001.parquet"
    assert pyarrow.parquet.read_table(path).to_pylist() == expected
    assert not list(output_dir.glob("*.csv"))


def test_data_set_and_bitmap_model(run, data_dir, bitmap_data_dir, exported_mlp):
    output_dir = run([data_dir], export_dir=exported_mlp)
    expected = list(predict_files(Predictor(str(exported_mlp)), [str(data_dir)]))
    assert len(expected) == 4 * 40
    assert read_ndjson(output_dir) == expected


def test_rejects_are_kept_and_counted(run, doodles, tmp_path):
    lines = min(doodles.glob("*.ndjson")).read_bytes().splitlines(keepends=True)
    lines[3] = INVALID_LINE
    path = tmp_path / "circle.ndjson"
    path.write_bytes(b"".join(lines))
    output_dir = run([path], max_rejected=0.1)
    assert len(read_ndjson(output_dir)) == 39
    (reject,) = (output_dir / "rejected-00000.ndjson").read_text().splitlines()
    assert json.loads(reject)["line"] == 4
    info = json.loads((output_dir / "predictions.json").read_text())
    assert info["counts"]["rejected"] == {"no strokes": 1}


def test_failed_job_keeps_the_previous_predictions(run, doodles, tmp_path):
    output_dir = run([doodles])
    before = {path.name: path.read_bytes() for path in output_dir.iterdir()}
    path = tmp_path / "circle.ndjson"
    path.write_bytes(min(doodles.glob("*.ndjson")).read_bytes() + INVALID_LINE)
    with pytest.raises(ValueError, match="already contains predictions"):
        run([path])
    with pytest.raises(ValueError, match=r"1 of 41 lines were rejected.*line 41"):
        run([path], overwrite=True)
    after = {path.name: path.read_bytes() for path in output_dir.iterdir()}
    assert after.pop("rejected-00000.ndjson")
    assert after == before


def test_folder_with_other_files_is_refused(run, doodles, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("keep")
    with pytest.raises(ValueError, match=r"contains 'notes\.txt'"):
        run([doodles], overwrite=True)


def test_command_with_worker_processes(doodles, exported_rnn, tmp_path):
    command = [sys.executable, "-m", "serve_export.predict_batch"]
    flags = [f"--export_dir={exported_rnn}", f"--input={doodles}"]
    flags += [f"--output_dir={tmp_path / 'out'}", "--direct_num_workers=2"]
    done = subprocess.run([*command, *flags], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = list(predict_files(Predictor(str(exported_rnn)), [str(doodles)]))
    assert read_ndjson(tmp_path / "out") == expected
    done = subprocess.run([*command, *flags], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--input=nowhere.ndjson", "--output_dir=x"], "nowhere.ndjson"),
        (["--output_dir=x"], "--input is missing"),
        (["--input=x", "--output_dir=x", "--export_dir=y"], "contains no export"),
        (["--input=x", "--output_dir=x", "--no_such_flag=1"], "no_such_flag"),
        (
            ["--input=gs://b/x", "--output_dir=gs://b/y", "--runner=DataflowRunner"]
            + ["--export_dir=serve_export/pretrained", "--setup_file=./setup.py"],
            "is on this machine",
        ),
    ],
)
def test_wrong_flags_give_one_error_line(arguments, problem):
    command = [sys.executable, "-m", "serve_export.predict_batch", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    (error,) = done.stderr.splitlines()
    assert problem in error
