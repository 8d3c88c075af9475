"""The optimizer and its learning rate schedule."""

import pytest

from rnn_model.config import TrainConfig
from rnn_model.training.optimizer import make_optimizer


def test_the_learning_rate_warms_up_and_decays_to_zero():
    optimizer = make_optimizer(TrainConfig(learning_rate=0.5), total_steps=2000)
    rates = [float(optimizer._learning_rate(s)) for s in (0, 50, 100, 1000, 2000)]
    assert rates[:3] == pytest.approx([0, 0.25, 0.5], abs=1e-6)
    assert 0.2 < rates[3] < 0.3
    assert rates[4] == pytest.approx(0, abs=1e-6)


def test_adamw_gets_the_weight_decay():
    optimizer = make_optimizer(TrainConfig(weight_decay=0.125), total_steps=10)
    assert optimizer.weight_decay == 0.125
