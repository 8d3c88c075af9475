"""Sweeps to test with."""

import dataclasses

import pytest

from rnn_model.config import TrainConfig
from rnn_model.sweep.results import Result
from rnn_model.sweep.space import Range, Space
from rnn_model.sweep.store import Plan

QUICK = TrainConfig(
    model="mlp", epochs=1, batch_size=64, augment=False, precision="float32"
)


@pytest.fixture(scope="session")
def make_plan():
    """Makes the plan of a sweep of quick runs."""

    def make_plan(choices, ranges=None, **settings):
        plan = {"search": 0, "pruner": "none", "seed": 0}
        plan |= {name: settings.pop(name) for name in plan if name in settings}
        fixed = dataclasses.asdict(QUICK) | settings
        for name in (*choices, *(ranges or {})):
            del fixed[name]
        classes = ("circle", "clock", "envelope", "flower")
        return Plan(Space(fixed, choices, ranges or {}), classes=classes, **plan)

    return make_plan


@pytest.fixture(scope="session")
def some_results():
    """Trials of a grid and a range, one of each state; none of the lists is sorted."""

    def result(number, optimizer, rate, top1, state="completed", reason=""):
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
        return Result(number, params, state, reason, f"s/trials/{number}", history)

    return [
        result(0, "adam", 1e-3, [0.25, 0.75, 0.5]),
        result(1, "sgd", 1e-2, [], "failed", "diverged <&>"),
        result(2, "adam", 2.5e-3, [0.5, 0.875]),
        result(3, "sgd", 1e-4, [0.125], "pruned"),
    ]


@pytest.fixture(scope="session")
def tried(make_plan):
    """What `some_results` tried."""
    choices = {"optimizer": ("adam", "sgd"), "balance": (0.5, 0.0)}
    return make_plan(choices, {"learning_rate": Range(1e-4, 1e-2, True)}).space
