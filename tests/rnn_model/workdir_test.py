"""What a run leaves in its workdir, and what is said of one that is not whole."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from rnn_model import checkpoints
from rnn_model.config import TrainConfig
from rnn_model.models import rnn
from rnn_model.workdir import Workdir, file_errors


@pytest.fixture
def copied(trained_mlp, tmp_path):
    """A copy of a run, to be damaged."""
    return shutil.copytree(trained_mlp, tmp_path / "run")


def test_a_folder_without_config_holds_no_run(tmp_path):
    assert not Workdir(str(tmp_path)).exists()
    with pytest.raises(ValueError, match=r"holds no run: there is no config\.json"):
        Workdir(str(tmp_path)).load_best()


def test_what_start_writes_comes_back(tmp_path):
    workdir = Workdir(str(tmp_path / "new" / "run"))
    config, classes = TrainConfig(model="mlp", seed=3), ("café", "The Eiffel Tower")
    workdir.start(config, classes)
    assert workdir.exists()
    assert workdir.config() == config
    assert workdir.classes() == classes
    assert workdir.history() == []
    names = {path.name for path in (tmp_path / "new" / "run").iterdir()}
    assert names == {"config.json", "classes.txt"}


def test_a_run_without_checkpoint_cannot_be_loaded(copied):
    shutil.rmtree(copied / "checkpoints" / "best")
    with pytest.raises(ValueError, match="has no checkpoint"):
        Workdir(str(copied)).load_best()


def test_a_damaged_config_is_named(copied):
    (copied / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"run/config\.json is damaged"):
        Workdir(str(copied)).load_best()


def test_a_damaged_history_is_named(copied):
    (copied / "history.json").write_text("[")
    with pytest.raises(ValueError, match=r"run/history\.json is damaged"):
        Workdir(str(copied)).history()


def test_load_best_gives_the_saved_weights(trained_mlp):
    workdir = Workdir(str(trained_mlp))
    model = workdir.load_best()
    checkpoint = checkpoints.numbered(workdir.best)[0]
    saved = [
        tf.train.load_variable(checkpoint, name)
        for name, shape in tf.train.list_variables(checkpoint)
        if shape and "OBJECT_GRAPH" not in name
    ]
    assert len(saved) == len(model.weights) == 6
    for weight in model.weights:
        assert any(np.array_equal(weight, value) for value in saved), weight.path


def test_a_checkpoint_of_other_weights_is_not_taken_for_ours(copied):
    config = TrainConfig(model="cnn")
    (copied / "config.json").write_text(config.to_json())
    with pytest.raises(
        ValueError, match="best: no checkpoint there can be read as one"
    ):
        Workdir(str(copied)).load_best()


def test_a_checkpoint_that_lacks_a_weight_is_refused(trained_rnn, monkeypatch):
    deeper = (*rnn.CONV_BLOCKS, rnn.CONV_BLOCKS[-1])
    monkeypatch.setattr(rnn, "CONV_BLOCKS", deeper)
    with pytest.raises(ValueError, match="no checkpoint there can be read"):
        Workdir(str(trained_rnn)).load_best()


def test_what_tensorflow_says_of_files_becomes_an_os_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file is not a directory"), file_errors():
        Workdir(str(tmp_path / "file" / "run")).start(TrainConfig(), ("a",))
