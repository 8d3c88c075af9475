"""Dropout drops the share that it is asked to, in training only."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_model.models.dropout import Dropout

SHAPE = (64, 16, 128)


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_share_is_dropped_and_the_mean_is_kept(rate, dtype):
    inputs = tf.ones(SHAPE, dtype)
    outputs = Dropout(rate, seed=1, dtype=dtype)(inputs, training=True)
    assert outputs.dtype == inputs.dtype
    values = tf.cast(outputs, tf.float32).numpy()
    assert np.mean(values == 0) == pytest.approx(rate, abs=0.005)
    assert values.mean() == pytest.approx(1, abs=0.01)
    assert len(np.unique(values)) == 2
    # Neighbors, which share a random number, are independent.
    pairs = (values == 0).reshape(-1, 2).all(1)
    assert pairs.mean() == pytest.approx(rate**2, abs=0.005)


def test_the_gradient_of_a_dropped_value_is_zero():
    inputs = tf.ones(SHAPE)
    layer = Dropout(0.2, seed=1)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
    np.testing.assert_array_equal(tape.gradient(outputs, inputs), outputs)


def test_the_seed_decides_which_values_are_dropped():
    layers = [Dropout(0.2, seed=seed) for seed in (1, 1, 2)]
    first, same, other = (layer(tf.ones(SHAPE), training=True) for layer in layers)
    np.testing.assert_array_equal(first, same)
    assert np.any(first != other)
    assert np.any(first != layers[0](tf.ones(SHAPE), training=True))


def test_nothing_is_dropped_at_inference():
    inputs = tf.random.stateless_normal(SHAPE, [0, 0])
    np.testing.assert_array_equal(Dropout(0.2, seed=1)(inputs), inputs)


def test_a_saved_layer_is_loaded():
    layer = Dropout(0.2, seed=1)
    config = keras.saving.serialize_keras_object(layer)
    assert isinstance(keras.saving.deserialize_keras_object(config), Dropout)
