"""The optimizer and its learning rate schedule."""

import keras
import numpy as np
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


@pytest.mark.parametrize(
    ("name", "keras_class"),
    [("adam", keras.optimizers.Adam), ("adamw", keras.optimizers.AdamW)],
)
def test_updates_are_those_of_keras(name, keras_class):
    config = TrainConfig(optimizer=name, weight_decay=0.01, learning_rate=0.5)
    optimizer = make_optimizer(config, total_steps=10)
    settings = {"weight_decay": 0.01} if name == "adamw" else {}
    expected = keras_class(optimizer._learning_rate, **settings)
    gradients = np.random.default_rng(0).normal(size=[10, 3, 4]).astype("float32")
    variables = [keras.Variable(np.ones([3, 4], "float32")) for _ in range(2)]
    for gradient in gradients:
        optimizer.apply([gradient], variables[:1])
        expected.apply([gradient], variables[1:])
    np.testing.assert_allclose(*(each.numpy() for each in variables), atol=1e-4)
    assert np.abs(variables[0].numpy() - 1).min() > 0.1
