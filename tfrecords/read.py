"""Data set → records, without TensorFlow: the inverse of `tfrecords.encode`.

For tools that look at a data set once, such as `pipeline.convert`; training reads
many records at once with `tfrecords.decode`.
"""

import dataclasses
import gzip
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from tfrecords import schema, storage
from tfrecords.dataset_info import FILE_NAME, DatasetInfo, Shard
from tfrecords.encode import masked_crc

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
"""Wire types, https://protobuf.dev/programming-guides/encoding."""

_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}

_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3
"""Field numbers in `Feature`, `tensorflow/core/example/feature.proto`."""

_MISSING: tuple[int, bytes] = (0, b"")

_Feature = tuple[int, bytes]  # which list, and its bytes


@dataclasses.dataclass(frozen=True, eq=False)
class Record:
    """One drawing as it is on disk (see `tfrecords.schema`).

    Attributes:
      class_index: place of the word in the list of classes.
      key_id, countrycode, timestamp: as published; empty where not known.
      recognized: 1, 0, or -1 where not known.
      ink: `<float32>[T, 3]`, rows (dx, dy, pen); None where the drawing is a bitmap.
      bitmap: `<uint8>[28, 28]`, white on black; None where the drawing is ink.
    """

    class_index: int
    key_id: str
    countrycode: str
    timestamp: str
    recognized: int
    ink: np.ndarray | None = None
    bitmap: np.ndarray | None = None


def read_split(info: DatasetInfo, data_dir: str, split: str) -> Iterator[Record]:
    """Yields the records of a split, shard after shard.

    Raises:
      ValueError: no such split, or a damaged shard; shard and record are named.
    """
    for shard in info.split(split).shards:
        yield from _read_shard(info, data_dir, shard)


def _read_shard(info: DatasetInfo, data_dir: str, shard: Shard) -> Iterator[Record]:
    number = 0
    try:
        with storage.open_read(storage.join(data_dir, shard.name)) as file:
            stream = gzip.GzipFile(fileobj=file) if _is_gzip(info) else file
            for data in read_records(stream):
                number += 1
                try:
                    record = parse_record(data)
                    if record.class_index >= len(info.classes):
                        raise ValueError(
                            f"class_index {record.class_index} of "
                            f"{len(info.classes)} classes"
                        )
                except ValueError as error:
                    raise ValueError(f"record {number} is damaged: {error}") from None
                yield record
        if number != shard.examples:
            raise ValueError(f"{number} records, {FILE_NAME} says {shard.examples}")
    except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{data_dir}: shard {shard.name}: {error}") from None


def _is_gzip(info: DatasetInfo) -> bool:
    return info.compression == "gzip"


def read_records(file: BinaryIO) -> Iterator[bytes]:
    """Yields the data of each TFRecord in an uncompressed stream.

    Raises:
      ValueError: the stream ends inside a record, or a checksum is wrong.
    """
    number = 0
    while header := file.read(12):
        number += 1
        size = struct.unpack("<Q", header[:8])[0] if len(header) == 12 else 0
        if masked_crc(header[:8]) != header[8:]:
            raise ValueError(f"record {number} has a damaged or truncated length")
        data = file.read(size)
        if masked_crc(data) != file.read(4):
            raise ValueError(f"record {number} has damaged or truncated data")
        yield data


def parse_record(data: bytes) -> Record:
    """Parses a serialised `tf.train.Example`.

    Features may stand in any order, and unknown ones are passed over.

    Raises:
      ValueError: no such message, or no drawing as `tfrecords.schema` has it.
    """
    features = _features(data)
    ink = bitmap = None
    if (schema.INK in features) == (schema.BITMAP in features):
        raise ValueError(f"needs one of {schema.INK} and {schema.BITMAP}")
    if schema.INK in features:
        ink = _ink(features)
    else:
        bitmap = _bitmap(_bytes(features, schema.BITMAP))
    class_index = _int(features, schema.CLASS_INDEX, -1)
    recognized = _int(features, schema.RECOGNIZED, -1)
    if class_index < 0:
        raise ValueError(f"{schema.CLASS_INDEX} is missing or negative")
    if recognized not in schema.RECOGNIZED_VALUES.values():
        raise ValueError(f"{schema.RECOGNIZED} must be 1, 0 or -1, is {recognized}")
    return Record(
        class_index=class_index,
        key_id=_text(features, schema.KEY_ID),
        countrycode=_text(features, schema.COUNTRYCODE),
        timestamp=_text(features, schema.TIMESTAMP),
        recognized=recognized,
        ink=ink,
        bitmap=bitmap,
    )


# Features: what the values mean.


def _ink(features: dict[str, _Feature]) -> np.ndarray:
    packed = _list(features, schema.INK, _FLOAT_LIST)
    numbers = b"".join(value for _, value in _fields(packed, single=_FIXED32))
    width = 4 * schema.INK_WIDTH
    if not numbers or len(numbers) % width:
        raise ValueError(f"{schema.INK} has {len(numbers)} bytes, not T × {width}")
    ink = np.frombuffer(numbers, "<f4").reshape(-1, schema.INK_WIDTH)
    if schema.SHAPE in features:
        shape = _ints(features, schema.SHAPE)
        if shape != list(ink.shape):
            raise ValueError(f"{schema.SHAPE} is {shape}, {schema.INK} is {ink.shape}")
    return ink


def _bitmap(pixels: bytes) -> np.ndarray:
    side = schema.BITMAP_SIDE
    if len(pixels) != side * side:
        raise ValueError(
            f"{schema.BITMAP} has {len(pixels)} pixels, not {side} × {side}"
        )
    return np.frombuffer(pixels, np.uint8).reshape(side, side)


def _text(features: dict[str, _Feature], name: str) -> str:
    try:
        return _bytes(features, name).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8") from None


def _bytes(features: dict[str, _Feature], name: str) -> bytes:
    values = [value for _, value in _fields(_list(features, name, _BYTES_LIST))]
    if len(values) > 1:
        raise ValueError(f"{name} has {len(values)} values, not one")
    return values[0] if values else b""


def _int(features: dict[str, _Feature], name: str, default: int) -> int:
    values = _ints(features, name) or [default]
    if len(values) > 1:
        raise ValueError(f"{name} has {len(values)} values, not one")
    return values[0]


def _ints(features: dict[str, _Feature], name: str) -> list[int]:
    values = []
    numbers = _list(features, name, _INT64_LIST)
    for _, packed in _fields(numbers, single=_VARINT):
        at = 0
        while at < len(packed):
            value, at = _varint(packed, at)
            values.append(value - (value >> 63 << 64))  # two's complement
    return values


def _list(features: dict[str, _Feature], name: str, kind: int) -> bytes:
    found, content = features.get(name, _MISSING)
    if found not in (0, kind):
        raise ValueError(f"{name} has values of another type")
    return content


def _features(data: bytes) -> dict[str, _Feature]:
    """Finds the features of an Example by name."""
    found = {}
    for _, features in _fields(data):
        for _, entry in _fields(features):
            key, feature = b"", b""
            for number, value in _fields(entry, last=2):
                if number == 1:
                    key = value
                else:
                    feature = value
            name = key.decode(errors="replace")
            found[name] = _MISSING
            for kind, content in _fields(feature, last=3):
                found[name] = kind, content
    return found


# The wire format.


def _fields(
    data: bytes, last: int = 1, single: int = _LENGTH
) -> Iterator[tuple[int, bytes]]:
    """Yields number and content of a message's fields from 1 to `last`.

    They hold bytes in every message of an Example. Numbers are packed into bytes, but
    a writer may as well give them one by one, with `single` as their wire type.
    Fields of other numbers and types are unknown and passed over.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        start = at
        if wire_type == _LENGTH:
            length, start = _varint(data, at)
            at = start + length
        elif wire_type == _VARINT:
            _, at = _varint(data, at)
        elif wire_type in _FIXED_SIZES:
            at += _FIXED_SIZES[wire_type]
        else:
            raise ValueError(f"no serialised Example: wire type {wire_type}")
        if at > len(data):
            raise ValueError("no serialised Example: it ends too early")
        if 0 < number <= last and wire_type in (_LENGTH, single):
            yield number, data[start:at]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Reads the number at a place; gives it and the place after it."""
    number = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & (1 << 64) - 1, at
        shift += 7
    raise ValueError("no serialised Example: a number does not end")
