"""Replicas normalise as one would, and wait for each other once a layer."""

import subprocess
import sys

import keras
import numpy as np
import tensorflow as tf

from rnn_model.models.normalization import BatchNormalization

TWO_REPLICAS = """
import keras
import numpy as np
import tensorflow as tf
from rnn_model.normalization import BatchNormalization

(cpu,) = tf.config.list_physical_devices("CPU")
halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, halves)
rng = np.random.default_rng(0)
x, pull = (tf.constant(rng.normal(3, 2, (10, 7, 4)), tf.float32) for _ in range(2))
stops = tf.constant([0, 3, 10])

def normalise(layer, begin, end):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x[begin:end], training=True)
        pulled = tf.reduce_sum(y * pull[begin:end])
    return y, tape.gradient(pulled, x)

alone = keras.layers.BatchNormalization()
expected, expected_gradient = normalise(alone, 0, 10)

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    layer = BatchNormalization()
    layer.build(x.shape)
reductions = []
context = tf.distribute.ReplicaContext
all_reduce = context.all_reduce

def counted(self, *arguments):
    reductions.append(arguments)
    return all_reduce(self, *arguments)

context.all_reduce = counted

def on_replica():
    number = tf.distribute.get_replica_context().replica_id_in_sync_group
    return normalise(layer, stops[number], stops[number + 1])

@tf.function
def on_all():
    return strategy.run(on_replica)

y, gradients = map(strategy.experimental_local_results, on_all())
np.testing.assert_allclose(tf.concat(y, 0), expected, atol=1e-5)
np.testing.assert_allclose(sum(gradients), expected_gradient, atol=1e-5)
for name in ("moving_mean", "moving_variance"):
    one, other = (getattr(some, name).numpy() for some in (layer, alone))
    np.testing.assert_allclose(one, other, rtol=1e-5)
# Of each replica one for the sums, and one for their gradients.
assert len(reductions) == 4, len(reductions)
"""


def test_two_replicas_find_the_statistics_of_the_whole_batch():
    done = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_bfloat16_is_normalised_as_by_keras_but_for_the_rounding_of_its_output():
    rng = np.random.default_rng(0)
    x = tf.cast(tf.constant(rng.normal(3, 2, (6, 5, 4)), tf.float32), tf.bfloat16)
    pull = tf.cast(tf.constant(rng.normal(size=x.shape), tf.float32), tf.bfloat16)
    gamma, beta = (rng.uniform(0.5, 1.5, 4).astype("float32") for _ in range(2))

    def normalised(layer, dtype):
        layer.build(x.shape)
        layer.gamma.assign(gamma)
        layer.beta.assign(beta)
        given = tf.cast(x, dtype)
        sources = [given, layer.gamma.value, layer.beta.value]
        with tf.GradientTape() as tape:
            tape.watch(given)
            y = layer(given, training=True)
            pulled = tf.reduce_sum(y * tf.cast(pull, dtype))
        found = [y, *tape.gradient(pulled, sources)]
        assert y.dtype == dtype
        moving = [layer.moving_mean, layer.moving_variance]
        return [np.array(tf.cast(some, tf.float32)) for some in found + moving]

    ours = normalised(BatchNormalization(dtype="mixed_bfloat16"), tf.bfloat16)
    keras_own = normalised(keras.layers.BatchNormalization(), tf.float32)
    y, gradient, *sums = zip(ours, keras_own, strict=True)
    for one, other in (y, gradient):
        np.testing.assert_allclose(one, other, rtol=2**-8, atol=2**-10)
    for one, other in sums:
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
