"""The metrics of a model on a split."""

import numpy as np
import pytest

from rnn_model import input_pipeline
from rnn_model.evaluation import evaluator
from rnn_model.workdir import Workdir
from tests.rnn_model.evaluation.metrics_test import plain_metrics
from tfrecords.dataset_info import load_dataset_info


def evaluated(workdir, data_dir, split, *batch_size):
    logits_of = evaluator.logits_function(Workdir(str(workdir)).load_best())
    info = load_dataset_info(str(data_dir))
    return evaluator.evaluate(logits_of, info, str(data_dir), split, *batch_size)


def test_the_numbers_are_those_of_a_plain_computation(data_dir, trained_rnn):
    model = Workdir(str(trained_rnn)).load_best()
    info = load_dataset_info(str(data_dir))
    logits, labels = [], []
    for batch in input_pipeline.evaluation_batches(info, str(data_dir), "test", 1):
        ink, length = batch["ink"], batch["length"]
        logits.append(model({"ink": ink, "length": length}, training=False).numpy())
        labels.append(batch["class_index"].numpy())
    expected = plain_metrics(np.concatenate(logits), np.concatenate(labels))
    found = evaluated(trained_rnn, data_dir, "test")
    assert found == pytest.approx(expected, abs=1e-5)


def test_batch_size_changes_nothing(data_dir, trained_mlp):
    expected = evaluated(trained_mlp, data_dir, "test")
    for batch_size in (1, 5):
        found = evaluated(trained_mlp, data_dir, "test", batch_size)
        assert found == pytest.approx(expected, abs=1e-6)


def test_validation_in_training_is_this_evaluation(data_dir, trained_mlp):
    found = evaluated(trained_mlp, data_dir, "validation")
    (row,) = Workdir(str(trained_mlp)).history()
    assert found["loss"] == pytest.approx(row["validation_loss"], abs=1e-6)
    assert found["top1"] == row["validation_top1"]
    assert found["top3"] == row["validation_top3"]
