"""TFRecords of this package and of TensorFlow's tutorial."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from pipeline import strokes
from pipeline.formats import input_files, reader
from pipeline.formats.drawing import Drawing

STROKES = [[[0, 255, 100], [0, 10, 200]], [[40, 50], [60, 0]]]


def read(path, **settings):
    sizes = input_files.match_files([str(path)])
    items = reader.read_drawings(sizes, **settings)
    return [item.parsed for item in items]


def tutorial_record(drawing, class_index):
    """Serializes a drawing as the tutorial's create_dataset.py does."""
    points = strokes.to_points(drawing).astype(np.float32)
    lower, upper = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    scale = np.where(upper == lower, 1, upper - lower)
    points[:, :2] = (points[:, :2] - lower) / scale
    ink = points[1:].copy()
    ink[:, :2] -= points[:-1, :2]
    features = {
        "class_index": tf.train.Int64List(value=[class_index]),
        "shape": tf.train.Int64List(value=ink.shape),
    }
    features = {name: tf.train.Feature(int64_list=v) for name, v in features.items()}
    floats = tf.train.FloatList(value=ink.ravel())
    features["ink"] = tf.train.Feature(float_list=floats)
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString()


def write_tutorial(folder, drawings, classes=("dog", "cat")):
    path = folder / "training.tfrecord-00000-of-00010"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for number, drawing in enumerate(drawings):
            writer.write(tutorial_record(drawing, number % len(classes)))
    if classes:
        names = "".join(f"{word}\n" for word in classes)
        (folder / "training.tfrecord.classes").write_text(names)
    return path


def test_the_tutorials_records_keep_their_strokes(tmp_path):
    square = [[[0, 255, 255], [0, 0, 255]], [[3, 9], [200, 8]]]
    path = write_tutorial(tmp_path, [square, square])
    one, two = read(path)
    assert strokes.to_drawing(one.points) == strokes.to_drawing(two.points) == square
    assert (one.word, two.word) == ("dog", "cat")
    assert (one.countrycode, one.recognized) == ("", -1)


def test_the_tutorial_scales_x_and_y_separately(tmp_path):
    (drawing,) = read(write_tutorial(tmp_path, [[[[0, 100], [0, 10]]]]))
    assert strokes.to_drawing(drawing.points) == [[[0, 255], [0, 255]]]


def test_a_folder_of_the_tutorial(tmp_path, capsys):
    write_tutorial(tmp_path, [STROKES] * 4)
    assert len(read(tmp_path)) == 4
    assert "training.tfrecord.classes" in capsys.readouterr().err


def test_records_of_a_data_set_round_trip(build, doodles, data_dir, tmp_path):
    source = {item.key_id: item for item in read(doodles)}
    (tmp_path / "copy").mkdir()
    for path in data_dir.iterdir():
        shutil.copy(path, tmp_path / "copy")
    records = read(tmp_path / "copy" / "*.tfrecord")
    assert len(records) == len(source)
    assert {record.key_id: record for record in records} == source
    build([tmp_path / "copy" / "*.tfrecord"], tmp_path / "again")
    again = {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}
    first = {path.name: path.read_bytes() for path in data_dir.iterdir()}
    assert {n for n in again if again[n] != first[n]} <= {"dataset_info.json"}


def test_records_without_class_names_are_unreadable(tmp_path):
    path = write_tutorial(tmp_path, [STROKES], classes=("dog",))
    (tmp_path / "training.tfrecord.classes").unlink()
    with pytest.raises(ValueError, match=r"without class names: neither dataset_info"):
        read(path)


@pytest.mark.parametrize("position", [3, 20, 60, 100])
def test_damaged_records_give_named_rejects(tmp_path, position):
    path = write_tutorial(tmp_path, [STROKES] * 2)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 + position] ^= 1
    path.write_bytes(data)
    *good, rejected = read(path)
    assert all(isinstance(drawing, Drawing) for drawing in good)
    assert isinstance(rejected, ValueError)


def test_an_unknown_class_is_a_reject(tmp_path):
    path = write_tutorial(tmp_path, [STROKES] * 3, classes=("a", "b", "c"))
    (tmp_path / "training.tfrecord.classes").write_text("a\nb\n")
    *good, rejected = read(path)
    assert [drawing.word for drawing in good] == ["a", "b"]
    assert str(rejected).startswith("damaged record: ")
