"""Records are read as they were encoded; damage is an error, never a drawing."""

import contextlib
import dataclasses
import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline import strokes
from tfrecords import encode, read
from tfrecords.dataset_info import FILE_NAME, load_dataset_info

MANY = 2**63 - 1
INK = np.float32([[0.5, 0.25, 0], [0.1, -0.2, 1]])
RECORD = encode.encode_example(
    ink=INK,
    class_index=300,
    key_id="zoë",
    countrycode="AE",
    timestamp="2017-03-01",
    recognized=0,
)


def bytes_feature(*values):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def int_feature(*values):
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def float_feature(*values):
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def example(**features):
    """A serialized Example with a drawing of one point and these features."""
    drawing = {"ink": float_feature(0, 0, 1), "class_index": int_feature(0)}
    named = {name: value for name, value in (drawing | features).items() if value}
    message = tf.train.Example(features=tf.train.Features(feature=named))
    return message.SerializeToString()


@given(
    ink=hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 200), st.just(3)),
        elements=st.floats(width=32),
    ),
    class_index=st.integers(0, MANY),
    texts=st.tuples(st.text(), st.text(), st.text()),
    recognized=st.sampled_from([1, 0, -1]),
)
def test_parse_inverts_encode(ink, class_index, texts, recognized):
    key_id, countrycode, timestamp = texts
    fields = {
        "class_index": class_index,
        "key_id": key_id,
        "countrycode": countrycode,
        "timestamp": timestamp,
        "recognized": recognized,
    }
    found = vars(read.parse_record(encode.encode_example(ink=ink, **fields)))
    parsed = found.pop("ink")
    assert parsed.dtype == np.float32
    np.testing.assert_array_equal(parsed, ink)
    assert found == fields | {"bitmap": None}


@given(hnp.arrays(np.uint8, (28, 28)), st.integers(0, MANY))
def test_a_bitmap_round_trips(bitmap, class_index):
    pixels = bytes_feature(bitmap.tobytes())
    record = read.parse_record(
        example(ink=None, bitmap=pixels, class_index=int_feature(class_index))
    )
    assert record.ink is None
    assert record.class_index == class_index
    np.testing.assert_array_equal(record.bitmap, bitmap)


@given(st.permutations(["ink", "class_index", "key_id", "recognized", "more", "none"]))
def test_features_may_be_in_any_order_among_unknown_ones(order):
    features = {
        "ink": float_feature(*INK.ravel()),
        "class_index": int_feature(7),
        "key_id": bytes_feature("é".encode()),
        "recognized": int_feature(1),
        "more": float_feature(1, 2),
        "none": tf.train.Feature(),
    }
    parts = (
        tf.train.Example(
            features=tf.train.Features(feature={name: features[name]})
        ).SerializeToString()
        for name in order
    )
    record = read.parse_record(b"".join(parts))  # protobuf merges such messages
    np.testing.assert_array_equal(record.ink, INK)
    assert (record.class_index, record.key_id, record.recognized) == (7, "é", 1)
    assert (record.countrycode, record.timestamp) == ("", "")


def test_numbers_that_are_not_packed_are_read():
    numbers = b"".join(b"\x0d" + struct.pack("<f", number) for number in INK.ravel())
    ink = field(b"\x0a", b"ink") + field(b"\x12", field(b"\x12", numbers))
    index = field(b"\x0a", b"class_index") + b"\x12\x04\x1a\x02\x08\x05"
    data = field(b"\x0a", field(b"\x0a", ink) + field(b"\x0a", index))
    assert tf.train.Example.FromString(data).features.feature["ink"].float_list.value
    record = read.parse_record(data)
    np.testing.assert_array_equal(record.ink, INK)
    assert record.class_index == 5


def field(tag, content):
    return tag + bytes((len(content),)) + content


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"ink": None}, "needs either ink or bitmap"),
        ({"bitmap": bytes_feature(bytes(784))}, "needs either ink or bitmap"),
        ({"ink": float_feature(1, 2)}, "ink has 8 bytes, not T × 12"),
        ({"ink": float_feature()}, "ink has 0 bytes, not T × 12"),
        ({"ink": int_feature(1, 2, 3)}, "ink has values of another type"),
        ({"shape": int_feature(2, 3)}, r"shape is \[2, 3\], ink is \(1, 3\)"),
        (
            {"ink": None, "bitmap": bytes_feature(bytes(783))},
            "bitmap has 783 pixels, not 28 × 28",
        ),
        ({"class_index": None}, "class_index is missing or negative"),
        ({"class_index": int_feature(-1)}, "class_index is missing or negative"),
        ({"class_index": int_feature(1, 2)}, "class_index has 2 values, not one"),
        ({"recognized": int_feature(2)}, "recognized must be 1, 0 or -1, is 2"),
        ({"key_id": bytes_feature(b"\xff")}, "key_id is not UTF-8"),
        ({"key_id": bytes_feature(b"a", b"b")}, "key_id has 2 values, not one"),
    ],
)
def test_other_examples_are_rejected(features, message):
    with pytest.raises(ValueError, match=message):
        read.parse_record(example(**features))


def test_every_truncated_record_is_an_error():
    for length in range(len(RECORD)):
        with pytest.raises(ValueError, match=r"\w"):
            read.parse_record(RECORD[:length])


@given(st.binary(max_size=60))
def test_any_bytes_give_a_record_or_a_value_error(data):
    with contextlib.suppress(ValueError):
        read.parse_record(data)


@given(st.integers(0, len(RECORD) - 1), st.integers(0, 255))
def test_any_changed_byte_gives_a_record_or_a_value_error(position, byte):
    with contextlib.suppress(ValueError):
        read.parse_record(RECORD[:position] + bytes([byte]) + RECORD[position + 1 :])


# --- Streams of records ---------------------------------------------------------------


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_read_records_inverts_frame_records(contents):
    stream = io.BytesIO(encode.frame_records(contents))
    assert list(read.read_records(stream)) == contents


def test_every_truncated_stream_is_an_error():
    stream = encode.frame_records([b"first", b"second"])
    whole = (0, len(encode.frame_records([b"first"])))
    for length in set(range(len(stream))) - set(whole):
        with pytest.raises(ValueError, match=r"record [12] has a? ?damaged or trunc"):
            list(read.read_records(io.BytesIO(stream[:length])))


def test_every_damaged_byte_is_an_error():
    stream = encode.frame_records([b"first"])
    for position in range(len(stream)):
        damaged = bytearray(stream)
        damaged[position] ^= 0x10
        with pytest.raises(ValueError, match=r"record 1 has a? ?damaged or truncated"):
            list(read.read_records(io.BytesIO(damaged)))


def test_error_names_the_damaged_record():
    stream = encode.frame_records([b"first", b"second"])[:-1]
    records = read.read_records(io.BytesIO(stream))
    assert next(records) == b"first"
    with pytest.raises(ValueError, match="record 2 has damaged or truncated data"):
        next(records)


# --- Data sets ------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["none", "gzip"])
def dataset(request, build, doodles, tmp_path_factory):
    folder = tmp_path_factory.mktemp("read") / "data"
    build([f"{doodles}/*.ndjson"], folder, compression=request.param)
    return folder


def test_a_data_set_is_read_completely(dataset):
    info = load_dataset_info(str(dataset))
    kind = "GZIP" if info.compression == "gzip" else ""
    for name, split in info.splits.items():
        records = list(read.read_split(info, str(dataset), name))
        paths = [str(dataset / shard.name) for shard in split.shards]
        theirs = tf.data.TFRecordDataset(paths, kind).as_numpy_iterator()
        expected = [
            tf.train.Example.FromString(data).features.feature for data in theirs
        ]
        assert len(records) == len(expected) == split.examples
        for record, feature in zip(records, expected):
            ink = np.float32(feature["ink"].float_list.value).reshape(-1, 3)
            np.testing.assert_array_equal(record.ink, ink)
            key_id = feature["key_id"].bytes_list.value[0].decode()
            assert (record.key_id, record.class_index) == (
                key_id,
                feature["class_index"].int64_list.value[0],
            )
        counts = np.bincount([record.class_index for record in records])
        assert tuple(counts) == split.class_counts


def test_ink_equals_the_drawing(data_dir, doodles):
    info = load_dataset_info(str(data_dir))
    lines = "".join(path.read_text() for path in doodles.glob("*.ndjson"))
    for record in read.read_split(info, str(data_dir), "test"):
        drawing = strokes.to_drawing(strokes.from_ink(record.ink))
        assert str(drawing).replace(" ", "") in lines


def broken(dataset, tmp_path, content):
    """Returns an info and a shard name of a folder whose shard has other content."""
    info = load_dataset_info(str(dataset))
    name = info.splits["train"].shards[0].name
    (tmp_path / name).write_bytes(content)
    (tmp_path / FILE_NAME).write_text("")
    return info, name


def first_error(info, tmp_path):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        list(read.read_split(info, str(tmp_path), "train"))
    return str(caught.value)


def test_damage_is_named_by_shard_and_record(data_dir, tmp_path):
    good = encode.encode_example(ink=INK, class_index=0, key_id="")
    whole, strange, torn = (
        encode.frame_records([record]) for record in (good, RECORD, b"x")
    )
    cases = [
        (b"x", "record 1 has a damaged or truncated length"),
        (torn, "record 1 is damaged: not a serialized Example: a number does not end"),
        (whole + strange, "record 2 is damaged: class_index 300 of 4 classes"),
    ]
    for content, message in cases:
        info, name = broken(data_dir, tmp_path, content)
        assert first_error(info, tmp_path) == f"{tmp_path}: shard {name}: {message}"


def test_missing_records_are_an_error(data_dir, tmp_path):
    info, name = broken(data_dir, tmp_path, b"")
    count = info.splits["train"].shards[0].examples
    assert first_error(info, tmp_path) == (
        f"{tmp_path}: shard {name}: 0 records, dataset_info.json says {count}"
    )


def test_damaged_gzip_is_named(data_dir, tmp_path):
    info, name = broken(data_dir, tmp_path, b"no gzip")
    packed = dataclasses.replace(info, compression="gzip")
    assert f"shard {name}: Not a gzipped file" in first_error(packed, tmp_path)
