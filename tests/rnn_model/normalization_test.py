"""Replicas normalise as one would, and wait for each other once a layer."""

import subprocess
import sys

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
