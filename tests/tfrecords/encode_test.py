"""Records equal, byte for byte, those of protobuf and TensorFlow."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline import strokes
from tfrecords import encode, read

GOLDEN = Path(__file__).parent / "golden" / "two_drawings.tfrecord"
GOLDEN_DRAWINGS = (
    {
        "drawing": [[[0, 255, 255, 0, 0], [0, 0, 200, 200, 0]], [[128], [100]]],
        "class_index": 3,
        "key_id": "5891796615823360",
        "countrycode": "AE",
        "timestamp": "2017-03-01 20:41:36.70725 UTC",
        "recognized": 1,
    },
    {"drawing": [[[7, 7], [0, 255]]], "class_index": 300, "key_id": "zoë"},
)

inks = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 200), st.just(3)),
    elements=st.floats(width=32, allow_nan=False),
)


def bytes_feature(text):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))


def int_feature(*numbers):
    return tf.train.Feature(int64_list=tf.train.Int64List(value=numbers))


def golden_record(drawing, **fields):
    ink = strokes.to_ink(strokes.to_points(drawing))
    return encode.encode_example(ink=ink, **fields)


@given(
    ink=inks,
    class_index=st.integers(0, 2**63 - 1),
    texts=st.tuples(st.text(), st.text(), st.text()),
    recognized=st.sampled_from([1, 0, -1]),
)
def test_equals_protobuf(ink, class_index, texts, recognized):
    key_id, countrycode, timestamp = texts
    message = tf.train.Example()
    features = {
        "ink": tf.train.Feature(float_list=tf.train.FloatList(value=ink.ravel())),
        "shape": int_feature(len(ink), 3),
        "class_index": int_feature(class_index),
        "key_id": bytes_feature(key_id),
        "countrycode": bytes_feature(countrycode),
        "timestamp": bytes_feature(timestamp),
        "recognized": int_feature(recognized),
    }
    for name, feature in features.items():
        message.features.feature[name].CopyFrom(feature)
    assert encode.encode_example(
        ink=ink,
        class_index=class_index,
        key_id=key_id,
        countrycode=countrycode,
        timestamp=timestamp,
        recognized=recognized,
    ) == message.SerializeToString(deterministic=True)


@given(
    bitmap=hnp.arrays(np.uint8, (28, 28)),
    class_index=st.integers(0, 2**63 - 1),
    texts=st.tuples(st.text(), st.text(), st.text()),
)
def test_a_bitmap_equals_protobuf(bitmap, class_index, texts):
    key_id, countrycode, timestamp = texts
    pixels = tf.train.BytesList(value=[bitmap.tobytes()])
    message = tf.train.Example()
    features = {
        "bitmap": tf.train.Feature(bytes_list=pixels),
        "class_index": int_feature(class_index),
        "key_id": bytes_feature(key_id),
        "countrycode": bytes_feature(countrycode),
        "timestamp": bytes_feature(timestamp),
        "recognized": int_feature(-1),
    }
    for name, feature in features.items():
        message.features.feature[name].CopyFrom(feature)
    assert encode.encode_example(
        bitmap=bitmap,
        class_index=class_index,
        key_id=key_id,
        countrycode=countrycode,
        timestamp=timestamp,
    ) == message.SerializeToString(deterministic=True)


def test_a_record_holds_either_ink_or_a_bitmap():
    both = {"ink": np.ones((1, 3)), "bitmap": np.zeros((28, 28), np.uint8)}
    for drawing in ({}, both):
        with pytest.raises(ValueError, match="either ink or a bitmap"):
            encode.encode_example(**drawing, class_index=0, key_id="")


@pytest.mark.parametrize("bitmap", [np.zeros((28, 28)), np.zeros((784,), np.uint8)])
def test_other_bitmaps_are_rejected(bitmap):
    with pytest.raises(
        ValueError, match=r"bitmap must be uint8 \[28, 28\]. Received: "
    ):
        encode.encode_example(bitmap=bitmap, class_index=0, key_id="")


def test_5000_points_equal_protobuf():
    ink = np.ones((5000, 3), np.float32)
    data = encode.encode_example(ink=ink, class_index=0, key_id="")
    message = tf.train.Example.FromString(data)
    assert message.SerializeToString(deterministic=True) == data
    assert list(message.features.feature["shape"].int64_list.value) == [5000, 3]


@pytest.mark.parametrize("shape", [(0, 3), (4, 2), (3,), (1, 4, 3)])
def test_ink_of_another_shape_is_rejected(shape):
    with pytest.raises(ValueError, match=r"ink must be \[T, 3\] with T > 0. Received"):
        encode.encode_example(ink=np.zeros(shape), class_index=0, key_id="")


def test_tensorflow_frames_the_same(tmp_path):
    contents = [b"", b"one", bytes(range(256)) * 40]
    path = tmp_path / "a.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for data in contents:
            writer.write(data)
    assert path.read_bytes() == encode.frame_records(contents)


def test_the_golden_file_is_written_unchanged():
    records = [golden_record(**drawing) for drawing in GOLDEN_DRAWINGS]
    assert GOLDEN.read_bytes() == encode.frame_records(records)


def test_the_golden_file_is_read():
    with GOLDEN.open("rb") as file:
        records = list(read.read_records(file))
    assert list(tf.data.TFRecordDataset(str(GOLDEN)).as_numpy_iterator()) == records
    for record, expected in zip(records, GOLDEN_DRAWINGS, strict=True):
        feature = tf.train.Example.FromString(record).features.feature
        ink = np.float32(feature["ink"].float_list.value).reshape(-1, 3)
        assert strokes.to_drawing(strokes.from_ink(ink)) == expected["drawing"]
        assert feature["class_index"].int64_list.value == [expected["class_index"]]
        assert feature["key_id"].bytes_list.value == [expected["key_id"].encode()]
