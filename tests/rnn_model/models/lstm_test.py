"""The unrolled LSTM computes what Keras' LSTM computes, forward and backward."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_model.models.lstm import LSTM

BATCH, STEPS, FEATURES, UNITS = 6, 5, 3, 4


def compute(layer, inputs, output_weights):
    """Returns a layer's outputs, and the gradients of inputs, states and weights."""
    layer.build(inputs.shape)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
    states = [tf.constant(rng.normal(size=(BATCH, UNITS)), tf.float32) for _ in "hc"]
    with tf.GradientTape() as tape:
        tape.watch([inputs, *states])
        results = [tf.cast(y, tf.float32) for y in layer(inputs, initial_state=states)]
        outputs, last_output, cell_state = results
        loss = tf.reduce_sum(
            outputs * output_weights + (last_output + 2 * cell_state)[:, None]
        )
    weights = [weight.value for weight in layer.weights]
    return [*results, *tape.gradient(loss, [inputs, *states, *weights])]


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(0)
    return tf.constant(rng.normal(size=(BATCH, STEPS, FEATURES)), tf.float32)


def make_layers(dtype, **settings):
    settings |= {"return_sequences": True, "return_state": True}
    return LSTM(UNITS, dtype=dtype, **settings), keras.layers.LSTM(UNITS, **settings)


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 0.05)]
)
def test_outputs_and_gradients(inputs, dtype, tolerance, go_backwards):
    rng = np.random.default_rng(2)
    output_weights = tf.constant(rng.normal(size=(BATCH, STEPS, UNITS)), tf.float32)
    layers = make_layers(dtype, go_backwards=go_backwards)
    results = (compute(layer, inputs, output_weights) for layer in layers)
    for actual, expected in zip(*results, strict=True):
        scale = float(tf.reduce_max(tf.abs(expected)))
        np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)


def test_masked_sequences(inputs):
    mask = tf.sequence_mask([5, 4, 3, 2, 1, 5], STEPS)
    layer, keras_layer = make_layers("float32")
    layer.build(inputs.shape)
    keras_layer.build(inputs.shape)
    keras_layer.set_weights(layer.get_weights())
    pairs = zip(layer(inputs, mask=mask), keras_layer(inputs, mask=mask), strict=True)
    for actual, expected in pairs:
        np.testing.assert_allclose(actual, expected, atol=1e-6)
