"""Models that learn from trained runs."""

import dataclasses

import numpy as np
import pytest
import scipy.special

from pipeline import sample
from rnn_model import models
from rnn_model.config import TrainConfig
from rnn_model.training import class_balance, distillation, loop
from rnn_model.training.train_state import TrainState
from rnn_model.training.train_step import make_train_step, run_train_step
from rnn_model.workdir import Workdir
from tests.rnn_model.training.train_step_test import CONFIG, make_batch
from tfrecords.dataset_info import load_dataset_info


@pytest.fixture
def info(data_dir):
    return load_dataset_info(str(data_dir))


def make_config(*teachers, **settings):
    paths = ",".join(str(path) for path in teachers)
    return dataclasses.replace(CONFIG, teachers=paths, **settings)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_loss_has_a_share_for_the_mean_probabilities_of_the_teachers(
    info, data_dir, trained_mlp, trained_cnn, share
):
    config = make_config(
        trained_mlp, trained_cnn, distillation=share, learning_rate=1e-9
    )
    state = TrainState(config, info)
    teachers = distillation.load_teachers(config, info, str(data_dir))
    batch = make_batch(4, 5)
    offsets = class_balance.compute_logit_offsets(
        info.split("train").class_counts, config.balance
    )

    def log_probs(model, temperature):
        logits = models.forward_fn(model, "ink")(
            batch["ink"], batch["length"], training=False
        )
        return scipy.special.log_softmax((logits + offsets) / temperature, axis=1)

    teacher_probs = [
        np.exp(log_probs(Workdir(str(run)).load_best(), 2.0))
        for run in (trained_mlp, trained_cnn)
    ]
    smoothed = np.eye(4) * 0.95 + 0.05 / 4
    label_loss = -(smoothed * log_probs(state.model, 1.0)).sum(axis=1).mean()
    soft_loss = -(np.mean(teacher_probs, 0) * log_probs(state.model, 2.0)).sum(1).mean()
    loss, _ = run_train_step(make_train_step(state, teachers), batch)
    expected = (1 - share) * label_loss + share * 4 * soft_loss
    assert loss == pytest.approx(expected, rel=1e-5)


def test_a_model_learns_to_predict_what_its_teacher_predicts(data_dir, tmp_path):
    config = TrainConfig(model="mlp", epochs=12, batch_size=16, augment=False)
    loop.train_and_evaluate(config, str(data_dir), str(tmp_path / "teacher"))
    teacher = Workdir(str(tmp_path / "teacher")).load_best()
    student_config = dataclasses.replace(
        config, teachers=str(tmp_path / "teacher"), distillation=1.0, seed=1
    )
    loop.train_and_evaluate(student_config, str(data_dir), str(tmp_path / "student"))
    student = Workdir(str(tmp_path / "student")).load_best()
    loop.train_and_evaluate(
        dataclasses.replace(config, seed=1), str(data_dir), str(tmp_path / "other")
    )
    other = Workdir(str(tmp_path / "other")).load_best()

    inputs = make_batch(200, 20)
    inputs = {name: inputs[name] for name in ("ink", "length")}
    expected, distilled, independent = (
        scipy.special.softmax(model.predict(inputs, verbose=0), axis=1)
        for model in (teacher, student, other)
    )
    assert np.abs(distilled - expected).mean() < np.abs(independent - expected).mean()


def test_the_weights_of_the_teacher_do_not_change(info, data_dir, trained_rnn):
    config = make_config(trained_rnn)
    state = TrainState(config, info)
    (teacher,) = distillation.load_teachers(config, info, str(data_dir))
    train_step = make_train_step(state, [teacher])
    batch = make_batch(8, 20)
    before = teacher(batch["ink"], batch["length"]).numpy()
    for _ in range(2):
        run_train_step(train_step, batch)
    after = teacher(batch["ink"], batch["length"]).numpy()
    np.testing.assert_array_equal(before, after)


def test_a_distilled_run_can_be_resumed(data_dir, trained_mlp, tmp_path):
    config = make_config(trained_mlp)
    loop.train_and_evaluate(config, str(data_dir), str(tmp_path / "whole"))

    class StopError(Exception):
        pass

    def stop(history):
        raise StopError

    with pytest.raises(StopError):
        loop.train_and_evaluate(config, str(data_dir), str(tmp_path / "run"), stop)
    loop.train_and_evaluate(config, str(data_dir), str(tmp_path / "run"))
    weights = [
        Workdir(str(tmp_path / name)).load_best().get_weights()
        for name in ("whole", "run")
    ]
    for expected, actual in zip(*weights, strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_a_teacher_with_other_classes_is_an_error(
    data_dir, build, trained_mlp, tmp_path
):
    sample.write_sample(tmp_path / "drawings", 8, 1, sample.CLASSES[5:8])
    build([f"{tmp_path}/drawings/*.ndjson"], tmp_path / "data", num_shards=1)
    with pytest.raises(ValueError, match=r"^--teachers: .* trained on other classes"):
        loop.train_and_evaluate(
            make_config(trained_mlp), str(tmp_path / "data"), str(tmp_path / "run")
        )


def test_a_teacher_that_does_not_exist_is_an_error(data_dir, trained_mlp, tmp_path):
    config = make_config(trained_mlp, tmp_path / "none")
    with pytest.raises(ValueError, match=r"^--teachers: .*none holds no run"):
        loop.train_and_evaluate(config, str(data_dir), str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_teacher_that_reads_strokes_cannot_teach_on_bitmaps(
    bitmap_data_dir, trained_rnn, tmp_path
):
    with pytest.raises(ValueError, match=r"^--teachers: --model=rnn reads strokes"):
        loop.train_and_evaluate(
            make_config(trained_rnn), str(bitmap_data_dir), str(tmp_path / "run")
        )
