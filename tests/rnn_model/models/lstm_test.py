"""The LSTM written out is Keras' own, forwards and backwards, there and back."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_model.models.lstm import LSTM

BATCH, STEPS, FEATURES, UNITS = 6, 5, 3, 4


def results(layer, inputs, pull):
    """All that a layer returns, then the gradients of inputs, states and weights."""
    layer.build(inputs.shape)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
    states = [tf.constant(rng.normal(size=(BATCH, UNITS)), tf.float32) for _ in "hc"]
    with tf.GradientTape() as tape:
        tape.watch([inputs, *states])
        found = [tf.cast(it, tf.float32) for it in layer(inputs, initial_state=states)]
        outputs, last_output, carry = found
        pulled = tf.reduce_sum(outputs * pull + (last_output + 2 * carry)[:, None])
    weights = [weight.value for weight in layer.weights]
    return [*found, *tape.gradient(pulled, [inputs, *states, *weights])]


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    inputs = tf.constant(rng.normal(size=(BATCH, STEPS, FEATURES)), tf.float32)
    return inputs, tf.constant(rng.normal(size=(BATCH, STEPS, UNITS)), tf.float32)


def both_layers(dtype, **settings):
    settings |= {"return_sequences": True, "return_state": True}
    return LSTM(UNITS, dtype=dtype, **settings), keras.layers.LSTM(UNITS, **settings)


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize(
    ("dtype", "bound"), [("float32", 1e-5), ("mixed_bfloat16", 0.05)]
)
def test_it_computes_what_keras_computes(case, dtype, bound, go_backwards):
    ours, keras_own = both_layers(dtype, go_backwards=go_backwards)
    pairs = zip(results(ours, *case), results(keras_own, *case), strict=True)
    for one, other in pairs:
        largest = float(tf.reduce_max(tf.abs(other)))
        np.testing.assert_allclose(one, other, rtol=0, atol=bound * largest)


def test_a_masked_sequence_is_for_keras(case):
    inputs, _ = case
    mask = tf.sequence_mask([5, 4, 3, 2, 1, 5], STEPS)
    ours, keras_own = both_layers("float32")
    for layer in (ours, keras_own):
        layer.build(inputs.shape)
    keras_own.set_weights(ours.get_weights())
    for one, other in zip(ours(inputs, mask=mask), keras_own(inputs, mask=mask)):
        np.testing.assert_allclose(one, other, atol=1e-6)
