"""Runs that start from the weights of another run."""

import dataclasses

import numpy as np
import pytest

from pipeline import sample
from rnn_model.training import loop, warm_start
from rnn_model.training.train_state import TrainState
from rnn_model.workdir import Workdir
from tfrecords.dataset_info import load_dataset_info


@pytest.fixture(scope="module")
def other_data(build, tmp_path_factory):
    """A data set with two words of the trained runs and two new words."""
    folder = tmp_path_factory.mktemp("other")
    words = [*sample.CLASSES[2:4], *sample.CLASSES[6:8]]
    sample.write_sample(folder / "drawings", 12, 1, words)
    build([f"{folder}/drawings/*.ndjson"], folder / "data", num_shards=1)
    return folder / "data"


def make_config(source, **settings):
    """Returns the config of a run that starts from the weights of `source`."""
    config = Workdir(str(source)).read_config()
    return dataclasses.replace(config, init_from=str(source), **settings)


def make_initialized_model(data_dir, source):
    """Returns a model with initial weights of `source`, and its classes."""
    info = load_dataset_info(str(data_dir))
    model = TrainState(make_config(source), info).model
    warm_start.load_initial_weights(model, info.classes, Workdir(str(source)))
    return model, info.classes


def test_the_body_is_copied(other_data, trained_rnn):
    model, _ = make_initialized_model(other_data, trained_rnn)
    source_model = Workdir(str(trained_rnn)).load_best()
    num_compared = 0
    for layer, source in zip(model.layers, source_model.layers, strict=True):
        if layer.name != "logits":
            pairs = zip(layer.get_weights(), source.get_weights(), strict=True)
            for weight, source_weight in pairs:
                np.testing.assert_array_equal(weight, source_weight)
                num_compared += 1
    assert num_compared > 10


def test_the_head_is_copied_for_shared_words(other_data, trained_mlp):
    model, classes = make_initialized_model(other_data, trained_mlp)
    source = Workdir(str(trained_mlp))
    source_weights = source.load_best().get_layer("logits").get_weights()
    source_classes = source.read_classes()
    shared = set(source_classes) & set(classes)
    assert 0 < len(shared) < len(classes)
    weights = model.get_layer("logits").get_weights()
    for number, word in enumerate(classes):
        for weight, source_weight in zip(weights, source_weights, strict=True):
            column = weight[..., [number]]
            if word in shared:
                expected = source_weight[..., [source_classes.index(word)]]
                np.testing.assert_array_equal(column, expected)
            else:
                assert not (column == source_weight).any(where=source_weight != 0)


def test_a_frozen_body_is_not_trained(other_data, trained_rnn, tmp_path):
    config = make_config(trained_rnn, freeze_body=True, batch_size=8)
    loop.train_and_evaluate(config, str(other_data), str(tmp_path / "run"))
    source_model = Workdir(str(trained_rnn)).load_best()
    model = Workdir(str(tmp_path / "run")).load_best()
    for layer, source in zip(model.layers, source_model.layers, strict=True):
        pairs = zip(layer.get_weights(), source.get_weights(), strict=True)
        if layer.name == "logits":
            assert all((weight != initial).any() for weight, initial in pairs)
        else:
            assert all((weight == initial).all() for weight, initial in pairs)


def test_a_resumed_run_does_not_load_the_initial_weights_again(
    other_data, trained_mlp, tmp_path, capsys
):
    for epochs in (1, 2):
        config = make_config(trained_mlp, epochs=epochs)
        loop.train_and_evaluate(config, str(other_data), str(tmp_path / "run"))
    output = capsys.readouterr().out
    assert output.count("starting from the weights of") == 1
    assert "resuming after epoch 1" in output


def test_a_run_of_another_model_is_an_error(other_data, trained_mlp, tmp_path):
    config = make_config(trained_mlp, model="cnn")
    with pytest.raises(ValueError, match="is a run of --model=mlp, not of --model=cnn"):
        loop.train_and_evaluate(config, str(other_data), str(tmp_path / "run"))


def test_a_run_of_another_width_is_an_error(data_dir, trained_rnn, tmp_path):
    config = make_config(trained_rnn, width=0.5)
    with pytest.raises(ValueError, match=r"is a run of --width=1; use the same$"):
        loop.train_and_evaluate(config, str(data_dir), str(tmp_path / "run"))


def test_a_folder_without_a_run_is_an_error(data_dir, trained_mlp, tmp_path):
    config = Workdir(str(trained_mlp)).read_config()
    config = dataclasses.replace(config, init_from=str(tmp_path / "none"))
    with pytest.raises(ValueError, match="holds no run"):
        loop.train_and_evaluate(config, str(data_dir), str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
