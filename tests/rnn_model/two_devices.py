"""Trains the rnn on one device and on two; prints how far apart they come, as JSON.

    python -m tests.rnn_model.two_devices DATA_DIR FOLDER

A process of its own: TensorFlow splits a processor in two before it first uses it.
"""

import json
import sys

import keras
import numpy as np
import tensorflow as tf

from rnn_model import models
from rnn_model.config import TrainConfig
from rnn_model.distributed import ALONE, Cluster
from rnn_model.training import loop
from rnn_model.workdir import Workdir

CONFIG = TrainConfig(
    model="rnn",
    epochs=1,
    batch_size=7,  # odd, and a drawing is left for the last one: 134 are 19 · 7 + 1
    optimizer="sgd",
    learning_rate=0.1,
    clip_norm=0.5,  # is exceeded
    dropout=0.0,
    precision="float32",
)


def main() -> None:
    """Trains an epoch twice."""
    data_dir, folder = sys.argv[1:]
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], halves
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    together = Cluster(strategy)
    for name, cluster in (("alone", ALONE), ("together", together)):
        loop.train(CONFIG, data_dir, f"{folder}/{name}", cluster=cluster)
    alone, other = (Workdir(f"{folder}/{name}") for name in ("alone", "together"))
    keras.utils.set_random_seed(CONFIG.seed)
    before = models.build_model(CONFIG, len(alone.classes()))
    at_first, one, two = (
        model.get_weights() for model in (before, alone.load_best(), other.load_best())
    )
    print(json.dumps({"moved": apart(at_first, one), "apart": apart(one, two)}))


def apart(some: list[np.ndarray], others: list[np.ndarray]) -> list[float]:
    """How far apart each weight is at most."""
    return [float(np.abs(one - other).max()) for one, other in zip(some, others)]


if __name__ == "__main__":
    main()
