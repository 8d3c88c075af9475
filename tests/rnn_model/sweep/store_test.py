"""Each trial is claimed once, even if launchers or trials are killed."""

import math
import warnings

import pytest

from pipeline import file_lock
from rnn_model.sweep.space import Range
from rnn_model.sweep.store import TrialStore, store_errors
from rnn_model.sweep.trial import Outcome
from rnn_model.workdir import Workdir

RANGES = {"learning_rate": Range(1e-4, 1e-1, True), "batch_size": Range(8, 64, False)}


def claim(store, own_trials=()):
    with store.claim_next(own_trials) as claimed:
        return claimed


def write_run(store, claimed, top1):
    """Writes the files of a training run with this top-1 in its epochs."""
    history = [
        {"epoch": epoch, "validation_top1": score, "validation_loss": 1 - score}
        for epoch, score in enumerate(top1, 1)
    ]
    workdir = Workdir(store.folder(claimed.number))
    workdir.write_settings(claimed.config, ("circle",))
    workdir.write_history(history)
    return history


def objective(params):
    """A top-1 that is highest for a learning rate of 0.003."""
    return 1 / (1 + abs(math.log(params["learning_rate"] / 0.003)))


def complete_all(store):
    while claimed := claim(store):
        write_run(store, claimed, [objective(claimed.params)])
        store.finish(claimed, Outcome("completed"))


@pytest.fixture
def grid(make_config):
    return make_config({"optimizer": ("adam", "sgd"), "learning_rate": (0.1, 0.01)})


def test_combinations_are_claimed_in_order_and_once(tmp_path, grid):
    store = TrialStore(str(tmp_path), grid)
    assert store.num_trials() == store.num_unfinished() == 4
    claimed = [claim(store, range(number)) for number in range(5)]
    assert claimed.pop() is None
    assert [trial.params for trial in claimed] == list(grid.space.combinations())
    for trial in claimed:
        assert trial.config == grid.space.config(trial.params)
        assert not trial.is_resumed


def test_outcomes_are_stored(tmp_path, grid):
    store = TrialStore(str(tmp_path), grid)
    for state, reason in (
        ("completed", ""),
        ("failed", "diverged"),
        ("died", "killed"),
    ):
        claimed = claim(store)
        write_run(store, claimed, [0.25, 0.5] if state == "completed" else [])
        store.finish(claimed, Outcome(state, reason))
    reopened = TrialStore(str(tmp_path), grid)
    first, second, third, fourth = reopened.results()
    assert (first.state, first.top1, first.best_epoch["epoch"]) == ("completed", 0.5, 2)
    assert (second.state, second.reason) == ("failed", "diverged")
    assert (third.state, third.reason) == ("failed", "killed")
    assert math.isnan(third.top1)
    waiting = {"optimizer": "sgd", "learning_rate": 0.01}
    assert (fourth.state, fourth.params) == ("waiting", waiting)
    assert reopened.num_unfinished() == 1


def test_abandoned_trial_is_claimed_next(tmp_path, grid):
    abandoned = claim(TrialStore(str(tmp_path), grid))
    store = TrialStore(str(tmp_path), grid)
    claimed = claim(store)
    assert (claimed.number, claimed.params) == (0, abandoned.params)
    assert claimed.is_resumed
    assert claim(store, {0}).number == 1


def test_running_trial_is_not_claimed(tmp_path, grid):
    store = TrialStore(str(tmp_path), grid)
    with file_lock.hold_lock(store.folder(claim(store).number)):
        other = TrialStore(str(tmp_path), grid)
        assert claim(other).number == 1
    assert claim(other, {1}).number == 0


def test_stopped_trial_resumes_and_its_epochs_are_reported_once(tmp_path, grid):
    store = TrialStore(str(tmp_path), grid)
    claimed = claim(store)
    store.report(claimed, write_run(store, claimed, [0.25]))
    store.finish(claimed, Outcome("stopped"))
    claimed = claim(TrialStore(str(tmp_path), grid))
    assert (claimed.number, claimed.is_resumed) == (0, True)
    # Optuna warns if an epoch is reported twice.
    with warnings.catch_warnings(action="error"):
        store.report(claimed, write_run(store, claimed, [0.25, 0.5]))


def test_outcome_of_a_trial_that_another_launcher_resumed_is_ignored(tmp_path, grid):
    store = TrialStore(str(tmp_path), grid)
    claimed = claim(store)
    with file_lock.hold_lock(store.folder(claimed.number)):
        store.finish(claimed, Outcome("died", "killed"))
    assert store.result(0).state == "running"


def test_search_samples_within_its_ranges_and_improves(tmp_path, make_config):
    config = make_config({"optimizer": ("adam", "sgd")}, RANGES, num_samples=24)
    store = TrialStore(str(tmp_path), config)
    complete_all(store)
    results = store.results()
    assert len(results) == 24
    for result in results:
        assert 1e-4 <= result.params["learning_rate"] <= 1e-1
        assert result.params["batch_size"] in range(8, 65)
        assert result.params["optimizer"] in ("adam", "sgd")
    early, late = results[:10], results[-10:]
    assert sum(trial.top1 for trial in late) > sum(trial.top1 for trial in early)
    assert len({result.params["learning_rate"] for result in results}) == 24


def test_resumed_search_has_the_same_samples(tmp_path, make_config):
    whole = TrialStore(str(tmp_path / "whole"), make_config({}, RANGES, num_samples=12))
    complete_all(whole)
    for size in (3, 11, 12):  # the number of samples may be increased
        config = make_config({}, RANGES, num_samples=size)
        interrupted = TrialStore(str(tmp_path / "parts"), config)
        claim(interrupted)
        complete_all(TrialStore(str(tmp_path / "parts"), config))
    assert [result.params for result in interrupted.results()] == [
        result.params for result in whole.results()
    ]
    other_seed = make_config({}, RANGES, num_samples=1, sweep_seed=1)
    other = TrialStore(str(tmp_path / "other"), other_seed)
    assert claim(other).params != whole.results()[0].params


@pytest.mark.parametrize(("pruner", "pruned_epoch"), [("median", 3), ("halving", 1)])
def test_trial_that_falls_behind_is_pruned(tmp_path, make_config, pruner, pruned_epoch):
    config = make_config({}, RANGES, num_samples=9, pruner=pruner)
    store = TrialStore(str(tmp_path), config)
    for top1 in (0.5, 0.6, 0.7, 0.8, 0.9):
        claimed = claim(store)
        history = write_run(store, claimed, [top1 / 2, top1 * 0.8, top1, top1])
        for epochs in range(1, 4):
            store.report(claimed, history[:epochs])
        store.finish(claimed, Outcome("completed"))
    claimed = claim(store)
    history = write_run(store, claimed, [0.1, 0.2, 0.3, 0.4])
    decisions = [store.report(claimed, history[:epochs]) for epochs in range(1, 4)]
    assert decisions.index(True) == pruned_epoch - 1
    store.finish(claimed, Outcome("pruned"))
    assert store.results()[-1].state == "pruned"


def test_trials_of_a_grid_are_not_pruned(tmp_path, make_config):
    seeds = {"seed": tuple(range(8))}
    store = TrialStore(str(tmp_path), make_config(seeds, pruner="median"))
    for number in range(8):
        claimed = claim(store)
        history = write_run(store, claimed, [0.9 - number / 10] * 5)
        decisions = [store.report(claimed, history[:epochs]) for epochs in range(1, 5)]
        assert not any(decisions)
        store.finish(claimed, Outcome("completed"))


def test_sweep_with_other_settings_is_refused(tmp_path, make_config, grid):
    TrialStore(str(tmp_path), grid)
    choices = {"optimizer": ("adam",), "learning_rate": (0.1, 0.01)}
    with pytest.raises(ValueError, match="has a sweep with other settings") as caught:
        TrialStore(str(tmp_path), make_config(choices, dropout=0))
    assert "--optimizer was ['adam', 'sgd'], now ['adam']" in str(caught.value)
    assert "--dropout was 0.2, now 0" in str(caught.value)


def test_incomplete_store_is_created_again(tmp_path, grid):
    (tmp_path / "sweep.sqlite.tmp").write_bytes(b"SQLite format 3\0 and no more")
    assert TrialStore(str(tmp_path), grid).num_trials() == 4
    assert not (tmp_path / "sweep.sqlite.tmp").exists()


def test_damaged_store_is_an_error_of_one_line(tmp_path, grid):
    (tmp_path / "sweep.sqlite").write_bytes(b"no database" * 999)
    with (
        pytest.raises(OSError, match=r"^sweep\.sqlite cannot be read") as caught,
        store_errors(),
    ):
        TrialStore(str(tmp_path), grid)
    assert "\n" not in str(caught.value)
