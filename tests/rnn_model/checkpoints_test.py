"""Checkpoints: the newest whole one is read, the old ones go, damage is passed over."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_model import checkpoints


def make(value):
    """A checkpoint of a variable large enough to be cut in half."""
    return tf.train.Checkpoint(weight=tf.Variable(np.full(1000, value, np.float32)))


def write(folder, *numbers, keep=5):
    """Writes checkpoints whose weights are their number."""
    for number in numbers:
        checkpoints.Keeper(make(number), str(folder), keep).save(number)


def read(folder):
    """Path of what was restored, and the weight."""
    checkpoint = make(-1)
    path = checkpoints.restore_newest(checkpoint, str(folder))
    return path, float(checkpoint.weight[0])


def data_file(folder, number):
    return folder / f"ckpt-{number}.data-00000-of-00001"


def test_the_newest_is_restored(tmp_path):
    write(tmp_path, 9, 10, 2)
    assert read(tmp_path) == (str(tmp_path / "ckpt-10"), 10)


def test_no_checkpoint_is_none(tmp_path):
    assert read(tmp_path / "nowhere") == (None, -1)
    assert read(tmp_path) == (None, -1)


def test_only_the_newest_are_kept(tmp_path):
    write(tmp_path, 1, 2, 3, 10, keep=2)
    assert {path.name.partition(".")[0] for path in tmp_path.iterdir()} == {
        "ckpt-3",
        "ckpt-10",
    }


def test_what_a_kill_left_unfinished_goes_with_the_next(tmp_path):
    write(tmp_path, 1)
    (tmp_path / "ckpt-2_temp").mkdir()
    (tmp_path / "ckpt-2_temp" / "part-00000-of-00001.data.tempstate1").write_text("x")
    assert read(tmp_path) == (str(tmp_path / "ckpt-1"), 1)
    write(tmp_path, 3)
    assert not list(tmp_path.glob("*_temp"))


@pytest.mark.parametrize("bytes_kept", [0, 100, 2000])
@pytest.mark.parametrize("what", ["data", "index"])
def test_one_cut_off_is_passed_over_with_a_warning(tmp_path, capsys, what, bytes_kept):
    write(tmp_path, 1, 2)
    path = data_file(tmp_path, 2) if what == "data" else tmp_path / "ckpt-2.index"
    whole = path.read_bytes()
    path.write_bytes(whole[: min(bytes_kept, len(whole) // 2)])
    assert read(tmp_path) == (str(tmp_path / "ckpt-1"), 1)
    told = capsys.readouterr().err
    assert told.startswith(f"warning: passing over {tmp_path}/ckpt-2: ")
    assert told.count("\n") == 1


def test_one_of_other_shapes_is_told_with_its_folder(tmp_path, capsys):
    write(tmp_path, 1)
    other = tf.train.Checkpoint(weight=tf.Variable(np.zeros(999, np.float32)))
    with pytest.raises(ValueError, match=f"{tmp_path}: no checkpoint there can be"):
        checkpoints.restore_newest(other, str(tmp_path))
    assert "(1000" in capsys.readouterr().err


def test_one_with_flipped_bytes_is_passed_over(tmp_path):
    write(tmp_path, 1, 2)
    damaged = bytearray(data_file(tmp_path, 2).read_bytes())
    damaged[len(damaged) // 2] ^= 0x55
    data_file(tmp_path, 2).write_bytes(damaged)
    assert read(tmp_path) == (str(tmp_path / "ckpt-1"), 1)


def test_one_without_data_is_passed_over(tmp_path):
    write(tmp_path, 1, 2)
    data_file(tmp_path, 2).unlink()
    assert read(tmp_path) == (str(tmp_path / "ckpt-1"), 1)


def test_all_damaged_is_an_error_in_a_line(tmp_path):
    write(tmp_path, 1)
    data_file(tmp_path, 1).write_bytes(b"")
    with pytest.raises(ValueError, match="no checkpoint there can be read") as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)
