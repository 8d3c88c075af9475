"""Parses the requests of TensorFlow Serving's REST API."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np

from serve_export.api import schemas
from serve_export.api.errors import ApiError
from serve_export.api.tf_serving import (
    BITMAP,
    EXAMPLES,
    INK,
    MAX_INSTANCES,
    ClassifyBody,
    PredictBody,
)
from tfrecords import read, schema

MAX_INK_VALUE = 1_000.0
"""Largest number in ink; in a drawing all are within ±1."""

T = TypeVar("T")


class InkInstance(msgspec.Struct, forbid_unknown_fields=True):
    """A row of `serving_default`; JSON clients write 3, 3.0 and [3] for a length."""

    ink: list[list[float]]
    length: float | list[float]


class InkColumns(msgspec.Struct, forbid_unknown_fields=True):
    """The columns of `serving_default`."""

    ink: list[list[list[float]]]
    length: list[float | list[float]]


class Base64(msgspec.Struct):
    """Bytes in JSON."""

    b64: str


class PredictInputs(NamedTuple):
    """A parsed `:predict` request.

    Attributes:
      instances: ink `<float32>[time, 3]` or bitmaps `<uint8>[28, 28]`.
      kind: which, of `schema.KINDS`.
      response_key: `predictions` or `outputs`.
    """

    instances: list[np.ndarray]
    kind: str
    response_key: str


def parse_predict(body: bytearray, accepts_bitmaps: bool) -> PredictInputs:
    """Parses the body of `:predict`.

    Raises:
      ApiError: with status 400, as TensorFlow Serving answers.
    """
    request = _decode(body, PredictBody)
    is_row = isinstance(request.instances, msgspec.Raw)
    if is_row == isinstance(request.inputs, msgspec.Raw):
        raise _bad_request("send one of instances and inputs")
    raw = request.instances if is_row else request.inputs
    assert isinstance(raw, msgspec.Raw)
    parsers: dict[str, tuple[str, Callable]] = {
        "serving_default": (schema.INK, _parse_ink_rows if is_row else _parse_ink_cols),
        "serve_ink": (schema.INK, _parse_ink_without_length),
        "serve_examples": (schema.INK, _parse_examples),
    }
    if accepts_bitmaps:
        parsers["serve_bitmaps"] = (schema.BITMAP, _parse_bitmaps)
    name = request.signature_name or "serving_default"  # as TensorFlow Serving does
    if name not in parsers:
        raise _bad_request(
            f"unknown signature for predict; known: {', '.join(parsers)}. "
            f"Received: {request.signature_name[:50]}"
        )
    kind, parse = parsers[name]
    instances = parse(raw)
    _check_count(instances)
    return PredictInputs(instances, kind, "predictions" if is_row else "outputs")


def parse_classify(body: bytearray) -> list[np.ndarray]:
    """Parses the body of `:classify`.

    Returns:
      Ink `<float32>[time, 3]` of each example.

    Raises:
      ApiError: with status 400.
    """
    request = _decode(body, ClassifyBody)
    if request.signature_name != "classify":
        raise _bad_request(
            'signature_name must be "classify": no other signature has the method '
            "tensorflow/serving/classify. "
            f"Received: {request.signature_name[:50]}"
        )
    _check_count(request.examples)
    inks = []
    for example in request.examples:
        features = request.context | example
        if schema.INK not in features:
            raise _bad_request(f"an example needs the feature {schema.INK}")
        values = np.array(_decode(features[schema.INK], list[float]), np.float32)
        if not len(values) or len(values) % schema.INK_WIDTH:
            raise _bad_request(
                f"{schema.INK} must be a flat list of rows of {schema.INK_WIDTH}. "
                f"Received: {len(values)} numbers"
            )
        inks.append(_check_values(values.reshape(-1, schema.INK_WIDTH)))
    return inks


def _parse_ink_rows(raw: msgspec.Raw) -> list[np.ndarray]:
    rows = _decode(raw, list[InkInstance])
    return [_parse_ink(row.ink, row.length) for row in rows]


def _parse_ink_cols(raw: msgspec.Raw) -> list[np.ndarray]:
    columns = _decode(raw, InkColumns)
    if len(columns.ink) != len(columns.length):
        raise _bad_request("ink and length must have the same number of items")
    return [_parse_ink(*item) for item in zip(columns.ink, columns.length)]


def _parse_ink(ink: list[list[float]], length: float | list[float]) -> np.ndarray:
    (number,) = length if isinstance(length, list) and len(length) == 1 else (length,)
    if isinstance(number, list) or not 1 <= number <= len(ink) or number % 1:
        raise _bad_request(
            f"length must be an integer from 1 to the number of rows of ink, {len(ink)}"
        )
    rows = ink[: int(number)]
    if any(len(row) != schema.INK_WIDTH for row in rows):
        raise _bad_request(f"ink must have the shape [time, {schema.INK_WIDTH}]")
    return _check_values(np.array(rows, np.float32))


def _parse_examples(raw: msgspec.Raw) -> list[np.ndarray]:
    """Parses serialized `tf.train.Example`s, with or without the input's name."""
    if raw_column := _find_column(raw, EXAMPLES):
        items = _decode(raw_column, list[Base64])
    else:
        rows = _decode(raw, list[dict[str, msgspec.Raw]])
        items = [
            _decode(row[EXAMPLES], Base64)
            if EXAMPLES in row
            else _decode(msgspec.json.encode(row), Base64)
            for row in rows
        ]
    return [_parse_example(item.b64) for item in items]


def _parse_example(b64: str) -> np.ndarray:
    try:
        record = read.parse_record(base64.b64decode(b64, validate=True))
    except binascii.Error as error:
        raise _bad_request(f"not base64: {error}")
    except ValueError as error:
        raise _bad_request(f"not a record of a drawing: {error}")
    if record.ink is None:
        raise _bad_request("the record has no ink")
    return _check_values(record.ink)


def _parse_bitmaps(raw: msgspec.Raw) -> list[np.ndarray]:
    side = schema.BITMAP_SIDE
    arrays = []
    for bitmap in _parse_single_input(raw, BITMAP, list[list[list[float]]]):
        try:
            pixels = np.array(bitmap, np.float32)
        except ValueError:  # rows of unequal length
            pixels = np.empty(0, np.float32)
        if pixels.shape != (side, side, 1) or pixels.min() < 0 or pixels.max() > 1:
            raise _bad_request(f"bitmap must be [{side}, {side}, 1], within 0..1")
        arrays.append(np.rint(pixels[..., 0] * 255).astype(np.uint8))
    return arrays


def _parse_ink_without_length(raw: msgspec.Raw) -> list[np.ndarray]:
    """Parses the instances of `serve_ink`: the last row with pen > 0 is the last."""
    inks = []
    for ink in _parse_single_input(raw, INK, list[list[float]]):
        ends = [i for i, row in enumerate(ink, 1) if len(row) == 3 and row[2] > 0]
        inks.append(_parse_ink(ink, ends[-1] if ends else 1))
    return inks


def _parse_single_input(raw: msgspec.Raw, name: str, item_type: Any) -> list[Any]:
    """Parses the instances of a signature with one input, with or without its name."""
    if raw_column := _find_column(raw, name):
        return _decode(raw_column, list[item_type])
    if not bytes(raw).lstrip()[1:].lstrip().startswith(b"{"):
        return _decode(raw, list[item_type])
    rows = _decode(raw, list[dict[str, item_type]])
    if any(set(row) != {name} for row in rows):
        raise _bad_request(f"an instance must have the input {name}")
    return [row[name] for row in rows]


def _find_column(raw: msgspec.Raw, name: str) -> msgspec.Raw | None:
    """Returns the value of `{name: value}`, the column format with a name."""
    if not bytes(raw).lstrip().startswith(b"{"):
        return None
    columns = _decode(raw, dict[str, msgspec.Raw])
    if set(columns) != {name}:
        raise _bad_request(f"inputs must be {name}")
    return columns[name]


def _decode(body: bytearray | bytes | msgspec.Raw, target: type[T]) -> T:
    if not isinstance(body, msgspec.Raw):
        schemas.check_size(body, 400)
    try:
        return msgspec.json.decode(body, type=target)
    except msgspec.ValidationError as error:
        raise _bad_request(str(error)[:200])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(400, "invalid_json", f"the body is not JSON: {error}")


def _check_count(instances: Sequence[Any]) -> None:
    if not 0 < len(instances) <= MAX_INSTANCES:
        raise _bad_request(
            f"1 to {MAX_INSTANCES} instances are accepted. Received: {len(instances)}"
        )


def _check_values(ink: np.ndarray) -> np.ndarray:
    if not (np.abs(ink) <= MAX_INK_VALUE).all():  # false for NaN too
        raise _bad_request(f"ink must be within ±{MAX_INK_VALUE:g}")
    return ink


def _bad_request(message: str) -> ApiError:
    return ApiError(400, "invalid_request", message)
