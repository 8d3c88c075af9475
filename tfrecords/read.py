"""Data set → records, without TensorFlow: the inverse of `tfrecords.encode`.

For tools that read a data set once, such as `pipeline.convert`, and for the server;
training parses batches with `tfrecords.decode`. With TensorFlow's message classes
protobuf parses two to three times faster (36,000 against 83,000 drawings a second on
one core, `python -m benchmarks.records`), but importing TensorFlow takes 2.4 s and
450 MiB, and the server needs neither it nor protobuf.
"""

import dataclasses
import gzip
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

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

_Feature = tuple[int, bytes]  # field number of the list, and its bytes


@dataclasses.dataclass(frozen=True, eq=False)
class Record:
    """One drawing of a data set (see `tfrecords.schema`).

    Attributes:
      class_index: index of the word in the list of classes.
      key_id: as published, or a hash of the content.
      countrycode: as published; empty if unknown.
      timestamp: as published; empty if unknown.
      recognized: 1, 0, or -1 if unknown.
      ink: `<float32>[T, 3]`, rows (dx, dy, pen); None if the drawing is a bitmap.
      bitmap: `<uint8>[28, 28]`, white on black; None if the drawing is ink.
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
      ValueError: there is no such split, or a shard is damaged; the message names the
        shard and the record.
    """
    for shard in info.split(split).shards:
        yield from _read_shard(info, data_dir, shard)


def _read_shard(info: DatasetInfo, data_dir: str, shard: Shard) -> Iterator[Record]:
    number = 0
    try:
        with storage.open_read(storage.join(data_dir, shard.name)) as file:
            is_gzip = info.compression == "gzip"
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if is_gzip else file
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
    """Parses a serialized `tf.train.Example`.

    Features may be in any order; unknown ones are ignored.

    Raises:
      ValueError: not such a message, or not a drawing of `tfrecords.schema`.
    """
    features = _parse_features(data)
    ink = bitmap = None
    if (schema.INK in features) == (schema.BITMAP in features):
        raise ValueError(f"needs either {schema.INK} or {schema.BITMAP}")
    if schema.INK in features:
        ink = _get_ink(features)
    else:
        bitmap = _get_bitmap(_get_bytes(features, schema.BITMAP))
    class_index = _get_int(features, schema.CLASS_INDEX, -1)
    recognized = _get_int(features, schema.RECOGNIZED, -1)
    if class_index < 0:
        raise ValueError(f"{schema.CLASS_INDEX} is missing or negative")
    if recognized not in schema.RECOGNIZED_VALUES.values():
        raise ValueError(f"{schema.RECOGNIZED} must be 1, 0 or -1, is {recognized}")
    return Record(
        class_index=class_index,
        key_id=_get_text(features, schema.KEY_ID),
        countrycode=_get_text(features, schema.COUNTRYCODE),
        timestamp=_get_text(features, schema.TIMESTAMP),
        recognized=recognized,
        ink=ink,
        bitmap=bitmap,
    )


# --- Features -------------------------------------------------------------------------


def _get_ink(features: dict[str, _Feature]) -> np.ndarray:
    packed = _get_list(features, schema.INK, _FLOAT_LIST)
    numbers = b"".join(value for _, value in _read_fields(packed, single=_FIXED32))
    width = 4 * schema.INK_WIDTH
    if not numbers or len(numbers) % width:
        raise ValueError(f"{schema.INK} has {len(numbers)} bytes, not T × {width}")
    ink = np.frombuffer(numbers, "<f4").reshape(-1, schema.INK_WIDTH)
    if schema.SHAPE in features:
        shape = _get_ints(features, schema.SHAPE)
        if shape != list(ink.shape):
            raise ValueError(f"{schema.SHAPE} is {shape}, {schema.INK} is {ink.shape}")
    return ink


def _get_bitmap(pixels: bytes) -> np.ndarray:
    side = schema.BITMAP_SIDE
    if len(pixels) != side * side:
        raise ValueError(
            f"{schema.BITMAP} has {len(pixels)} pixels, not {side} × {side}"
        )
    return np.frombuffer(pixels, np.uint8).reshape(side, side)


def _get_text(features: dict[str, _Feature], name: str) -> str:
    try:
        return _get_bytes(features, name).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8") from None


def _get_bytes(features: dict[str, _Feature], name: str) -> bytes:
    values = [
        value for _, value in _read_fields(_get_list(features, name, _BYTES_LIST))
    ]
    if len(values) > 1:
        raise ValueError(f"{name} has {len(values)} values, not one")
    return values[0] if values else b""


def _get_int(features: dict[str, _Feature], name: str, default: int) -> int:
    values = _get_ints(features, name) or [default]
    if len(values) > 1:
        raise ValueError(f"{name} has {len(values)} values, not one")
    return values[0]


def _get_ints(features: dict[str, _Feature], name: str) -> list[int]:
    values = []
    numbers = _get_list(features, name, _INT64_LIST)
    for _, packed in _read_fields(numbers, single=_VARINT):
        offset = 0
        while offset < len(packed):
            value, offset = _read_varint(packed, offset)
            values.append(value - (value >> 63 << 64))  # two's complement
    return values


def _get_list(features: dict[str, _Feature], name: str, kind: int) -> bytes:
    actual_kind, content = features.get(name, _MISSING)
    if actual_kind not in (0, kind):
        raise ValueError(f"{name} has values of another type")
    return content


def _parse_features(data: bytes) -> dict[str, _Feature]:
    """Returns the features of an Example by name."""
    by_name = {}
    for _, features in _read_fields(data):
        for _, entry in _read_fields(features):
            key, feature = b"", b""
            for number, value in _read_fields(entry, last=2):
                if number == 1:
                    key = value
                else:
                    feature = value
            name = key.decode(errors="replace")
            by_name[name] = _MISSING
            for kind, content in _read_fields(feature, last=3):
                by_name[name] = kind, content
    return by_name


# --- Wire format ----------------------------------------------------------------------


def _read_fields(
    data: bytes, last: int = 1, single: int = _LENGTH
) -> Iterator[tuple[int, bytes]]:
    """Yields number and content of a message's fields from 1 to `last`.

    They hold bytes in every message of an Example. Numbers are usually packed into
    bytes, but may be written one by one, with `single` as their wire type. Fields of
    other numbers and types are unknown and ignored.
    """
    offset = 0
    while offset < len(data):
        tag, offset = _read_varint(data, offset)
        number, wire_type = tag >> 3, tag & 7
        start = offset
        if wire_type == _LENGTH:
            length, start = _read_varint(data, offset)
            offset = start + length
        elif wire_type == _VARINT:
            _, offset = _read_varint(data, offset)
        elif wire_type in _FIXED_SIZES:
            offset += _FIXED_SIZES[wire_type]
        else:
            raise ValueError(f"not a serialized Example: wire type {wire_type}")
        if offset > len(data):
            raise ValueError("not a serialized Example: it ends too early")
        if 0 < number <= last and wire_type in (_LENGTH, single):
            yield number, data[start:offset]


def _read_varint(data: bytes, offset: int) -> tuple[int, int]:
    """Reads the number at an offset; returns it and the offset after it."""
    number = shift = 0
    while offset < len(data) and shift < 70:
        byte = data[offset]
        offset += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & (1 << 64) - 1, offset
        shift += 7
    raise ValueError("not a serialized Example: a number does not end")
