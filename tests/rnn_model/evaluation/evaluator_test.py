"""Metrics of one model on a split."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_model import input_pipeline, models
from rnn_model.config import TrainConfig
from rnn_model.evaluation import evaluator
from rnn_model.workdir import Workdir
from tests.rnn_model.evaluation.metrics_test import reference_metrics
from tfrecords.dataset_info import load_dataset_info


def evaluate(workdir, data_dir, split, *batch_size):
    logits_fn = evaluator.make_logits_fn(Workdir(str(workdir)).load_best())
    info = load_dataset_info(str(data_dir))
    return evaluator.evaluate_split(logits_fn, info, str(data_dir), split, *batch_size)


def test_metrics_match_a_reference_computation(data_dir, trained_rnn):
    model = Workdir(str(trained_rnn)).load_best()
    info = load_dataset_info(str(data_dir))
    logits, labels = [], []
    for batch in input_pipeline.evaluation_batches(info, str(data_dir), "test", 1):
        ink, length = batch["ink"], batch["length"]
        logits.append(model({"ink": ink, "length": length}, training=False).numpy())
        labels.append(batch["class_index"].numpy())
    expected = reference_metrics(np.concatenate(logits), np.concatenate(labels))
    result = evaluate(trained_rnn, data_dir, "test")
    assert result == pytest.approx(expected, abs=1e-5)


def test_batch_size_does_not_change_the_metrics(data_dir, trained_mlp):
    expected = evaluate(trained_mlp, data_dir, "test")
    for batch_size in (1, 5):
        result = evaluate(trained_mlp, data_dir, "test", batch_size)
        assert result == pytest.approx(expected, abs=1e-6)


def test_training_history_has_the_same_validation_metrics(data_dir, trained_mlp):
    result = evaluate(trained_mlp, data_dir, "validation")
    (row,) = Workdir(str(trained_mlp)).read_history()
    assert result["loss"] == pytest.approx(row["validation_loss"], abs=1e-6)
    assert result["top1"] == row["validation_top1"]
    assert result["top3"] == row["validation_top3"]


def test_tensorflow_does_not_warn_of_retracing_with_several_models(caplog):
    drawings = tf.zeros([2, 3, 3]), tf.constant([3, 3])
    tf.get_logger().addHandler(caplog.handler)
    try:
        for _ in range(8):
            model = models.build_model(TrainConfig(model="mlp"), 2)
            evaluator.make_logits_fn(model)(*drawings)
    finally:
        tf.get_logger().removeHandler(caplog.handler)
    assert "retracing" not in caplog.text
