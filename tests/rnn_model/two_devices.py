"""Trains the rnn on one device and on two; prints the differences as JSON.

    python -m tests.rnn_model.two_devices DATA_DIR FOLDER

It needs a process of its own: TensorFlow splits a CPU into logical devices before it
first uses it.
"""

import json
import sys

import keras
import numpy as np
import tensorflow as tf

from rnn_model import models
from rnn_model.config import TrainConfig
from rnn_model.distributed import SINGLE_WORKER, Cluster
from rnn_model.training.loop import train_and_evaluate
from rnn_model.workdir import Workdir

CONFIG = TrainConfig(
    model="rnn",
    epochs=1,
    batch_size=7,  # odd, and the last batch has one drawing: 134 = 19 · 7 + 1
    optimizer="sgd",
    learning_rate=0.05,
    clip_norm=0.5,  # is exceeded
    dropout=0.0,
    precision="float32",
)


def main() -> None:
    """Trains one epoch on each."""
    data_dir, folder = sys.argv[1:]
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], halves
    )
    two_devices = Cluster(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
    workdirs = {
        name: Workdir(f"{folder}/{name}") for name in ("one_device", "two_devices")
    }
    for workdir, cluster in zip(workdirs.values(), (SINGLE_WORKER, two_devices)):
        train_and_evaluate(CONFIG, data_dir, workdir.path, cluster=cluster)
    keras.utils.set_random_seed(CONFIG.seed)
    num_classes = len(workdirs["one_device"].read_classes())
    initial = models.build_model(CONFIG, num_classes).get_weights()
    one, two = (workdir.load_best().get_weights() for workdir in workdirs.values())
    changes, differences = max_differences(initial, one), max_differences(one, two)
    print(json.dumps({"changes": changes, "differences": differences}))


def max_differences(weights: list[np.ndarray], others: list[np.ndarray]) -> list[float]:
    """Computes the largest absolute difference of each weight."""
    pairs = zip(weights, others, strict=True)
    return [float(np.abs(weight - other).max()) for weight, other in pairs]


if __name__ == "__main__":
    main()
