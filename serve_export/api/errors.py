"""What goes wrong, told in one form: `{"error": {"code", "message"}}`.

TensorFlow Serving's paths have its own: `{"error": message}`.
"""

import http

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

TF_SERVING = "/v1/models/"
"""Where TensorFlow Serving's paths begin."""


class Problem(BaseModel):
    """What was wrong."""

    code: str
    message: str


class ErrorAnswer(BaseModel):
    """An answer that is none."""

    error: Problem


class ApiError(Exception):
    """An answer other than the one that was asked for."""

    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.status, self.code = status, code


def answer(
    path: str, status: int, code: str, message: str, headers: dict | None = None
) -> JSONResponse:
    """Makes the answer, in the form of the path that was asked."""
    error = {"code": code, "message": message}
    content = {"error": message if path.startswith(TF_SERVING) else error}
    return JSONResponse(content, status, headers)


def responses(*statuses: int) -> dict[int | str, dict]:
    """For the OpenAPI document: these, and what any request may get."""
    return {
        status: {"model": ErrorAnswer, "description": http.HTTPStatus(status).phrase}
        for status in (400, 408, 413, 415, 422, 429, *statuses)
    }


def handle(app: FastAPI) -> None:
    """Makes an application tell its errors so."""

    @app.exception_handler(ApiError)
    async def known(request: Request, error: ApiError) -> JSONResponse:
        headers = {"retry-after": "1"} if error.status == 429 else None
        path = request.url.path
        return answer(path, error.status, error.code, str(error), headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        status = 400 if request.url.path.startswith(TF_SERVING) else 422
        message = f"{place}: {first['msg']}"
        return answer(request.url.path, status, "invalid_request", message)

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> JSONResponse:
        code = http.HTTPStatus(error.status_code).name.lower()
        path, headers = request.url.path, dict(error.headers or {})
        return answer(path, error.status_code, code, str(error.detail), headers)

    @app.exception_handler(Exception)
    async def ours(request: Request, error: Exception) -> JSONResponse:
        # The traceback goes to the log; the sender need not know our paths.
        return answer(request.url.path, 500, "internal", "a fault of the server")
