"""Batches of records are decoded to the tensors that were encoded."""

import numpy as np
import tensorflow as tf

from tfrecords import decode, encode

SHORT = np.float32([[0.5, 0.25, 1]])
LONG = np.float32([[0, 0, 0], [0.1, -0.2, 1], [1, 1, 1]])


def serialized():
    return tf.constant(
        [
            encode.encode_example(
                ink=SHORT, class_index=7, key_id="é", recognized=0, countrycode="DE"
            ),
            encode.encode_example(ink=LONG, class_index=0, key_id=""),
        ]
    )


def test_parse_examples_inverts_encode():
    features = decode.parse_examples(serialized())
    assert features["length"].dtype == tf.int32
    assert features["length"].numpy().tolist() == [1, 3]
    assert features["class_index"].numpy().tolist() == [7, 0]
    assert features["recognized"].numpy().tolist() == [0, -1]
    assert features["key_id"].numpy().tolist() == ["é".encode(), b""]
    assert features["countrycode"].numpy().tolist() == [b"DE", b""]
    for row, ink in zip(features["ink"], (SHORT, LONG)):
        np.testing.assert_array_equal(row, ink.ravel())


def test_to_dense_pads_with_zeros():
    dense = decode.to_dense(decode.parse_examples(serialized())["ink"])
    assert dense.dtype == tf.float32
    expected = np.zeros((2, 3, 3), np.float32)
    expected[0, :1] = SHORT
    expected[1] = LONG
    np.testing.assert_array_equal(dense, expected)


def test_missing_features_get_defaults():
    features = decode.parse_examples(
        tf.constant([tf.train.Example().SerializeToString()])
    )
    assert features["length"].numpy().tolist() == [0]
    assert features["class_index"].numpy().tolist() == [-1]
    assert features["recognized"].numpy().tolist() == [-1]
    assert features["key_id"].numpy().tolist() == [b""]
    assert features["countrycode"].numpy().tolist() == [b""]
    assert decode.to_dense(features["ink"]).shape == (1, 0, 3)


def test_decodes_inside_a_graph():
    records = tf.data.Dataset.from_tensor_slices(serialized()).batch(2)
    dense = records.map(
        lambda batch: decode.to_dense(decode.parse_examples(batch)["ink"])
    )
    assert next(iter(dense)).shape == (2, 3, 3)


def test_bitmaps_are_scaled_to_0_to_1():
    bitmaps = np.arange(2 * 784, dtype=np.uint8).reshape(2, 28, 28)
    records = [
        encode.encode_example(bitmap=bitmap, class_index=4, key_id="k")
        for bitmap in bitmaps
    ]
    features = decode.parse_examples(tf.constant(records), "bitmap")
    assert set(features) == (
        {"bitmap", "class_index", "recognized", "key_id", "countrycode"}
    )
    assert features["bitmap"].dtype == tf.float32
    np.testing.assert_array_equal(
        features["bitmap"], bitmaps[..., None] / np.float32(255)
    )
    assert features["class_index"].numpy().tolist() == [4, 4]
