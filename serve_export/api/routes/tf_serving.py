"""TensorFlow Serving's REST form, so that a client written for it needs no change.

    POST /v1/models/quickdraw:predict
    {"signature_name": "serving_default", "instances": [{"ink": …, "length": …}, …]}
      → {"predictions": [[…], …]}                    rows, one a drawing
    {"inputs": {"ink": […], "length": […]}}
      → {"outputs": [[…], …]}                        columns

Source: https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from serve_export.api.errors import ApiError
from serve_export.api.service import Service
from tfrecords import read, schema

MODEL = "quickdraw"
MOST_INSTANCES = 256
LARGEST = 1_000.0
"""Of a number in ink, in boxes; in a drawing none is above 1."""

Row = Mapping[str, Any]


class TfPredictRequest(BaseModel):
    """Rows (`instances`) or columns (`inputs`) of what a signature takes."""

    signature_name: str = "serving_default"
    instances: Annotated[
        list[Any] | None,
        Field(examples=[[{"ink": [[0, 0, 0], [1, 1, 1]], "length": 2}]]),
    ] = None
    inputs: dict[str, list[Any]] | list[Any] | None = None


class TfPredictAnswer(BaseModel):
    """Probabilities, as many a drawing as there are words."""

    predictions: list[list[float]] | None = None
    outputs: list[list[float]] | None = None


class TfError(BaseModel):
    """What was wrong."""

    error: str


class TfStatus(BaseModel):
    """Which version is served."""

    model_version_status: list[dict[str, Any]]


def router(service: Service, version: str) -> APIRouter:
    """Makes the routes of a service that serves a version."""
    routes = APIRouter(prefix="/v1/models", tags=["TensorFlow Serving"])
    wrong: dict[int | str, dict] = {
        status: {"model": TfError} for status in (400, 404, 408, 413, 415, 429)
    }

    @routes.get(f"/{MODEL}", responses={429: wrong[429]})
    async def status() -> TfStatus:
        """The model's status."""
        available = {
            "version": version,
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
        return TfStatus(model_version_status=[available])

    @routes.post(f"/{MODEL}:predict", response_model=TfPredictAnswer, responses=wrong)
    async def predict(request: TfPredictRequest) -> JSONResponse:
        """Probabilities of the model's own input."""
        if (request.instances is None) == (request.inputs is None):
            raise ApiError(400, "invalid_request", "give instances or inputs")
        in_rows = request.instances is not None
        try:
            names, parse, kind = _signature(request.signature_name, service)
            if in_rows:
                rows = _rows(request.instances, names)
            else:
                rows = _columns(request.inputs, names)
            if not 0 < len(rows) <= MOST_INSTANCES:
                raise ValueError(
                    f"{len(rows)} instances; 1 to {MOST_INSTANCES} are taken"
                )
            drawings = [parse(row) for row in rows]
        except (ValueError, TypeError) as error:
            raise ApiError(400, "invalid_request", str(error))
        found = await service.answer_batch(drawings, kind)
        return JSONResponse({"predictions" if in_rows else "outputs": found.tolist()})

    return routes


def _signature(
    name: str, service: Service
) -> tuple[tuple[str, ...], Callable[[Row], np.ndarray], str]:
    """Of a signature: its inputs, who makes a drawing of them, and of which kind."""
    known = {
        "serving_default": (("ink", "length"), _ink, schema.INK),
        "serve_examples": (("examples",), _example, schema.INK),
    }
    if service.predictor.takes_bitmaps:
        known["serve_bitmaps"] = (("bitmap",), _bitmap, schema.BITMAP)
    if name not in known:
        raise ValueError(f"no signature of that name; {', '.join(known)} are")
    return known[name]


def _rows(instances: list[Any], names: tuple[str, ...]) -> list[Row]:
    """Names what stands without a name, as it may where there is but one input."""
    if len(names) == 1:
        (name,) = names
        bare = [not (isinstance(row, dict) and name in row) for row in instances]
        return [
            {name: row} if is_bare else row for row, is_bare in zip(instances, bare)
        ]
    for number, row in enumerate(instances):
        if not isinstance(row, dict) or set(row) != set(names):
            raise ValueError(f"instance {number} must have {' and '.join(names)}")
    return instances


def _columns(
    inputs: dict[str, list[Any]] | list[Any], names: tuple[str, ...]
) -> list[Row]:
    if isinstance(inputs, list) and len(names) == 1:
        inputs = {names[0]: inputs}
    if not isinstance(inputs, dict) or set(inputs) != set(names):
        raise ValueError(f"inputs must have {' and '.join(names)}")
    if len({len(column) for column in inputs.values()}) != 1:
        raise ValueError("inputs must be of one length")
    return [dict(zip(inputs, row)) for row in zip(*inputs.values())]


def _ink(row: Row) -> np.ndarray:
    ink, length = np.asarray(row["ink"], np.float32), row["length"]
    if ink.ndim != 2 or ink.shape[1] != schema.INK_WIDTH:
        raise ValueError(f"ink must be [time, {schema.INK_WIDTH}]")
    if type(length) is not int or not 0 < length <= len(ink):
        raise ValueError("length must be from 1 to the rows of its ink")
    return _checked(ink[:length])


def _example(row: Row) -> np.ndarray:
    value = row["examples"]
    if not isinstance(value, dict) or not isinstance(value.get("b64"), str):
        raise ValueError('an example must be {"b64": …}')
    try:
        record = read.parse_record(base64.b64decode(value["b64"], validate=True))
    except binascii.Error as error:
        raise ValueError(f"no base64: {error}")
    if record.ink is None:
        raise ValueError("the example holds no ink")
    return _checked(record.ink)


def _checked(ink: np.ndarray) -> np.ndarray:
    if not (np.abs(ink) <= LARGEST).all():  # nor NaN
        raise ValueError(f"ink must be within ±{LARGEST:g}")
    return ink


def _bitmap(row: Row) -> np.ndarray:
    pixels = np.asarray(row["bitmap"], np.float32)
    side = schema.BITMAP_SIDE
    if pixels.shape != (side, side, 1) or not ((pixels >= 0) & (pixels <= 1)).all():
        raise ValueError(f"bitmap must be [{side}, {side}, 1], from 0 to 1")
    return np.rint(pixels[..., 0] * 255).astype(np.uint8)
