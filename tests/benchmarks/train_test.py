"""The benchmark trains all contenders on the same drawings and prints their speed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import train_ancestor

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
    *rows, last = done.stdout.splitlines()
    form = r"(\S.*\S) +([\d,]+) drawings/s \([\d,]+ to [\d,]+\) +([\d.]+) ×"
    matches = [re.fullmatch(form, row) for row in rows]
    speeds = {match[1]: float(match[2].replace(",", "")) for match in matches}
    contenders = ["ancestor, batch 8", "ancestor, batch 128", "rnn", "cnn"]
    assert list(speeds) == [*contenders, "cnn, bitmaps given"]
    assert min(speeds.values()) > 0
    base = speeds["ancestor, batch 128"]
    for match in matches:
        assert float(match[3]) == pytest.approx(
            speeds[match[1]] / base, abs=0.01, rel=0.2
        )
    assert re.fullmatch(r"the rasteriser takes -?[\d.]+% of the cnn's step", last)


def test_a_missing_data_set_is_one_line(tmp_path):
    done = run("train", f"--data_dir={tmp_path}")
    assert done.returncode == 1
    assert re.search(r"error: .* holds no data set.*\n$", done.stderr)


def test_the_ancestor_trains_to_its_end_and_a_run_is_put_beside_it(
    data_dir, trained_mlp, tmp_path
):
    flags = [f"--data_dir={data_dir}", f"--workdir={tmp_path}/ancestor"]
    flags += [f"--runs={trained_mlp}", "--hours=0.0001"]
    done = run("train_ancestor", *flags)
    assert done.returncode == 0, done.stderr
    *epochs, ancestor, ours = done.stdout.splitlines()
    history = json.loads((tmp_path / "ancestor/history.json").read_text())
    test = json.loads((tmp_path / "ancestor/metrics.json").read_text())
    assert len(epochs) == len(history) == 1
    assert history[0]["seconds"] > 0
    assert f"top-1 {history[0]['validation_top1']:.4f} after" in ancestor
    assert f"macro {test['macro_top1']:.4f}, MAP@3 {test['map3']:.4f}" in ancestor
    assert test["examples"] > 0
    assert ours.startswith(f"{trained_mlp}: ")
    assert "reached validation top-1" in ours
    again = run("train_ancestor", *flags)
    assert again.stdout.splitlines() == [ancestor, ours]


def test_a_run_is_as_good_when_an_epoch_of_it_ends():
    tops = [(0.3, 10.0), (0.6, 11.0), (0.5, 12.0), (0.8, 13.0)]
    history = [{"validation_top1": top1, "seconds": took} for top1, took in tops]
    assert train_ancestor.seconds_to(history, 0.3) == 10
    assert train_ancestor.seconds_to(history, 0.55) == 21
    assert train_ancestor.seconds_to(history, 0.6) == 21
    assert train_ancestor.seconds_to(history, 0.7) == 46
    assert train_ancestor.comparison(history, 0.7, 460).endswith(
        "after 46 s, 0.100 of the ancestor's time"
    )
    assert "never reached" in train_ancestor.comparison(history, 0.81, 460)
