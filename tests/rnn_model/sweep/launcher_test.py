"""Trials side by side, in processes of their own."""

import pytest

from rnn_model.sweep.launcher import Launcher
from rnn_model.sweep.store import Store

DRAWINGS = 128


def test_two_at_a_time_do_every_trial_once(data_dir, tmp_path, make_plan, capsys):
    plan = make_plan({"learning_rate": (1e-3, 1e30, 1e-2)}, optimizer="sgd", epochs=2)
    store = Store(str(tmp_path), plan)
    Launcher(store, str(data_dir), DRAWINGS).run(workers=2)
    first, second, third = store.results()
    assert [first.state, second.state, third.state] == [
        *("completed", "failed", "completed")
    ]
    assert second.reason.startswith("diverged, the loss is ")
    assert len(first.history) == len(third.history) == 2
    told = capsys.readouterr()
    assert sorted(line[:8] for line in told.out.splitlines()) == [
        *("trial 0 ", "trial 1 ", "trial 2 ")
    ]
    assert "3 of 3 trials 100%" in told.err
    Launcher(store, str(data_dir), DRAWINGS).run(workers=2)
    assert capsys.readouterr().out == ""


def test_what_no_trial_can_get_past_stops_the_sweep(data_dir, tmp_path, make_plan):
    store = Store(str(tmp_path), make_plan({"seed": (1, 2)}))
    (tmp_path / "trials" / "0" / "config.json").mkdir(parents=True)
    with pytest.raises(OSError, match=r"^trial 0: .*config\.json"):
        Launcher(store, str(data_dir), DRAWINGS).run(workers=1)
    assert [each.state for each in store.results()] == ["running", "waiting"]
