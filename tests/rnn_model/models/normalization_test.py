"""Batch normalization over two replicas, and in bfloat16."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_model.models.normalization import BatchNormalization

TWO_REPLICAS = """
import keras
import numpy as np
import pytest
import tensorflow as tf
from rnn_model.models.normalization import BatchNormalization

(cpu,) = tf.config.list_physical_devices("CPU")
halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, halves)
rng = np.random.default_rng(0)
x, output_weights = (
    tf.constant(rng.normal(3, 2, (10, 7, 4)), tf.float32) for _ in range(2)
)
boundaries = tf.constant([0, 3, 10])

def normalize(layer, begin, end):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x[begin:end], training=True)
        loss = tf.reduce_sum(y * output_weights[begin:end])
    return y, tape.gradient(loss, x)

single = keras.layers.BatchNormalization()
expected, expected_gradient = normalize(single, 0, 10)

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    layer = BatchNormalization()
    layer.build(x.shape)
reductions = []
context = tf.distribute.ReplicaContext
all_reduce = context.all_reduce

def counting_all_reduce(self, *arguments):
    reductions.append(arguments)
    return all_reduce(self, *arguments)

context.all_reduce = counting_all_reduce

def on_replica():
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    return normalize(layer, boundaries[replica], boundaries[replica + 1])

@tf.function
def on_all_replicas():
    return strategy.run(on_replica)

y, gradients = map(strategy.experimental_local_results, on_all_replicas())
np.testing.assert_allclose(tf.concat(y, 0), expected, atol=1e-5)
np.testing.assert_allclose(sum(gradients), expected_gradient, atol=1e-5)
for name in ("moving_mean", "moving_variance"):
    actual, expected = (getattr(one, name).numpy() for one in (layer, single))
    np.testing.assert_allclose(actual, expected, rtol=1e-5)
# Each replica reduces once in the forward pass and once in the backward pass.
assert len(reductions) == 4, len(reductions)
"""


def test_replicas_use_the_statistics_of_the_global_batch():
    done = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("shape", [(6, 5, 4), (3, 5, 2, 4)])
def test_bfloat16_equals_keras_up_to_the_rounding_of_the_output(shape):
    rng = np.random.default_rng(0)
    x, output_weights = (
        tf.cast(tf.constant(rng.normal(mean, 2, shape)), tf.bfloat16) for mean in (3, 0)
    )
    gamma, beta = (rng.uniform(0.5, 1.5, 4).astype("float32") for _ in range(2))

    def normalize(layer, dtype):
        """Returns the output, its gradients and the moving statistics."""
        layer.build(x.shape)
        layer.gamma.assign(gamma)
        layer.beta.assign(beta)
        inputs = tf.cast(x, dtype)
        sources = [inputs, layer.gamma.value, layer.beta.value]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = layer(inputs, training=True)
            loss = tf.reduce_sum(y * tf.cast(output_weights, dtype))
        assert y.dtype == dtype
        tensors = [y, *tape.gradient(loss, sources)]
        tensors += [layer.moving_mean, layer.moving_variance]
        return [np.array(tf.cast(tensor, tf.float32)) for tensor in tensors]

    results = normalize(BatchNormalization(dtype="mixed_bfloat16"), tf.bfloat16)
    keras_results = normalize(keras.layers.BatchNormalization(), tf.float32)
    y, x_gradient, *others = zip(results, keras_results, strict=True)
    for actual, expected in (y, x_gradient):
        np.testing.assert_allclose(actual, expected, rtol=2**-8, atol=2**-10)
    for actual, expected in others:
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)
