"""The store hands every trial out once, whatever happens to who took it."""

import math
import warnings

import pytest

from pipeline import file_lock
from rnn_model.sweep.space import Range
from rnn_model.sweep.store import Store, store_errors
from rnn_model.sweep.trial import Outcome
from rnn_model.workdir import Workdir

RATES = {"learning_rate": Range(1e-4, 1e-1, True), "batch_size": Range(8, 64, False)}


def take(store, mine=()):
    with store.taking(mine) as claim:
        return claim


def train(store, claim, top1):
    """Leaves what a run leaves, with these epochs."""
    history = [
        {"epoch": epoch, "validation_top1": score, "validation_loss": 1 - score}
        for epoch, score in enumerate(top1, 1)
    ]
    workdir = Workdir(store.folder(claim.number))
    workdir.start(claim.config, ("circle",))
    workdir.write_history(history)
    return history


def quality(params):
    """As if the best learning rate were 0.003."""
    return 1 / (1 + abs(math.log(params["learning_rate"] / 0.003)))


def finish_all(store):
    while claim := take(store):
        train(store, claim, [quality(claim.params)])
        store.close(claim, Outcome("completed"))


def states_of(store):
    return [(result.number, result.state) for result in store.results()]


@pytest.fixture
def grid(make_plan):
    return make_plan({"optimizer": ("adam", "sgd"), "learning_rate": (0.1, 0.01)})


def test_a_grid_is_handed_out_in_order_and_once(tmp_path, grid):
    store = Store(str(tmp_path), grid)
    assert store.total() == store.left() == 4
    claims = [take(store, range(number)) for number in range(5)]
    assert claims.pop() is None
    assert [claim.params for claim in claims] == list(grid.space.product())
    assert [claim.config for claim in claims] == [
        grid.space.config(claim.params) for claim in claims
    ]
    assert not any(claim.goes_on for claim in claims)


def test_what_came_of_a_trial_is_kept(tmp_path, grid):
    store = Store(str(tmp_path), grid)
    ends = [("completed", ""), ("failed", "diverged"), ("died", "killed")]
    for state, reason in ends:
        claim = take(store)
        train(store, claim, [0.25, 0.5] if state == "completed" else [])
        store.close(claim, Outcome(state, reason))
    again = Store(str(tmp_path), grid)
    first, second, third, fourth = again.results()
    assert (first.state, first.top1, first.best["epoch"]) == ("completed", 0.5, 2)
    assert (second.state, second.reason) == ("failed", "diverged")
    assert (third.state, third.reason) == ("failed", "killed")
    assert math.isnan(third.top1)
    assert (fourth.state, fourth.params) == (
        "waiting",
        {"optimizer": "sgd", "learning_rate": 0.01},
    )
    assert again.left() == 1


def test_a_trial_that_was_left_is_the_next(tmp_path, grid):
    left = take(Store(str(tmp_path), grid))
    store = Store(str(tmp_path), grid)
    claim = take(store)
    assert (claim.number, claim.params, claim.goes_on) == (0, left.params, True)
    assert take(store, {0}).number == 1


def test_a_trial_that_is_at_work_is_not_handed_out(tmp_path, grid):
    store = Store(str(tmp_path), grid)
    with file_lock.hold_lock(store.folder(take(store).number)):
        other = Store(str(tmp_path), grid)
        assert take(other).number == 1
    assert take(other, {1}).number == 0


def test_a_stopped_trial_goes_on_and_its_epochs_are_told_once(tmp_path, grid):
    store = Store(str(tmp_path), grid)
    claim = take(store)
    store.hear(claim, train(store, claim, [0.25]))
    store.close(claim, Outcome("stopped"))
    claim = take(Store(str(tmp_path), grid))
    assert (claim.number, claim.goes_on) == (0, True)
    with warnings.catch_warnings(action="error"):  # Optuna's, of an epoch told twice
        store.hear(claim, train(store, claim, [0.25, 0.5]))


def test_a_trial_that_died_and_was_taken_by_another_is_the_other_s(tmp_path, grid):
    store = Store(str(tmp_path), grid)
    claim = take(store)
    with file_lock.hold_lock(store.folder(claim.number)):
        store.close(claim, Outcome("died", "killed"))
    assert states_of(store)[0] == (0, "running")


def test_a_search_samples_within_its_ranges_and_finds_what_is_good(tmp_path, make_plan):
    plan = make_plan({"optimizer": ("adam", "sgd")}, RATES, search=24)
    store = Store(str(tmp_path), plan)
    finish_all(store)
    results = store.results()
    assert len(results) == 24
    for result in results:
        assert 1e-4 <= result.params["learning_rate"] <= 1e-1
        assert result.params["batch_size"] in range(8, 65)
        assert result.params["optimizer"] in ("adam", "sgd")
    early, late = results[:10], results[-10:]
    assert sum(each.top1 for each in late) > sum(each.top1 for each in early)
    assert len({result.params["learning_rate"] for result in results}) == 24


def test_a_search_that_goes_on_samples_as_if_it_had_not_stopped(tmp_path, make_plan):
    plan = make_plan({}, RATES, search=12)
    whole = Store(str(tmp_path / "whole"), plan)
    finish_all(whole)
    for size in (3, 11, 12):  # also: more trials may be asked for later
        part = make_plan({}, RATES, search=size)
        stopped = Store(str(tmp_path / "parts"), part)
        take(stopped)  # and left
        finish_all(Store(str(tmp_path / "parts"), part))
    assert [result.params for result in stopped.results()] == [
        result.params for result in whole.results()
    ]
    other = Store(str(tmp_path / "other"), make_plan({}, RATES, search=1, seed=1))
    assert take(other).params != whole.results()[0].params


@pytest.mark.parametrize(("pruner", "from_epoch"), [("median", 3), ("halving", 1)])
def test_what_falls_behind_is_pruned(tmp_path, make_plan, pruner, from_epoch):
    store = Store(str(tmp_path), make_plan({}, RATES, search=9, pruner=pruner))
    for top1 in (0.5, 0.6, 0.7, 0.8, 0.9):
        claim = take(store)
        history = train(store, claim, [top1 / 2, top1 * 0.8, top1, top1])
        for epochs in range(1, 4):
            store.hear(claim, history[:epochs])
        store.close(claim, Outcome("completed"))
    claim = take(store)
    history = train(store, claim, [0.1, 0.2, 0.3, 0.4])
    told = [store.hear(claim, history[:epochs]) for epochs in range(1, 4)]
    assert told.index(True) == from_epoch - 1
    store.close(claim, Outcome("pruned"))
    assert store.results()[-1].state == "pruned"


def test_a_grid_prunes_nothing(tmp_path, make_plan):
    seeds = {"seed": tuple(range(8))}
    store = Store(str(tmp_path), make_plan(seeds, pruner="median"))
    for score in range(8):
        claim = take(store)
        history = train(store, claim, [0.9 - score / 10] * 5)
        told = [store.hear(claim, history[:epochs]) for epochs in range(1, 5)]
        assert not any(told)
        store.close(claim, Outcome("completed"))


def test_the_store_of_another_sweep_is_refused(tmp_path, make_plan, grid):
    Store(str(tmp_path), grid)
    other = make_plan({"optimizer": ("adam",), "learning_rate": (0.1, 0.01)}, dropout=0)
    with pytest.raises(ValueError, match="holds a sweep of other settings") as caught:
        Store(str(tmp_path), other)
    assert "--optimizer was ['adam', 'sgd'], now ['adam']" in str(caught.value)
    assert "--dropout was 0.2, now 0" in str(caught.value)


def test_a_store_that_was_not_finished_is_made_anew(tmp_path, grid):
    (tmp_path / "sweep.sqlite.tmp").write_bytes(b"SQLite format 3\0 and no more")
    assert Store(str(tmp_path), grid).total() == 4
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.sqlite"]


def test_a_damaged_store_is_one_line(tmp_path, grid):
    (tmp_path / "sweep.sqlite").write_bytes(b"no database" * 999)
    with (
        pytest.raises(OSError, match=r"^sweep\.sqlite cannot be read") as caught,
        store_errors(),
    ):
        Store(str(tmp_path), grid)
    assert "\n" not in str(caught.value)
