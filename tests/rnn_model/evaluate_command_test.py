"""`python evaluate.py` as a process: its table, and what it refuses in a line."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def evaluate(*flags):
    return subprocess.run(
        [sys.executable, "evaluate.py", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
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
    assert flags == ["data_dir", "report_dir", "split", "workdir"]
    assert "(default: test)" in process.stdout


def test_several_runs_make_one_table_and_one_report(
    data_dir, trained_mlp, trained_cnn, tmp_path
):
    process = evaluate(
        f"--workdir={trained_mlp},{trained_cnn}",
        f"--data_dir={data_dir}",
        "--split=validation",
        f"--report_dir={tmp_path}/report",
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    report = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert report["split"] == "validation"
    assert [run["name"] for run in report["runs"]] == ["mlp", "cnn"]
    first, blank, head, _, *runs = process.stdout.splitlines()
    assert first == "14 drawings of the split validation"
    assert blank == ""
    assert head.startswith("run  model  parameters")
    assert [line.split()[0] for line in runs] == ["mlp", "cnn"]


def test_a_folder_without_a_run_is_one_line(data_dir, tmp_path):
    process = evaluate(
        f"--workdir={tmp_path}/none",
        f"--data_dir={data_dir}",
        f"--report_dir={tmp_path}",
    )
    assert_one_line(process, "/none holds no run")
