"""The process of a trial: its messages and its outcomes."""

import os
import re
import signal

import pytest

from pipeline import file_lock
from rnn_model.sweep import trial
from rnn_model.sweep.trial import Outcome, TrialProcess
from rnn_model.workdir import Workdir


@pytest.fixture
def start(data_dir, tmp_path, make_space):
    """Starts a trial in `tmp_path/trial` with some settings."""
    processes = []

    def start(**settings):
        config = make_space({}, **settings).config({})
        process = TrialProcess(config, str(data_dir), str(tmp_path / "trial"))
        processes.append(process)
        return process

    yield start
    for process in processes:
        process._process.kill()
        process.join()


def test_pruned_trial_ends_and_holds_its_lock_until_then(start, tmp_path):
    process = start(epochs=99, patience=99)
    for epoch in (1, 2):
        assert len(process.receive()) == epoch
        process.send_decision(prune=epoch == 2)
    assert process.receive() == Outcome("pruned")
    assert trial.is_running(str(tmp_path / "trial"))
    process.join()
    assert not trial.is_running(str(tmp_path / "trial"))
    assert len(Workdir(str(tmp_path / "trial")).read_history()) == 2
    log = (tmp_path / "trial" / trial.LOG_FILE).read_text()
    assert "epoch 2/99  loss" in log


def test_stopped_trial_resumes_and_killed_trial_dies(start, tmp_path):
    process = start(epochs=99, patience=99)
    process.receive()
    process.stop()
    process.send_decision(prune=False)
    assert process.receive() == Outcome("stopped")
    process.join()
    resumed = start(epochs=99, patience=99)
    assert len(resumed.receive()) >= 2
    log = (tmp_path / "trial" / trial.LOG_FILE).read_text()
    assert log.count("epoch 1/99  loss") == 1
    os.kill(resumed._process.pid, signal.SIGKILL)
    resumed.send_decision(prune=False)
    outcome = resumed.receive()
    assert outcome.state == "died"
    assert "SIGKILL" in outcome.reason
    with file_lock.hold_lock(str(tmp_path / "trial")):
        pass


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"optimizer": "sgd", "learning_rate": 1e30, "batch_size": 16},
            r"diverged, the loss is (nan|inf) at step \d",
        ),
        ({"init_from": "/nowhere"}, "/nowhere"),
    ],
)
def test_trial_that_cannot_be_trained_fails_with_one_line(start, settings, reason):
    outcome = start(**settings).receive()
    assert outcome.state == "failed"
    assert re.search(reason, outcome.reason)
    assert "\n" not in outcome.reason


def test_unwritable_folder_breaks_the_trial(start, tmp_path):
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial" / "config.json").mkdir()
    assert start().receive().state == "broken"
