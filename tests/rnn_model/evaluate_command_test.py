"""`python evaluate.py` as a process: its table and page, what it refuses in a line."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def evaluate(*flags, **environment):
    return subprocess.run(
        [sys.executable, "evaluate.py", *flags],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


def assert_one_line(process, *words):
    """The command failed, and told why in one line with these words."""
    assert process.returncode != 0
    assert process.stderr.startswith("error: ")
    assert process.stderr.count("\n") == 1, process.stderr
    for word in words:
        assert word in process.stderr
    assert process.stdout == ""


def test_help_explains_every_flag():
    process = evaluate("--help")
    assert process.returncode == 0
    assert process.stderr == ""
    flags = re.findall(r"^  --(\w+)\n      \S", process.stdout, re.MULTILINE)
    assert flags == (
        ["data_dir", "partial_drawings", "report_dir", "seed", "split", "workdir"]
    )
    assert "(default: test)" in process.stdout


@pytest.fixture(scope="module")
def evaluated(data_dir, trained_mlp, trained_cnn, tmp_path_factory):
    """Two runs: the process, and the report's folder."""
    folder = tmp_path_factory.mktemp("evaluated") / "new" / "report"
    process = evaluate(
        f"--workdir={trained_mlp},{trained_cnn}",
        f"--data_dir={data_dir}",
        "--split=validation",
        "--partial_drawings=3",
        f"--report_dir={folder}",
    )
    assert process.returncode == 0, process.stderr
    return process, folder


def test_several_runs_make_one_table(evaluated):
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


def test_the_report_is_a_page_and_its_plots(evaluated):
    _, folder = evaluated
    names = {path.name for path in folder.iterdir()}
    assert {"index.html", "metrics.json", "partial.png", "confusion-mlp.png"} <= names
    assert {Path(name).suffix for name in names} == {".html", ".json", ".png"}
    for path in folder.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG\r\n")
    assert "<title>2 runs side by side</title>" in (folder / "index.html").read_text()


def test_a_folder_without_a_run_is_one_line(data_dir, tmp_path):
    process = evaluate(
        f"--workdir={tmp_path}/none",
        f"--data_dir={data_dir}",
        f"--report_dir={tmp_path}/report",
    )
    assert_one_line(process, "/none holds no run")
    assert list((tmp_path / "report").iterdir()) == []


def test_a_report_that_cannot_be_written_is_known_at_once(tmp_path):
    """Before anything is read: there is no such run."""
    (tmp_path / "report").touch()
    process = evaluate(
        f"--workdir={tmp_path}/none",
        f"--data_dir={tmp_path}",
        f"--report_dir={tmp_path}/report",
    )
    assert_one_line(process, f"{tmp_path}/report")
    assert "holds no" not in process.stderr


def test_no_drawing_of_a_class_and_no_matplotlib_are_warnings(
    build, doodles, trained_mlp, tmp_path
):
    """Both in one process, as to start one takes seconds."""
    data = tmp_path / "data"
    build([f"{doodles}/*.ndjson"], data, max_per_class=4)
    counts = json.loads((data / "dataset_info.json").read_text())["splits"]["test"]
    assert 0 < counts["class_counts"].count(0) < 4
    missing = "raise ModuleNotFoundError(name='matplotlib')\n"
    (tmp_path / "matplotlib.py").write_text(missing)
    process = evaluate(
        f"--workdir={trained_mlp}",
        f"--data_dir={data}",
        f"--report_dir={tmp_path}/report",
        PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}",
    )
    assert process.returncode == 0, process.stderr
    assert "Traceback" not in process.stderr
    warnings = [line for line in process.stderr.splitlines() if "warning:" in line]
    assert len(warnings) == 2
    assert "pip install 'quickdraw-rnn[report]'" in warnings[0]
    assert "the split test has no drawing of" in warnings[1]
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["metrics.json"]
    report = json.loads((tmp_path / "report" / "metrics.json").read_text())
    (run,) = report["runs"]
    unseen = set(report["classes_without_drawings"])
    assert len(unseen) == counts["class_counts"].count(0)
    assert not unseen & set(run["per_class"])
    shares = [row["top1"] for row in run["per_class"].values()]
    assert run["macro_top1"] == pytest.approx(sum(shares) / len(shares))
