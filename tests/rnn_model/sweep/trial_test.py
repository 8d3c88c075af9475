"""A trial's process: what it says, and how it ends."""

import os
import re
import signal

import pytest

from pipeline import file_lock
from rnn_model.sweep import trial
from rnn_model.sweep.trial import Outcome, Process
from rnn_model.workdir import Workdir


@pytest.fixture
def begin(data_dir, tmp_path, make_plan):
    """Begins a trial in `tmp_path/trial`, in the settings of QUICK but for these."""
    begun = []

    def begin(**settings):
        config = make_plan({}, **settings).space.config({})
        process = Process(config, str(data_dir), str(tmp_path / "trial"))
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process._process.kill()
        process.let_go()


def test_a_pruned_trial_ends_and_the_lock_is_kept_till_then(begin, tmp_path):
    process = begin(epochs=99, patience=99)
    for epoch in (1, 2):
        assert len(process.hear()) == epoch
        process.answer(prune=epoch == 2)
    assert process.hear() == Outcome("pruned")
    assert trial.is_at_work(str(tmp_path / "trial"))
    process.let_go()
    assert not trial.is_at_work(str(tmp_path / "trial"))
    assert len(Workdir(str(tmp_path / "trial")).history()) == 2
    told = (tmp_path / "trial" / trial.LOG).read_text()
    assert "epoch 2/99  loss" in told


def test_a_stopped_trial_goes_on_where_it_was(begin, tmp_path):
    process = begin(epochs=99, patience=99)
    process.hear()
    process.stop()
    process.answer(prune=False)
    assert process.hear() == Outcome("stopped")
    process.let_go()
    again = begin(epochs=99, patience=99)
    assert len(again.hear()) >= 2
    told = (tmp_path / "trial" / trial.LOG).read_text()
    assert told.count("going on after epoch 1") == 1
    os.kill(again._process.pid, signal.SIGKILL)
    again.answer(prune=False)
    assert again.hear() == Outcome(
        "died", "its process was killed (SIGKILL), as happens when memory is short"
    )
    with file_lock.hold_lock(str(tmp_path / "trial")):
        pass


@pytest.mark.parametrize(
    ("settings", "outcome"),
    [
        (
            {"optimizer": "sgd", "learning_rate": 1e30, "batch_size": 16},
            ("failed", r"diverged, the loss is (nan|inf) at step \d"),
        ),
        ({"init_from": "/nowhere"}, ("failed", "/nowhere holds no run")),
    ],
)
def test_settings_that_do_not_train_are_told_in_a_line(begin, settings, outcome):
    said = begin(**settings).hear()
    assert said.state == outcome[0]
    assert re.search(outcome[1], said.reason)
    assert "\n" not in said.reason


def test_what_stops_every_trial_is_told_as_such(begin, tmp_path):
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial" / "config.json").mkdir()
    assert begin().hear().state == "broken"
