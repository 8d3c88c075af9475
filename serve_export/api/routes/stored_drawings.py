"""`/v1/drawings`: stores drawings whose authors consented, and deletes them again."""

import asyncio
import errno
import logging
import re
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serve_export.api import schemas
from serve_export.api.errors import ApiError
from serve_export.api.openapi import Operation
from serve_export.api.routes.job_handler import JobHandler
from serve_export.drawings_store import DrawingsStore, StoreFullError

MAX_SECRET_LENGTH = 100

_KEY_ID_PATTERN = r"^[0-9]{19}$"
_EXAMPLE_KEY_ID = "0000000000000000000"
_DISK_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_logger = logging.getLogger("uvicorn.error")


def make_operations(
    jobs: JobHandler, store: DrawingsStore, word: str
) -> list[Operation]:
    """Makes the operations.

    Args:
      jobs: checks a drawing before it is stored.
      store: where drawings are stored.
      word: a word of the model, for the examples.
    """

    async def add(request: Request) -> Response:
        status, content = await jobs.run("check_drawing", request)
        if status != 200:
            return Response(content, status, media_type="application/json")
        checked = msgspec.json.decode(content, type=schemas.CheckedDrawing)
        key_id, secret = await _call_store(
            store.add, checked.word, checked.drawing, checked.recognized
        )
        response = schemas.StoreResponse(key_id, secret, checked.recognized)
        body = msgspec.json.encode(response)
        return Response(body, 201, media_type="application/json")

    async def delete(request: Request) -> Response:
        key_id = request.path_params["key_id"]
        secret = request.headers.get("secret", "")
        if not re.fullmatch(_KEY_ID_PATTERN, key_id):
            raise ApiError(422, "invalid_request", "key_id must be 19 digits")
        if not 0 < len(secret) <= MAX_SECRET_LENGTH:
            raise ApiError(
                422, "invalid_request", "send the drawing's secret in the header secret"
            )
        if not await _call_store(store.remove, key_id, secret):
            raise ApiError(404, "not_found", "there is no such drawing")
        return Response(status_code=204)

    return [
        Operation(
            "POST",
            "/v1/drawings",
            add,
            "Stores the strokes, the word and the time of a drawing, and nothing about "
            "its author.",
            tag="Stored drawings",
            request=schemas.StoreRequest,
            response=schemas.StoreResponse,
            status=201,
            errors=[507],
            example={
                "word": word,
                "drawing": schemas.EXAMPLE_DRAWING,
                "consent": True,
            },
            example_response={
                "key_id": _EXAMPLE_KEY_ID,
                "secret": "5f1d7a",
                "recognized": False,
            },
        ),
        Operation(
            "DELETE",
            "/v1/drawings/{key_id}",
            delete,
            "Deletes a drawing.",
            tag="Stored drawings",
            status=204,
            errors=[403, 404, 422, 503],
            parameters=[
                {
                    "name": "key_id",
                    "in": "path",
                    "required": True,
                    "description": "As it was returned when the drawing was stored.",
                    "schema": {"type": "string", "pattern": _KEY_ID_PATTERN},
                    "example": _EXAMPLE_KEY_ID,
                },
                {
                    "name": "secret",
                    "in": "header",
                    "required": True,
                    "description": "As it was returned when the drawing was stored.",
                    "schema": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": MAX_SECRET_LENGTH,
                    },
                    "example": "5f1d7a",
                },
            ],
        ),
    ]


async def _call_store(function: Callable[..., Any], *args: Any) -> Any:
    """Calls a method of the store in a thread; its errors become responses."""
    try:
        return await asyncio.to_thread(function, *args)
    except PermissionError as error:
        raise ApiError(403, "forbidden", str(error))
    except StoreFullError as error:
        raise ApiError(507, "storage_full", str(error))
    except OSError as error:
        if error.errno in _DISK_FULL_ERRORS:
            raise ApiError(507, "storage_full", "the disk is full")
        _logger.exception("the drawings folder cannot be used")
        raise ApiError(503, "storage_unavailable", "drawings cannot be stored now")
