"""Drawing → record: the bytes of a `tf.train.Example`, framed as a TFRecord.

The Example is written straight in protobuf's wire format, keys in sorted order: the
very bytes that protobuf's deterministic serialisation gives, several times faster
than building the message. No TensorFlow: a Beam worker runs this.

    example  ::= 0x0A len features                    Example.features
    features ::= (0x0A len entry)*                    map<string, Feature>
    entry    ::= 0x0A len key, 0x12 len feature
    feature  ::= 0x0A len bytes_list | 0x12 len float_list | 0x1A len int64_list
    lists    ::= 0x0A len value                       (numbers are packed)

    record   ::= length <u64> crc(length) <u32> data crc(data) <u32>

Sources: https://protobuf.dev/programming-guides/encoding,
`tensorflow/core/example/feature.proto`, `tensorflow/core/lib/io/record_writer.h`.
"""

import functools
import struct

import google_crc32c
import numpy as np

from tfrecords import schema

_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 0x0A, 0x12, 0x1A


def encode_example(
    *,
    ink: np.ndarray | None = None,
    bitmap: np.ndarray | None = None,
    class_index: int,
    key_id: str,
    countrycode: str = "",
    timestamp: str = "",
    recognized: int = -1,
) -> bytes:
    """Serialises one drawing.

    Args:
      ink: `<float32>[T, 3]`, rows (dx, dy, pen).
      bitmap: `<uint8>[28, 28]`, white ink on black; in place of ink.
      class_index: place of the word in the list of classes.
      key_id, countrycode, timestamp: as published; empty where not known.
      recognized: 1, 0, or -1 where not known.

    Returns:
      The serialised `tf.train.Example` (see `tfrecords.schema`).

    Raises:
      ValueError: not one of ink and bitmap, one of another shape, or ink without
        points.
    """
    if (ink is None) == (bitmap is None):
        raise ValueError("a record holds either ink or a bitmap")
    # Sorted by key, as deterministic serialisation has them.
    entries = (
        b"" if bitmap is None else _bitmap_entry(bitmap),
        _entry(schema.CLASS_INDEX, _INT64_LIST, _varint(class_index)),
        _entry(schema.COUNTRYCODE, _BYTES_LIST, countrycode.encode()),
        b"" if ink is None else _ink_entry(ink),
        _entry(schema.KEY_ID, _BYTES_LIST, key_id.encode()),
        _entry(schema.RECOGNIZED, _INT64_LIST, _varint(recognized)),
        b"" if ink is None else _shape_entry(ink),
        _entry(schema.TIMESTAMP, _BYTES_LIST, timestamp.encode()),
    )
    return _field(0x0A, b"".join(entries))


def frame_record(data: bytes) -> bytes:
    """Frames serialised data as one TFRecord."""
    return b"".join((_record_head(len(data)), data, masked_crc(data)))


@functools.lru_cache(maxsize=4096)
def _record_head(size: int) -> bytes:
    length = struct.pack("<Q", size)
    return length + masked_crc(length)


def masked_crc(data: bytes) -> bytes:
    """Gives the checksum of a TFRecord's length or data, as it is written."""
    crc = google_crc32c.value(data)
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return struct.pack("<I", masked)


def _bitmap_entry(bitmap: np.ndarray) -> bytes:
    side = schema.BITMAP_SIDE
    if bitmap.shape != (side, side) or bitmap.dtype != np.uint8:
        raise ValueError(
            f"bitmap must be uint8 [{side}, {side}]. "
            f"Received: {bitmap.dtype} {bitmap.shape}"
        )
    return _entry(schema.BITMAP, _BYTES_LIST, bitmap.tobytes())


def _ink_entry(ink: np.ndarray) -> bytes:
    if ink.ndim != 2 or ink.shape[1] != schema.INK_WIDTH or not len(ink):
        raise ValueError(
            f"ink must be [T, {schema.INK_WIDTH}] with T > 0. Received: {ink.shape}"
        )
    return _entry(schema.INK, _FLOAT_LIST, ink.astype("<f4", copy=False).tobytes())


def _shape_entry(ink: np.ndarray) -> bytes:
    return _entry(schema.SHAPE, _INT64_LIST, _varint(len(ink)) + b"\x03")


def _entry(key: str, kind: int, value: bytes) -> bytes:
    return _head(key, kind, len(value)) + value


@functools.lru_cache(maxsize=4096)
def _head(key: str, kind: int, size: int) -> bytes:
    """What stands in an entry before a value of so many bytes.

    Sizes recur, so making it each time would cost more than all else.
    """
    value = bytes(size)
    entry = _KEYS[key] + _field(0x12, _field(kind, _field(0x0A, value)))
    whole = _field(0x0A, entry)
    return whole[: len(whole) - size]


def _field(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + _varint(len(content)) + content


@functools.lru_cache(maxsize=4096)
def _varint(number: int) -> bytes:
    if 0 <= number < 0x80:
        return bytes((number,))
    number &= (1 << 64) - 1  # negative numbers are written in two's complement
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_KEYS = {
    key: _field(0x0A, key.encode())
    for key in (
        schema.BITMAP,
        schema.CLASS_INDEX,
        schema.COUNTRYCODE,
        schema.INK,
        schema.KEY_ID,
        schema.RECOGNIZED,
        schema.SHAPE,
        schema.TIMESTAMP,
    )
}
