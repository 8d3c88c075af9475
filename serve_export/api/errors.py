"""Error responses: `{"error": {"code": "too_large", "message": "…"}}`.

Paths of TensorFlow Serving's REST API use its form instead: `{"error": "…"}`.
"""

import http
from collections.abc import Mapping

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

TF_SERVING_PREFIX = "/v1/models/"

RETRY_AFTER_SECONDS = 1
"""Value of `Retry-After` in a 503 response."""


class ApiError(Exception):
    """An error that is returned to the client."""

    def __init__(self, status: int, code: str, message: str):
        super().__init__(status, code, message)
        self.status, self.code, self.message = status, code, message

    def __str__(self) -> str:
        return self.message


def encode_error(code: str, message: str, tf_serving: bool = False) -> bytes:
    """Returns the JSON body of an error response."""
    error = message if tf_serving else {"code": code, "message": message}
    return msgspec.json.encode({"error": error})


def make_error_response(
    path: str, error: ApiError, headers: Mapping[str, str] | None = None
) -> Response:
    """Returns the response to a request for `path` that failed with `error`."""
    headers = dict(headers or {})
    if error.status == 503:
        headers.setdefault("retry-after", str(RETRY_AFTER_SECONDS))
    body = encode_error(error.code, error.message, path.startswith(TF_SERVING_PREFIX))
    return Response(body, error.status, headers, "application/json")


def add_error_handlers(app: Starlette) -> None:
    """Turns the exceptions of an application into error responses."""

    async def handle_api_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        return make_error_response(request.url.path, error)

    async def handle_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = http.HTTPStatus(error.status_code).name.lower()
        api_error = ApiError(error.status_code, code, str(error.detail))
        return make_error_response(request.url.path, api_error, error.headers)

    async def handle_disconnect(request: Request, error: Exception) -> Response:
        return Response(status_code=400)  # The client has disconnected.

    async def handle_unexpected(request: Request, error: Exception) -> Response:
        # The traceback is logged; it must not reach the client.
        api_error = ApiError(500, "internal_error", "internal server error")
        return make_error_response(request.url.path, api_error)

    app.add_exception_handler(ApiError, handle_api_error)
    app.add_exception_handler(HTTPException, handle_http_error)
    app.add_exception_handler(ClientDisconnect, handle_disconnect)
    app.add_exception_handler(Exception, handle_unexpected)
