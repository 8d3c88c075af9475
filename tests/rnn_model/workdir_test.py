"""The files of a run, and errors if some are missing or damaged."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from rnn_model import checkpoints
from rnn_model.config import TrainConfig
from rnn_model.models import rnn
from rnn_model.workdir import Workdir, file_errors_as_oserror


@pytest.fixture
def copied_run(trained_mlp, tmp_path):
    """A copy of a run, to be damaged."""
    return shutil.copytree(trained_mlp, tmp_path / "run")


def test_a_folder_without_config_holds_no_run(tmp_path):
    assert not Workdir(str(tmp_path)).has_run()
    with pytest.raises(ValueError, match=r"holds no run: there is no config\.json"):
        Workdir(str(tmp_path)).load_best()


def test_settings_are_read_as_written(tmp_path):
    workdir = Workdir(str(tmp_path / "new" / "run"))
    config, classes = TrainConfig(model="mlp", seed=3), ("café", "The Eiffel Tower")
    workdir.write_settings(config, classes)
    assert workdir.has_run()
    assert workdir.read_config() == config
    assert workdir.read_classes() == classes
    assert workdir.read_history() == []
    names = {path.name for path in (tmp_path / "new" / "run").iterdir()}
    assert names == {"config.json", "classes.txt"}


def test_a_run_without_checkpoint_cannot_be_loaded(copied_run):
    shutil.rmtree(copied_run / "checkpoints" / "best")
    with pytest.raises(ValueError, match="has no checkpoint yet"):
        Workdir(str(copied_run)).load_best()


def test_damaged_files_are_named(copied_run):
    workdir = Workdir(str(copied_run))
    (copied_run / "history.json").write_text("[")
    with pytest.raises(ValueError, match=r"run/history\.json is damaged"):
        workdir.read_history()
    (copied_run / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"run/config\.json is damaged"):
        workdir.load_best()


def test_load_best_restores_the_saved_weights(trained_mlp):
    workdir = Workdir(str(trained_mlp))
    model = workdir.load_best()
    checkpoint = checkpoints.list_checkpoints(workdir.best)[0]
    saved = [
        tf.train.load_variable(checkpoint, name)
        for name, shape in tf.train.list_variables(checkpoint)
        if shape and "OBJECT_GRAPH" not in name
    ]
    assert len(saved) == len(model.weights) == 6
    for weight in model.weights:
        assert any(np.array_equal(weight, value) for value in saved), weight.path


def test_a_checkpoint_of_another_model_is_an_error(copied_run):
    (copied_run / "config.json").write_text(TrainConfig(model="cnn").to_json())
    with pytest.raises(ValueError, match="ckpt-1 is of another network"):
        Workdir(str(copied_run)).load_best()


def test_a_checkpoint_that_lacks_a_weight_is_an_error(trained_rnn, monkeypatch):
    deeper = (*rnn.CONV_BLOCKS, rnn.CONV_BLOCKS[-1])
    monkeypatch.setattr(rnn, "CONV_BLOCKS", deeper)
    with pytest.raises(ValueError, match="is of another network"):
        Workdir(str(trained_rnn)).load_best()


@pytest.mark.parametrize("path", ["runs/a[1]", "runs\\a", "a]/run"])
def test_a_path_that_tensorflow_would_glob_is_an_error(path):
    with pytest.raises(ValueError, match=r"must not contain any of \[ \] \\") as caught:
        Workdir(path)
    assert str(caught.value).endswith(f"Received: {path}")


def test_a_workdir_below_a_file_is_an_oserror(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        Workdir(str(tmp_path / "file" / "run")).write_settings(TrainConfig(), ("a",))


def test_tensorflow_errors_about_files_become_oserror(tmp_path):
    with pytest.raises(OSError, match="No such file"), file_errors_as_oserror():
        tf.io.read_file(str(tmp_path / "missing"))
