"""Several trials at a time, in processes of their own."""

import pytest

from rnn_model.sweep.launcher import Launcher
from rnn_model.sweep.store import TrialStore

NUM_DRAWINGS = 128


def test_two_workers_run_every_trial_once(data_dir, tmp_path, make_config, capsys):
    config = make_config(
        {"learning_rate": (1e-3, 1e30, 1e-2)}, optimizer="sgd", epochs=2
    )
    store = TrialStore(str(tmp_path), config)
    Launcher(store, str(data_dir), NUM_DRAWINGS).run(workers=2)
    first, second, third = store.results()
    assert (first.state, second.state, third.state) == (
        *("completed", "failed", "completed"),
    )
    assert second.reason.startswith("diverged, ")
    assert len(first.history) == len(third.history) == 2
    captured = capsys.readouterr()
    assert sorted(line[:8] for line in captured.out.splitlines()) == [
        *("trial 0 ", "trial 1 ", "trial 2 ")
    ]
    assert "3 of 3 trials 100%" in captured.err
    Launcher(store, str(data_dir), NUM_DRAWINGS).run(workers=2)
    assert capsys.readouterr().out == ""


def test_unwritable_folder_stops_the_sweep(data_dir, tmp_path, make_config):
    store = TrialStore(str(tmp_path), make_config({"seed": (1, 2)}))
    (tmp_path / "trials" / "0" / "config.json").mkdir(parents=True)
    with pytest.raises(OSError, match=r"^trial 0: .*config\.json"):
        Launcher(store, str(data_dir), NUM_DRAWINGS).run(workers=1)
    assert [trial.state for trial in store.results()] == ["running", "waiting"]
