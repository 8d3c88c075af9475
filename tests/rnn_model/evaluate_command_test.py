"""`python evaluate.py` as a process: its table, its report and its errors."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_model.evaluate_command import evaluate
from tests.conftest import without_tensorflow_log

ROOT = Path(__file__).parents[2]


def run_command(*arguments, **environment):
    process = subprocess.run(
        [sys.executable, "evaluate.py", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    process.stderr = without_tensorflow_log(process.stderr)
    return process


def assert_one_line(process, *words):
    """Asserts that the command failed with one line that contains the words."""
    assert process.returncode != 0
    assert process.stderr.startswith("error: ")
    assert process.stderr.count("\n") == 1, process.stderr
    for word in words:
        assert word in process.stderr
    assert process.stdout == ""


def test_help_explains_every_flag():
    process = run_command("--help")
    assert process.returncode == 0
    assert process.stderr == ""
    flags = re.findall(r"^  --(\w+)\n      \S", process.stdout, re.MULTILINE)
    assert flags == [
        *("data_dir", "partial_drawings", "report_dir", "seed", "split"),
        *("unknown_data_dir", "workdir"),
    ]
    assert "(default: test)" in process.stdout


@pytest.fixture(scope="module")
def evaluated(data_dir, trained_mlp, trained_cnn, tmp_path_factory):
    """The process that evaluated two runs, and the folder of its report."""
    folder = tmp_path_factory.mktemp("evaluated") / "new" / "report"
    process = run_command(
        f"--workdir={trained_mlp},{trained_cnn}",
        f"--data_dir={data_dir}",
        "--split=validation",
        "--partial_drawings=3",
        f"--report_dir={folder}",
    )
    assert process.returncode == 0, process.stderr
    return process, folder


def test_table_has_one_line_per_run(evaluated):
    process, folder = evaluated
    report = json.loads((folder / "metrics.json").read_text())
    assert report["split"] == "validation"
    assert [run["name"] for run in report["runs"]] == ["mlp", "cnn"]
    first, blank, head, _, *runs = process.stdout.splitlines()
    assert first == "14 drawings of the split validation"
    assert blank == ""
    assert head.startswith("run  model  parameters")
    assert [line.split()[0] for line in runs] == ["mlp", "cnn"]
    assert "drawings/s" in process.stderr
    assert "arning" not in process.stderr


def test_report_has_a_page_and_plots(evaluated):
    _, folder = evaluated
    names = {path.name for path in folder.iterdir()}
    assert {"index.html", "metrics.json", "partial.png", "confusion-mlp.png"} <= names
    assert {Path(name).suffix for name in names} == {".html", ".json", ".png"}
    for path in folder.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG\r\n")
    assert "<title>Comparison of 2 runs</title>" in (folder / "index.html").read_text()


def test_function_returns_the_report_without_writing_files(evaluated, trained_mlp):
    _, folder = evaluated
    written = json.loads((folder / "metrics.json").read_text())
    report = evaluate(
        trained_mlp, written["data_dir"], split="validation", partial_drawings=0
    )
    (run,) = report["runs"]
    assert run["top1"] == pytest.approx(written["runs"][0]["top1"])
    assert run["intervals"]["top1"] == pytest.approx(
        written["runs"][0]["intervals"]["top1"]
    )


def test_folder_without_a_run_is_an_error(data_dir, tmp_path):
    process = run_command(
        f"--workdir={tmp_path}/none",
        f"--data_dir={data_dir}",
        f"--report_dir={tmp_path}/report",
    )
    assert_one_line(process, f"{tmp_path}/none")
    assert list((tmp_path / "report").iterdir()) == []


def test_unwritable_report_dir_is_an_error_before_the_evaluation(tmp_path):
    """The data set does not exist, but the error is about the report."""
    (tmp_path / "report").touch()
    process = run_command(
        f"--workdir={tmp_path}/none",
        f"--data_dir={tmp_path}/data",
        f"--report_dir={tmp_path}/report",
    )
    assert_one_line(process, f"{tmp_path}/report")
    assert f"{tmp_path}/data" not in process.stderr


def test_class_without_drawings_and_missing_matplotlib_are_warnings(
    build, doodles, trained_mlp, tmp_path
):
    data = tmp_path / "data"
    build([f"{doodles}/*.ndjson"], data, max_per_class=4)
    counts = json.loads((data / "dataset_info.json").read_text())["splits"]["test"]
    assert 0 < counts["class_counts"].count(0) < 4
    missing = "raise ModuleNotFoundError(name='matplotlib')\n"
    (tmp_path / "matplotlib.py").write_text(missing)
    process = run_command(
        f"--workdir={trained_mlp}",
        f"--data_dir={data}",
        f"--report_dir={tmp_path}/report",
        PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}",
    )
    assert process.returncode == 0, process.stderr
    assert "Traceback" not in process.stderr
    warnings = [line for line in process.stderr.splitlines() if "warning:" in line]
    assert len(warnings) == 2
    assert "[report]'" in warnings[0]
    assert "the split test has no drawings of" in warnings[1]
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["metrics.json"]
    report = json.loads((tmp_path / "report" / "metrics.json").read_text())
    (run,) = report["runs"]
    without_drawings = set(report["classes_without_drawings"])
    assert len(without_drawings) == counts["class_counts"].count(0)
    assert not without_drawings & set(run["per_class"])
    top1 = [row["top1"] for row in run["per_class"].values()]
    assert run["macro_top1"] == pytest.approx(sum(top1) / len(top1))
