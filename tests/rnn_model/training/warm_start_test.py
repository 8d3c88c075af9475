"""A run that begins with another's weights: what it takes, and from whom."""

import dataclasses

import numpy as np
import pytest

from pipeline import sample
from rnn_model.training import loop
from rnn_model.workdir import Workdir
from tfrecords.dataset_info import load_dataset_info


@pytest.fixture(scope="module")
def other_data(build, tmp_path_factory):
    """Doodles of two words that the trained runs know, and two that they do not."""
    folder = tmp_path_factory.mktemp("other")
    words = [*sample.CLASSES[2:4], *sample.CLASSES[6:8]]
    sample.write_sample(folder / "drawings", 12, 1, words)
    build([f"{folder}/drawings/*.ndjson"], folder / "data", num_shards=1)
    return folder / "data"


def begin(data_dir, source, workdir, **settings):
    """A run on `data_dir`, not yet trained, that begins with `source`."""
    config = dataclasses.replace(
        Workdir(str(source)).config(), init_from=str(source), **settings
    )
    info = load_dataset_info(str(data_dir))
    run = loop._Run(config, info, Workdir(str(workdir)))
    run.begin()
    return run


def test_the_body_is_taken_whole(other_data, trained_rnn, tmp_path):
    model = begin(other_data, trained_rnn, tmp_path).model
    trained = Workdir(str(trained_rnn)).load_best()
    compared = 0
    for layer, its in zip(model.layers, trained.layers, strict=True):
        if layer.name != "logits":
            for own, other in zip(layer.get_weights(), its.get_weights(), strict=True):
                np.testing.assert_array_equal(own, other)
                compared += 1
    assert compared > 10


def test_the_head_keeps_the_words_that_both_know(other_data, trained_mlp, tmp_path):
    run = begin(other_data, trained_mlp, tmp_path)
    trained = Workdir(str(trained_mlp))
    theirs = trained.load_best().get_layer("logits").get_weights()
    known = trained.classes()
    shared = set(known) & set(run.info.classes)
    assert 0 < len(shared) < len(run.info.classes)
    for number, word in enumerate(run.info.classes):
        for own, other in zip(run.model.get_layer("logits").get_weights(), theirs):
            if word in shared:
                np.testing.assert_array_equal(
                    own[..., number], other[..., known.index(word)]
                )
            else:
                assert not (own[..., [number]] == other).any(where=other != 0)


def test_a_frozen_body_stays_as_it_was(other_data, trained_rnn, tmp_path):
    run = begin(
        other_data, trained_rnn, tmp_path / "run", freeze_body=True, batch_size=8
    )
    assert len(run.model.trainable_variables) == 2
    loop.train(run.config, str(other_data), str(tmp_path / "run"))
    trained = Workdir(str(trained_rnn)).load_best()
    tuned = Workdir(str(tmp_path / "run")).load_best()
    for layer, its in zip(tuned.layers, trained.layers, strict=True):
        pairs = zip(layer.get_weights(), its.get_weights(), strict=True)
        if layer.name == "logits":
            assert all((own != other).any() for own, other in pairs)
        else:
            assert all((own == other).all() for own, other in pairs), layer.name


def test_a_second_start_goes_on_and_does_not_begin_again(
    other_data, trained_mlp, tmp_path, capsys
):
    run = begin(other_data, trained_mlp, tmp_path / "run")
    for epochs in (1, 2):
        config = dataclasses.replace(run.config, epochs=epochs)
        loop.train(config, str(other_data), str(tmp_path / "run"))
    assert "going on after epoch 1" in capsys.readouterr().out


def test_a_run_of_another_model_is_refused(other_data, trained_mlp, tmp_path):
    with pytest.raises(ValueError, match="is a run of --model=mlp, not cnn"):
        begin(other_data, trained_mlp, tmp_path, model="cnn")


def test_a_folder_without_a_run_is_refused(data_dir, trained_mlp, tmp_path):
    config = dataclasses.replace(
        Workdir(str(trained_mlp)).config(), init_from=str(tmp_path / "none")
    )
    with pytest.raises(ValueError, match="holds no run"):
        loop.train(config, str(data_dir), str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
