"""The benchmark trains all contenders on the same drawings and prints their speed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(module, *flags):
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_every_contender_has_its_speed_beside_the_ancestors(data_dir):
    done = run("train", f"--data_dir={data_dir}", "--rounds=1", "--seconds=0.1")
    assert done.returncode == 0, done.stderr
    form = r"(\S.*\S) +([\d,]+) drawings/s \([\d,]+ to [\d,]+\) +([\d.]+) ×"
    rows = [re.fullmatch(form, line) for line in done.stdout.splitlines()]
    speeds = {row[1]: float(row[2].replace(",", "")) for row in rows}
    assert list(speeds) == ["ancestor, batch 8", "ancestor, batch 128", "rnn"]
    for row in rows:
        assert float(row[3]) == pytest.approx(
            speeds[row[1]] / speeds["ancestor, batch 128"], rel=0.1
        )
    assert speeds["rnn"] > speeds["ancestor, batch 8"] > 0


def test_a_missing_data_set_is_one_line(tmp_path):
    done = run("train", f"--data_dir={tmp_path}")
    assert done.returncode == 1
    assert re.fullmatch(r"error: .* holds no data set.*\n", done.stderr)
