"""Names and types of the features, and names of shards."""

import numpy as np
import pytest
import tensorflow as tf

from tfrecords import encode, schema


def test_the_tutorials_reader_reads_our_records():
    ink = np.float32([[0.25, 0.5, 0], [0.125, -0.5, 1]])
    record = encode.encode_example(ink=ink, class_index=4, key_id="key")
    features = tf.io.parse_single_example(
        record,
        {
            "ink": tf.io.VarLenFeature(dtype=tf.float32),
            "shape": tf.io.FixedLenFeature([2], dtype=tf.int64),
            "class_index": tf.io.FixedLenFeature([1], dtype=tf.int64),
        },
    )
    flat = tf.sparse.to_dense(features["ink"])
    np.testing.assert_array_equal(tf.reshape(flat, features["shape"]), ink)
    assert features["class_index"].numpy().tolist() == [4]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("train", 0, 10), "train-00000-of-00010.tfrecord"),
        (("test", 9, 10, "gzip"), "test-00009-of-00010.tfrecord.gz"),
        (("my.split+1", 3, 123456), "my.split+1-00003-of-123456.tfrecord"),
    ],
)
def test_shard_names(arguments, name):
    assert schema.shard_name(*arguments) == name
    assert schema.is_shard_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "train.tfrecord",
        "train-0-of-1.tfrecord",
        "train-00000-of-00010.tfrecord.zip",
        "train-00000-of-00010.tfrecord\n",
        "a/train-00000-of-00010.tfrecord",
        "notes.txt",
        "",
    ],
)
def test_other_names_are_not_shards(name):
    assert not schema.is_shard_name(name)
