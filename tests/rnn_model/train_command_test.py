"""`python train.py` as a process: what it says, and what it refuses in a line."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_model.config import TrainConfig

ROOT = Path(__file__).parents[2]


def train(*flags):
    return subprocess.run(
        [sys.executable, "train.py", *map(str, flags)],
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
    process = train("--help")
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
        assert all(word in entry for word in field.metadata.get("choices", ()))
    assert entries["data_dir"].startswith("Data set")
    assert entries["workdir"].startswith("Folder")
    assert max(map(len, process.stdout.splitlines())) <= 88


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--data_dir=d"], ["--workdir is missing"]),
        (
            ["--data_dir=d", "--workdir={tmp}/r", "--model=cnnn"],
            ["model must be one of rnn, cnn, mlp", "'cnnn'"],
        ),
        (
            ["--data_dir=d", "--workdir={tmp}/r", "--optimizer=adamm"],
            ["optimizer must be one of adadelta, ", ", sgd. Received: 'adamm'"],
        ),
        (
            ["--data_dir=d", "--workdir={tmp}/r", "--epochs=many"],
            ["--epochs=many", "--help lists the flags"],
        ),
        (
            ["--data_dir={tmp}/none", "--workdir={tmp}/r"],
            ["/none is not a data set", "pipeline.create_dataset"],
        ),
    ],
)
def test_misuse_is_one_line(tmp_path, flags, words):
    assert_one_line(train(*(flag.format(tmp=tmp_path) for flag in flags)), *words)
    assert list(tmp_path.iterdir()) == []


def test_a_workdir_that_cannot_be_is_one_line(data_dir, tmp_path):
    (tmp_path / "file").write_text("")
    process = train(f"--data_dir={data_dir}", f"--workdir={tmp_path}/file/run")
    assert_one_line(process, "/file is not a directory")


def test_a_run_prints_its_epochs_and_nothing_of_tensorflow(data_dir, tmp_path):
    process = train(
        f"--data_dir={data_dir}",
        f"--workdir={tmp_path}/run",
        "--model=mlp",
        "--epochs=1",
        "--noaugment",
    )
    assert process.returncode == 0
    assert re.match(r"epoch 1/1  loss .* drawings/s\nbest: ", process.stdout)
    written = TrainConfig.from_json((tmp_path / "run/config.json").read_text(), "")
    assert written == TrainConfig(
        model="mlp", epochs=1, augment=False, precision="float32"
    )
    for line in re.split(r"[\r\n]+", process.stderr.strip()):
        assert not line.strip() or line.startswith("mlp: "), line


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 800 KiB: an mlp's first two checkpoints fit, the third does not."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=800k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_on_a_full_disk_the_last_checkpoint_stays_and_training_goes_on(
    data_dir, small_disk
):
    flags = ["--model=mlp", "--epochs=3", "--batch_size=32"]
    flags += [f"--data_dir={data_dir}", f"--workdir={small_disk}/run"]
    stopped = train(*flags)
    assert stopped.returncode == 1
    error = stopped.stderr.splitlines()[-1]
    assert error.startswith(f"error: {small_disk}/run/checkpoints/")
    assert "cannot be written: No space left on device. The checkpoint before" in error
    assert not list(small_disk.rglob("*_temp"))
    subprocess.run(["mount", "-o", "remount,size=9m", str(small_disk)], check=True)
    again = train(*flags)
    assert again.returncode == 0, again.stderr
    assert "going on after epoch 2" in again.stdout
    assert "epoch 3/3" in again.stdout
    assert "warning" not in again.stderr
