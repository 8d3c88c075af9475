"""`python train.py` as a process, and `train()` from Python."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_model.config import TrainConfig
from rnn_model.train_command import train
from rnn_model.workdir import Workdir
from tests.conftest import without_tensorflow_log

ROOT = Path(__file__).parents[2]


def run_command(*flags):
    return subprocess.run(
        [sys.executable, "train.py", *map(str, flags)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def assert_one_error(process, *words):
    """The command failed with a one-line error that contains these words."""
    assert process.returncode != 0
    stderr = without_tensorflow_log(process.stderr)
    assert stderr.startswith("error: ")
    assert stderr.count("\n") == 1, stderr
    for word in words:
        assert word in stderr
    assert process.stdout == ""


def test_help_describes_every_flag():
    process = run_command("--help")
    assert process.returncode == 0
    assert process.stderr == ""
    entries = dict(
        re.sub(r"\s+", " ", entry).strip().split(" ", 1)
        for entry in process.stdout.split("\n  --")[1:]
    )
    for field in dataclasses.fields(TrainConfig):
        default = str(field.default).lower() or "empty"
        entry = entries[field.name]
        assert field.metadata["help"] in entry
        assert entry.endswith(f"(default: {default})")
        assert all(choice in entry for choice in field.metadata.get("choices", ()))
    assert {"data_dir", "workdir"} <= set(entries)
    assert max(map(len, process.stdout.splitlines())) <= 88


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--data_dir=d"], ["--workdir"]),
        (
            ["--data_dir=d", "--workdir={tmp}/r", "--model=cnnn"],
            ["--model must be one of rnn, cnn, resnet, mlp", "'cnnn'"],
        ),
        (
            ["--data_dir=d", "--workdir={tmp}/r", "--epochs=many"],
            ["--epochs=many", "--help"],
        ),
        (
            ["--data_dir={tmp}/none", "--workdir={tmp}/r"],
            ["/none", "pipeline.create_dataset"],
        ),
    ],
)
def test_a_wrong_flag_is_a_one_line_error(tmp_path, flags, words):
    assert_one_error(
        run_command(*(flag.format(tmp=tmp_path) for flag in flags)), *words
    )
    assert list(tmp_path.iterdir()) == []


def test_a_workdir_that_tensorflow_cannot_read_is_an_error(data_dir, tmp_path):
    with pytest.raises(ValueError, match=r"must not contain any of \[ \]"):
        train(data_dir, tmp_path / "run [1]")
    assert list(tmp_path.iterdir()) == []


def test_a_workdir_below_a_file_is_a_one_line_error(data_dir, tmp_path):
    (tmp_path / "file").write_text("")
    process = run_command(f"--data_dir={data_dir}", f"--workdir={tmp_path}/file/run")
    assert_one_error(process, "Not a directory", "/file/run")


def test_output_of_a_run(data_dir, tmp_path):
    process = run_command(
        f"--data_dir={data_dir}",
        f"--workdir={tmp_path}/run",
        "--model=mlp",
        "--epochs=1",
        "--noaugment",
    )
    assert process.returncode == 0
    assert re.match(r"epoch 1/1  loss .* drawings/s\nbest: ", process.stdout)
    assert Workdir(str(tmp_path / "run")).read_config() == TrainConfig(
        model="mlp", epochs=1, augment=False, precision="float32"
    )
    stderr = without_tensorflow_log(process.stderr)
    for line in re.split(r"[\r\n]+", stderr.strip()):
        assert not line.strip() or line.startswith("mlp: "), line


def test_train_from_python(data_dir, tmp_path):
    history = train(data_dir, tmp_path / "run", model="mlp", epochs=1)
    assert history == Workdir(str(tmp_path / "run")).read_history()
    assert history[0]["validation_top1"] > 0
    with pytest.raises(ValueError, match="--epochs must be ≥ 0"):
        train(data_dir, tmp_path / "run", epochs=-1)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 800 KiB: two checkpoints of an mlp fit, the third does not."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=800k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_the_last_checkpoint(data_dir, small_disk):
    flags = ["--model=mlp", "--epochs=3", "--batch_size=32"]
    flags += [f"--data_dir={data_dir}", f"--workdir={small_disk}/run"]
    stopped = run_command(*flags)
    assert stopped.returncode == 1
    error = stopped.stderr.splitlines()[-1]
    assert error.startswith(f"error: {small_disk}/run/checkpoints/")
    assert "cannot be written: No space left on device. The previous" in error
    assert not list(small_disk.rglob("*_temp"))
    subprocess.run(["mount", "-o", "remount,size=9m", str(small_disk)], check=True)
    resumed = run_command(*flags)
    assert resumed.returncode == 0, resumed.stderr
    assert "resuming after epoch 2" in resumed.stdout
    assert "epoch 3/3" in resumed.stdout
    assert "warning" not in without_tensorflow_log(resumed.stderr)
