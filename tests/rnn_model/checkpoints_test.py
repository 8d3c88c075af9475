"""Checkpoints: the newest readable one is restored, and old ones are deleted."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_model import checkpoints
from rnn_model.checkpoints import CheckpointManager


def make_checkpoint(value):
    """Returns a checkpoint of a variable that is large enough to be truncated."""
    return tf.train.Checkpoint(weight=tf.Variable(np.full(1000, value, np.float32)))


def save(folder, *numbers, max_to_keep=5):
    """Saves checkpoints whose weights are their numbers, by one manager for each."""
    for number in numbers:
        manager = CheckpointManager(make_checkpoint(number), str(folder), max_to_keep)
        manager.save(number)


def restore(folder):
    """Restores the newest checkpoint; returns its path and the weight."""
    checkpoint = make_checkpoint(-1)
    path = checkpoints.restore_newest(checkpoint, str(folder))
    return path, float(checkpoint.weight[0])


def data_file(folder, number):
    return folder / f"ckpt-{number}.data-00000-of-00001"


def test_the_newest_is_restored(tmp_path):
    save(tmp_path, 9, 10)
    assert restore(tmp_path) == (str(tmp_path / "ckpt-10"), 10)


def test_without_checkpoints_nothing_is_restored(tmp_path):
    assert restore(tmp_path / "missing") == (None, -1)
    assert restore(tmp_path) == (None, -1)


def test_the_list_of_tensorflow_is_not_needed(tmp_path):
    save(tmp_path, 1, 2)
    (tmp_path / "checkpoint").unlink()
    assert restore(tmp_path) == (str(tmp_path / "ckpt-2"), 2)


def test_only_the_newest_are_kept(tmp_path):
    save(tmp_path, 1, 2, 3, 10, max_to_keep=2)
    names = {path.name.partition(".")[0] for path in tmp_path.iterdir()}
    assert names == {"checkpoint", "ckpt-3", "ckpt-10"}


def test_files_of_a_killed_write_are_deleted_by_the_next(tmp_path):
    save(tmp_path, 1)
    (tmp_path / "ckpt-2_temp").mkdir()
    (tmp_path / "ckpt-2_temp" / "part-00000-of-00001.data.tempstate1").write_text("x")
    assert restore(tmp_path) == (str(tmp_path / "ckpt-1"), 1)
    save(tmp_path, 3)
    assert not list(tmp_path.glob("*_temp"))


def truncate(path, size):
    path.write_bytes(path.read_bytes()[:size])


def flip_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: truncate(data_file(folder, 2), 0),
        lambda folder: truncate(data_file(folder, 2), 2000),
        lambda folder: truncate(folder / "ckpt-2.index", 0),
        lambda folder: truncate(folder / "ckpt-2.index", 100),
        lambda folder: flip_byte(data_file(folder, 2)),
        lambda folder: data_file(folder, 2).unlink(),
    ],
    ids=[
        "empty data",
        "truncated data",
        "empty index",
        "truncated index",
        "flipped byte",
        "no data",
    ],
)
def test_a_damaged_checkpoint_is_skipped_with_a_warning(tmp_path, capsys, damage):
    save(tmp_path, 1, 2)
    damage(tmp_path)
    assert restore(tmp_path) == (str(tmp_path / "ckpt-1"), 1)
    warning = capsys.readouterr().err
    assert warning.startswith(f"warning: skipping damaged checkpoint {tmp_path}/ckpt-2")
    assert warning.count("\n") == 1


def test_without_a_readable_checkpoint_there_is_one_error(tmp_path, capsys):
    save(tmp_path, 1, 2)
    for number in (1, 2):
        truncate(data_file(tmp_path, number), 2000)
    with pytest.raises(ValueError, match=f"{tmp_path}: no checkpoint can be") as caught:
        restore(tmp_path)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().err == ""


def test_a_checkpoint_without_a_variable_of_the_network_is_an_error(tmp_path, capsys):
    save(tmp_path, 1, 2)
    larger = make_checkpoint(0)
    larger.bias = tf.Variable(np.zeros(1000, np.float32))
    with pytest.raises(ValueError, match="ckpt-2 is of another network") as caught:
        checkpoints.restore_newest(larger, str(tmp_path))
    assert "must be trained again" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().err == ""


def test_a_checkpoint_of_another_network_is_an_error(tmp_path, capsys):
    save(tmp_path, 1, 2)
    other_shape = tf.train.Checkpoint(weight=tf.Variable(np.zeros(999, np.float32)))
    with pytest.raises(ValueError, match="ckpt-2 is of another network") as caught:
        checkpoints.restore_newest(other_shape, str(tmp_path))
    assert "(1000" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().err == ""
