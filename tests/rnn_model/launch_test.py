"""A cluster of real processes on this machine: what it learns, and how it dies."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_model import checkpoints, launch, models
from rnn_model.config import TrainConfig
from rnn_model.evaluation import compare_runs
from rnn_model.training import loop
from rnn_model.workdir import Workdir
from serve_export import export

ROOT = Path(__file__).parents[2]

QUICK = {"model": "mlp", "epochs": 8, "patience": 8, "batch_size": 3}

EXACT = TrainConfig(
    model="rnn",
    epochs=1,
    batch_size=6,
    optimizer="sgd",
    learning_rate=0.1,
    clip_norm=0.5,  # is exceeded
    dropout=0.0,
    precision="float32",
)


def launcher(data_dir, workdir, workers=2, **settings):
    """The command that trains with so many workers."""
    values = {"data_dir": data_dir, "workdir": workdir, **settings}
    return [
        *(sys.executable, "-m", "rnn_model.launch", f"--workers={workers}", "--"),
        *(f"--{name}={value}" for name, value in values.items()),
    ]


def run(command, **settings):
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, **settings
    )


def weights_of(workdir):
    """The variables of the newest checkpoint, optimizer and all."""
    path = checkpoints.numbered(str(workdir / "checkpoints" / "last"))[0]
    return {
        name: tf.train.load_variable(path, name)
        for name, _ in tf.train.list_variables(path)
        if "OBJECT_GRAPH" not in name and "position/seconds" not in name
    }


def launch_and_wait_for_a_checkpoint(command, workdir):
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 300
    while not checkpoints.numbered(str(workdir / "checkpoints" / "last")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def workers_of(process):
    """Process ids of a launcher's workers, the chief's first. Linux only."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    found = {}
    for pid in children.read_text().split():
        environ = Path(f"/proc/{pid}/environ").read_bytes().decode()
        found[re.search(r'"index": (\d+)', environ)[1]] = int(pid)
    return [pid for _, pid in sorted(found.items())]


@pytest.fixture(scope="module")
def never_killed(data_dir, tmp_path_factory):
    """The workdir of two workers that were left alone, and what they said."""
    workdir = tmp_path_factory.mktemp("runs") / "whole"
    done = run(launcher(data_dir, workdir, **QUICK))
    assert done.returncode == 0, done.stderr
    return workdir, done


# --- What comes of it -----------------------------------------------------------------


def test_two_workers_end_with_the_weights_of_one(data_dir, tmp_path):
    fields = dataclasses.asdict(EXACT)
    done = run(launcher(data_dir, tmp_path / "two", **fields))
    assert done.returncode == 0, done.stderr
    loop.train(EXACT, str(data_dir), str(tmp_path / "one"))
    one, two = weights_of(tmp_path / "one"), weights_of(tmp_path / "two")
    assert one.keys() == two.keys()
    assert one["optimizer/_iterations/.ATTRIBUTES/VARIABLE_VALUE"] >= 20
    for name in one:
        np.testing.assert_allclose(one[name], two[name], atol=1e-5, err_msg=name)
    histories = [Workdir(str(tmp_path / name)).history()[0] for name in ("one", "two")]
    for name in ("loss", "validation_loss", "validation_top1", "validation_top3"):
        assert histories[0][name] == pytest.approx(histories[1][name], abs=1e-5)
    keras.utils.set_random_seed(EXACT.seed)
    first = models.build_model(EXACT, 4).get_weights()
    last = Workdir(str(tmp_path / "two")).load_best().get_weights()
    assert min(np.abs(a - b).max() for a, b in zip(first, last)) > 1e-4


def test_the_chief_alone_speaks_and_writes(never_killed):
    workdir, done = never_killed
    told = [line for line in done.stdout.splitlines() if "waits for the" not in line]
    assert [line[:12] for line in told[:2]] == ["[0] epoch 1/", "[0] epoch 2/"]
    assert all(line.startswith("[0] ") for line in told), told
    assert told[-1].startswith("[0] best: validation top-1 ")
    for line in done.stderr.splitlines():
        assert line.startswith("[0] mlp: "), line
    assert len(list((workdir / "logs").iterdir())) == 1
    assert sorted(path.name for path in workdir.iterdir()) == [
        *("checkpoints", "classes.txt", "config.json", "history.json", "logs")
    ]


def test_what_two_workers_trained_is_evaluated_and_exported(
    never_killed, data_dir, tmp_path
):
    workdir, _ = never_killed
    result = compare_runs.compare_runs([str(workdir)], str(data_dir), "validation", 0)
    best = max(row["validation_top1"] for row in Workdir(str(workdir)).history())
    assert result.run_metrics[0].all.result()["top1"] == best
    source = export.Source(str(workdir), str(data_dir))
    assert Path(export.export(source, str(tmp_path / "export"))).is_dir()


# --- How it ends before its time ------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("victim", [1, 0])
def test_a_killed_worker_ends_all_and_a_restart_ends_with_the_same_weights(
    never_killed, data_dir, tmp_path, victim
):
    workdir = tmp_path / "run"
    command = launcher(data_dir, workdir, **QUICK)
    process = launch_and_wait_for_a_checkpoint(command, workdir)
    workers = workers_of(process)
    os.kill(workers[victim], signal.SIGKILL)
    began = time.monotonic()
    _, errors = process.communicate(timeout=120)
    assert time.monotonic() - began < 60
    assert process.returncode == 128 + signal.SIGKILL
    last = errors.splitlines()[-1]
    assert last.startswith(f"error: worker {victim} was killed by SIGKILL, and the")
    survivor = 1 - victim
    told = [line for line in errors.splitlines() if line.startswith(f"[{survivor}] er")]
    assert len(told) == 1, errors
    assert f"worker {survivor} has lost another of the 2" in told[0]
    assert "Traceback" not in errors
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    again = run(command)
    assert again.returncode == 0, again.stderr
    assert "[0] going on after epoch " in again.stdout
    whole, broken = weights_of(never_killed[0]), weights_of(workdir)
    assert whole.keys() == broken.keys()
    for name in whole:
        np.testing.assert_array_equal(whole[name], broken[name], err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_at_the_same_step(never_killed, data_dir, tmp_path, number):
    workdir = tmp_path / "run"
    command = launcher(data_dir, workdir, **QUICK)
    process = launch_and_wait_for_a_checkpoint(command, workdir)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    told = re.findall(r"\[(\d)\] error: (stopped after .*); the same", errors)
    assert len(told) == 2, errors
    assert told[0][1] == told[1][1]
    again = run(command)
    assert again.returncode == 0, again.stderr
    whole, broken = weights_of(never_killed[0]), weights_of(workdir)
    for name in whole:
        np.testing.assert_array_equal(whole[name], broken[name], err_msg=name)


# --- What is refused ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the flags of train.py go after --"),
        (["--workers=2", "--data_dir=d"], "not a flag of the launcher: '--data_dir=d'"),
        (["--workers=0", "--", "--data_dir=d"], "--workers"),
    ],
)
def test_misuse_is_one_line(arguments, words):
    done = run([sys.executable, "-m", "rnn_model.launch", *arguments])
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_what_a_worker_refuses_is_told_and_its_status_given(tmp_path):
    done = run(launcher("d", tmp_path / "w", 1, model="cnnn"))
    assert done.returncode == 1
    errors = done.stderr.splitlines()
    assert re.match(r"\[0\] error: model must be one of rnn, cnn, mlp", errors[0])
    assert errors[1:] == [
        "error: worker 0 ended with status 1; its last lines tell why"
    ]


def test_each_worker_finds_its_place():
    ports = launch.free_ports(3)
    assert len(set(ports)) == 3
    first, *_, last = launch.environments(ports)
    assert first["TF_CONFIG"].replace('"index": 0', '"index": 2') == last["TF_CONFIG"]
    assert all(f"localhost:{port}" in first["TF_CONFIG"] for port in ports)
