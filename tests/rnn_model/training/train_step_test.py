"""A training step: its loss, its effect on the weights, and its traces."""

import dataclasses
import math

import numpy as np
import pytest

from rnn_model import models
from rnn_model.config import OPTIMIZERS, TrainConfig
from rnn_model.training import class_balance
from rnn_model.training.train_state import TrainState
from rnn_model.training.train_step import make_train_step, run_train_step
from tfrecords.dataset_info import load_dataset_info

CONFIG = TrainConfig(model="mlp", epochs=2, batch_size=32, precision="float32")


@pytest.fixture
def info(data_dir):
    return load_dataset_info(str(data_dir))


def make_batch(size, time_steps):
    """Returns a batch of random drawings."""
    rng = np.random.default_rng(0)
    return {
        "ink": rng.normal(size=[size, time_steps, 3]).astype(np.float32),
        "length": np.full(size, time_steps, np.int32),
        "class_index": np.arange(size) % 4,
        "drawings": np.int32(size),
    }


def test_loss_has_smoothed_targets_and_logit_offsets(info):
    config = dataclasses.replace(CONFIG, label_smoothing=0.2, learning_rate=1e-9)
    state = TrainState(config, info)
    batch = make_batch(4, 5)
    counts = info.split("train").class_counts
    logits = models.forward_fn(state.model, "ink")(
        batch["ink"], batch["length"], training=False
    )
    logits += class_balance.compute_logit_offsets(counts, config.balance)
    logits = logits.numpy()
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    targets = np.eye(4) * 0.8 + 0.05
    loss, _ = run_train_step(make_train_step(state), batch)
    assert loss == pytest.approx(-(targets * log_probs).sum(axis=1).mean(), rel=1e-5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_changes_the_weights(info, optimizer):
    config = dataclasses.replace(CONFIG, optimizer=optimizer)
    state = TrainState(config, info)
    train_step = make_train_step(state)
    before = [weight.numpy() for weight in state.model.trainable_variables]
    for _ in range(2):  # The learning rate of the first step is 0.
        loss, _ = run_train_step(train_step, make_batch(8, 20))
        assert math.isfinite(loss)
    assert state.step == 2
    after = [weight.numpy() for weight in state.model.trainable_variables]
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
    assert all(np.isfinite(weight).all() for weight in after)


@pytest.mark.parametrize("stop", [False, True])
def test_a_request_to_stop_is_returned(info, stop):
    state = TrainState(CONFIG, info)
    train_step = make_train_step(state)
    assert run_train_step(train_step, make_batch(4, 5), stop)[1] is stop


@pytest.mark.parametrize("model", ["mlp", "rnn"])
def test_one_trace_serves_all_shapes_of_batches(info, model):
    config = dataclasses.replace(CONFIG, model=model)
    train_step = make_train_step(TrainState(config, info))
    for size, time_steps in [(4, 9), (4, 12), (3, 12), (1, 30)]:
        run_train_step(train_step, make_batch(size, time_steps))
    # An optimizer that creates its variables in the first call needs a second trace.
    assert train_step.experimental_get_tracing_count() <= 2
