"""Fixtures for the tests of sweeps."""

import dataclasses

import pytest

from rnn_model.config import TrainConfig
from rnn_model.sweep.results import TrialResult
from rnn_model.sweep.space import Range, SearchSpace

QUICK = TrainConfig(
    model="mlp", epochs=1, batch_size=64, augment=False, precision="float32"
)


@pytest.fixture(scope="session")
def make_space():
    """Makes a search space of short runs."""

    def make_space(choices, ranges=None, **settings):
        fixed = dataclasses.asdict(QUICK) | settings
        for name in (*choices, *(ranges or {})):
            del fixed[name]
        return SearchSpace(fixed, choices, ranges or {})

    return make_space


@pytest.fixture(scope="session")
def make_config(make_space):
    """Makes the config of a sweep of short runs."""
    # Imported here because TensorFlow takes seconds.
    from rnn_model.sweep.store import SweepConfig

    def make_config(choices, ranges=None, num_samples=0, pruner="none", **settings):
        sweep_seed = settings.pop("sweep_seed", 0)
        search_space = make_space(choices, ranges, **settings)
        classes = ("circle", "clock", "envelope", "flower")
        return SweepConfig(search_space, num_samples, pruner, sweep_seed, classes)

    return make_config


@pytest.fixture(scope="session")
def trial_results():
    """Trials of a grid and a range in all states, not sorted."""

    def make_result(number, optimizer, rate, top1, state="completed", reason=""):
        history = [
            {
                "epoch": epoch,
                "validation_top1": score,
                "validation_loss": 1 - score,
                "seconds": 30.2,
            }
            for epoch, score in enumerate(top1, 1)
        ]
        params = {"optimizer": optimizer, "balance": 0.5, "learning_rate": rate}
        folder = f"s/trials/{number}"
        return TrialResult(number, params, state, reason, folder, history)

    return [
        make_result(0, "adam", 1e-3, [0.25, 0.75, 0.5]),
        make_result(1, "sgd", 1e-2, [], "failed", "diverged <&>"),
        make_result(2, "adam", 2.5e-3, [0.5, 0.875]),
        make_result(3, "sgd", 1e-4, [0.125], "pruned"),
    ]


@pytest.fixture(scope="session")
def search_space(make_space):
    """The search space of `trial_results`."""
    choices = {"optimizer": ("adam", "sgd"), "balance": (0.5, 0.0)}
    return make_space(choices, {"learning_rate": Range(1e-4, 1e-2, True)})
