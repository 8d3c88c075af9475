"""Convolutions and their gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_model.models.conv_block import Conv2D, ConvBlock


def compute_gradients(layer_class, dtype, strides):
    """Returns the gradients of the input and of the filters."""
    keras.utils.set_random_seed(0)
    conv = layer_class(8, 3, strides, padding="same", use_bias=False, dtype=dtype)
    layer = keras.Sequential([conv])
    x = tf.random.stateless_normal([16, 7, 5, 4], [1, 2])
    layer.build(x.shape)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(tf.sin(tf.cast(layer(x, training=True), tf.float32)))
    return [each.numpy() for each in tape.gradient(loss, [x, conv.kernel.value])]


@pytest.mark.parametrize("strides", [1, 2])
def test_gradients_are_those_of_keras(strides):
    expected = compute_gradients(keras.layers.Conv2D, "float32", strides)
    actual = compute_gradients(Conv2D, "float32", strides)
    for each, other in zip(actual, expected):
        np.testing.assert_allclose(each, other, rtol=1e-4, atol=1e-4)


def test_a_block_uses_the_faster_gradient_in_training_only():
    block = ConvBlock(4, 3, 2, dimensions=2)
    x = tf.zeros([2, 6, 6, 3])
    block(x)

    def has_custom_gradient(training):
        function = tf.function(lambda x: block(x, training=training))
        operations = function.get_concrete_function(x).graph.get_operations()
        return any(operation.type == "IdentityN" for operation in operations)

    assert not has_custom_gradient(training=False)
    assert has_custom_gradient(training=True)


@pytest.mark.parametrize("strides", [1, 2])
def test_low_precision_is_close_to_float32(strides):
    expected = compute_gradients(keras.layers.Conv2D, "float32", strides)
    actual = compute_gradients(Conv2D, "mixed_bfloat16", strides)
    for each, other in zip(actual, expected):
        assert np.abs(each - other).max() < 0.05 * np.abs(other).max()


@pytest.mark.parametrize("dimensions", [1, 2])
def test_equal_shapes_have_a_residual_connection(dimensions):
    x = tf.random.stateless_normal([3, *[6] * dimensions, 4], [1, 2])
    block = ConvBlock(4, 3, 1, dimensions)
    block.build(x.shape)
    block.conv.kernel.assign(tf.zeros_like(block.conv.kernel))
    np.testing.assert_array_equal(block(x), x)
    assert ConvBlock(4, 3, 2, dimensions)(x).shape == (3, *[3] * dimensions, 4)
