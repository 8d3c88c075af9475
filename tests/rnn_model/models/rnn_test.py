"""The conv1d + LSTM network: padding in training, and which ops it consists of."""

import importlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_model import models
from rnn_model.config import TrainConfig
from rnn_model.training.train_state import TrainState
from rnn_model.training.train_step import make_train_step
from tests.rnn_model.models.models_test import LENGTHS, make_batch, predict_logits
from tfrecords.dataset_info import DatasetInfo, Split

NUM_CLASSES = 7


def test_padding_changes_neither_batch_statistics_nor_gradients():
    ink, length = make_batch([5, 9, 24])
    padded = np.pad(ink, [(0, 0), (0, 60), (0, 0)])
    logits, gradients, statistics = [], [], []
    for inputs in (ink, padded):
        keras.utils.set_random_seed(3)
        rnn = models.build_model(TrainConfig(dropout=0.0), NUM_CLASSES)
        with tf.GradientTape() as tape:
            logits.append(rnn({"ink": inputs, "length": length}, training=True))
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits([0, 1, 2], logits[-1])
        gradients.append(tape.gradient(loss, rnn.trainable_variables))
        statistics.append([weight.numpy() for weight in rnn.non_trainable_variables])
    np.testing.assert_allclose(*logits, atol=1e-4)
    for expected, actual in zip(*statistics):
        np.testing.assert_allclose(actual, expected, atol=1e-5)
    assert any(np.abs(values).max() > 1e-3 for values in statistics[0])
    for expected, actual in zip(*gradients):
        scale = 1e-3 * np.abs(expected).max()
        np.testing.assert_allclose(actual, expected, atol=max(scale, 1e-5))


def test_logits_are_the_same_without_cudnn():
    with_cudnn = models.build_model(TrainConfig(), NUM_CLASSES, use_cudnn="auto")
    without = models.build_model(TrainConfig(), NUM_CLASSES, use_cudnn=False)
    without.set_weights(with_cudnn.get_weights())
    ink, length = make_batch(LENGTHS)
    expected = predict_logits(with_cudnn, ink, length)
    np.testing.assert_allclose(
        predict_logits(without, ink, length), expected, atol=1e-5
    )


def ops_of_train_step(monkeypatch, has_gpu, **settings):
    """Returns the op types in the graph of a training step."""
    keras_rnn = importlib.import_module("keras.src.backend.tensorflow.rnn")
    monkeypatch.setattr(keras_rnn, "_is_gpu_available", lambda: has_gpu)
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind: [kind] * has_gpu
    )
    config = TrainConfig(model="rnn", epochs=1, **settings)
    classes = tuple(f"word {number}" for number in range(NUM_CLASSES))
    split = Split(shards=(), class_counts=(10,) * NUM_CLASSES)
    info = DatasetInfo(classes, {"train": split})
    train_step = make_train_step(TrainState(config, info))
    graph = train_step.get_concrete_function().graph.as_graph_def()
    nodes = [node for function in graph.library.function for node in function.node_def]
    return {node.op for node in [*graph.node, *nodes]}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_cudnn_computes_the_lstm_on_a_gpu(monkeypatch, precision):
    """The graph that Keras builds where it finds a GPU; it is not run."""
    ops = ops_of_train_step(monkeypatch, True, precision=precision)
    assert {"CudnnRNNV3", "CudnnRNNBackpropV3"} <= ops
    assert "While" not in ops


def test_the_lstm_is_unrolled_without_a_gpu(monkeypatch):
    ops = ops_of_train_step(monkeypatch, False)
    assert "Sigmoid" in ops
    assert "While" not in ops
    assert "CudnnRNNV3" not in ops


@pytest.mark.parametrize("width", [0.1, 0.5, 1.5])
def test_the_width_scales_channels_and_units(width):
    network = models.build_model(TrainConfig(width=width), NUM_CLASSES)
    expected = max(16 * round(96 * width / 16), 16)
    assert network.get_layer("lstm").output.shape == (None, 16, 2 * expected)
    assert network.get_layer("conv2").output.shape == (None, 32, expected)
    ink, length = make_batch(LENGTHS)
    assert np.isfinite(predict_logits(network, ink, length)).all()
