"""Training with several processes on this machine, and what happens if one fails."""

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

from rnn_model import checkpoints, launch, models
from rnn_model.config import TrainConfig
from rnn_model.evaluation import compare_runs
from rnn_model.training import loop
from rnn_model.workdir import Workdir
from serve_export import export
from tests.conftest import without_tensorflow_log
from tests.rnn_model.training.loop_test import load_state

ROOT = Path(__file__).parents[2]

QUICK = {"model": "mlp", "epochs": 8, "patience": 8, "batch_size": 3}

EXACT = TrainConfig(
    model="rnn",
    epochs=1,
    batch_size=6,
    optimizer="sgd",
    learning_rate=0.2,
    clip_norm=0.5,  # is exceeded
    dropout=0.0,
    precision="float32",
)


ROUNDING = 5e-5
"""Largest difference that another order of sums explains."""


def launch_command(data_dir, workdir, workers=2, **settings):
    """Returns the command line that trains with this number of workers."""
    values = {"data_dir": data_dir, "workdir": workdir, **settings}
    return [
        *(sys.executable, "-m", "rnn_model.launch", f"--workers={workers}", "--"),
        *(f"--{name}={value}" for name, value in values.items()),
    ]


def run(command, **settings):
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, **settings
    )


def start_and_wait_for_checkpoint(command, workdir):
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 300
    while not checkpoints.list_checkpoints(str(workdir / "checkpoints" / "last")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def worker_pids(process):
    """Returns the process ids of a launcher's workers by rank (Linux only)."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    pids = {}
    for pid in children.read_text().split():
        environ = Path(f"/proc/{pid}/environ").read_bytes().decode()
        pids[re.search(r'"index": (\d+)', environ)[1]] = int(pid)
    return [pid for _, pid in sorted(pids.items())]


@pytest.fixture(scope="module")
def uninterrupted_run(data_dir, tmp_path_factory):
    """The workdir of a run of two workers, and its completed process."""
    workdir = tmp_path_factory.mktemp("runs") / "whole"
    done = run(launch_command(data_dir, workdir, **QUICK))
    assert done.returncode == 0, done.stderr
    return workdir, done


# --- Results --------------------------------------------------------------------------


def test_two_workers_compute_the_weights_of_one(data_dir, tmp_path):
    fields = dataclasses.asdict(EXACT)
    done = run(launch_command(data_dir, tmp_path / "two", **fields))
    assert done.returncode == 0, done.stderr
    loop.train_and_evaluate(EXACT, str(data_dir), str(tmp_path / "one"))
    one, two = load_state(tmp_path / "one"), load_state(tmp_path / "two")
    assert one.keys() == two.keys()
    assert one["state/optimizer/_iterations/.ATTRIBUTES/VARIABLE_VALUE"] >= 20
    for name in one:
        np.testing.assert_allclose(one[name], two[name], atol=ROUNDING, err_msg=name)
    histories = [
        Workdir(str(tmp_path / name)).read_history()[0] for name in ("one", "two")
    ]
    for name in ("loss", "validation_loss", "validation_top1", "validation_top3"):
        assert histories[0][name] == pytest.approx(histories[1][name], abs=ROUNDING)
    keras.utils.set_random_seed(EXACT.seed)
    first = models.build_model(EXACT, 4).get_weights()
    last = Workdir(str(tmp_path / "two")).load_best().get_weights()
    assert min(np.abs(a - b).max() for a, b in zip(first, last)) > 1e-4


def test_only_the_chief_writes(uninterrupted_run):
    workdir, done = uninterrupted_run
    lines = [line for line in done.stdout.splitlines() if "waiting for" not in line]
    assert [line[:12] for line in lines[:2]] == ["[0] epoch 1/", "[0] epoch 2/"]
    assert all(line.startswith("[0] ") for line in lines), lines
    assert lines[-1].startswith("[0] best: validation top-1 ")
    progress = without_tensorflow_log(done.stderr).splitlines()
    assert progress
    assert all(line.startswith("[0] ") for line in progress), progress
    assert len(list((workdir / "logs").iterdir())) == 1
    assert sorted(path.name for path in workdir.iterdir()) == [
        *("checkpoints", "classes.txt", "config.json", "history.json", "logs")
    ]


def test_a_run_of_two_workers_can_be_evaluated_and_exported(
    uninterrupted_run, data_dir, tmp_path
):
    workdir, _ = uninterrupted_run
    result = compare_runs.compare_runs([str(workdir)], str(data_dir), "validation", 0)
    best = max(row["validation_top1"] for row in Workdir(str(workdir)).read_history())
    assert result.run_metrics[0].all.result()["top1"] == best
    path = export.export(str(workdir), str(tmp_path / "export"), data_dir=str(data_dir))
    assert Path(path).is_dir()


# --- Failures -------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("victim", [1, 0])
def test_after_a_killed_worker_all_stop_and_can_be_resumed(
    uninterrupted_run, data_dir, tmp_path, victim
):
    workdir = tmp_path / "run"
    command = launch_command(data_dir, workdir, **QUICK)
    process = start_and_wait_for_checkpoint(command, workdir)
    workers = worker_pids(process)
    os.kill(workers[victim], signal.SIGKILL)
    began = time.monotonic()
    _, errors = process.communicate(timeout=120)
    assert time.monotonic() - began < 60
    assert process.returncode == 128 + signal.SIGKILL
    last = errors.splitlines()[-1]
    assert last.startswith(f"error: worker {victim} was killed by SIGKILL, and the")
    survivor = 1 - victim
    lines = [
        line for line in errors.splitlines() if line.startswith(f"[{survivor}] er")
    ]
    assert len(lines) == 1, errors
    assert f"worker {survivor} lost the connection to another of the 2" in lines[0]
    assert "Traceback" not in errors
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    again = run(command)
    assert again.returncode == 0, again.stderr
    assert "[0] resuming after epoch " in again.stdout
    expected, actual = load_state(uninterrupted_run[0]), load_state(workdir)
    assert actual.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(actual[name], expected[name], err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_workers_after_the_same_step(
    uninterrupted_run, data_dir, tmp_path, number
):
    workdir = tmp_path / "run"
    command = launch_command(data_dir, workdir, **QUICK)
    process = start_and_wait_for_checkpoint(command, workdir)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    messages = re.findall(r"\[\d\] error: (stopped after .*); run", errors)
    assert len(messages) == 2, errors
    assert messages[0] == messages[1]
    again = run(command)
    assert again.returncode == 0, again.stderr
    expected, actual = load_state(uninterrupted_run[0]), load_state(workdir)
    for name in expected:
        np.testing.assert_array_equal(actual[name], expected[name], err_msg=name)


# --- Errors ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the flags of train.py are missing"),
        (["--workers=2", "--data_dir=d"], "unknown argument '--data_dir=d'"),
        (["--workers=0", "--", "--data_dir=d"], "--workers"),
    ],
)
def test_a_wrong_flag_is_a_one_line_error(arguments, words):
    done = run([sys.executable, "-m", "rnn_model.launch", *arguments])
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_the_error_and_status_of_a_worker_are_forwarded(tmp_path):
    done = run(launch_command("d", tmp_path / "w", 1, model="cnnn"))
    assert done.returncode == 1
    errors = done.stderr.splitlines()
    assert re.match(
        r"\[0\] error: --model must be one of rnn, cnn, resnet, mlp", errors[0]
    )
    assert errors[1:] == [
        "error: worker 0 exited with status 1; see its last lines for the cause"
    ]


def test_each_worker_gets_its_index():
    ports = launch.find_free_ports(3)
    assert len(set(ports)) == 3
    first, *_, last = launch.worker_environments(ports)
    assert first["TF_CONFIG"].replace('"index": 0', '"index": 2') == last["TF_CONFIG"]
    assert all(f"localhost:{port}" in first["TF_CONFIG"] for port in ports)
