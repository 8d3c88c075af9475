"""Reads the body of a request within limits of size, time and total memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.requests import Request

from serve_export.api.errors import TF_SERVING_PREFIX, ApiError
from serve_export.api.settings import ServerSettings

BODY_SECONDS = 10.0
"""Time limit for receiving a body."""

LARGE_BODY_BYTES = 64 << 10
MAX_BUFFERED_BYTES = 10 << 20
"""Total size of all bodies in memory at which large ones are refused."""


class BodyReader:
    """Reads request bodies."""

    def __init__(self, settings: ServerSettings):
        self._max_bytes = settings.max_bytes
        self._buffered_bytes = 0

    @contextlib.asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytearray]:
        """Yields the body; it counts as held in memory until the context ends.

        Raises:
          ApiError: the body is too large, too slow or not JSON, or too many large
            bodies are in memory.
        """
        self._check_headers(request)
        body = bytearray()
        try:
            await self._receive(request, body)
            yield body
        finally:
            self._buffered_bytes -= len(body)

    def _check_headers(self, request: Request) -> None:
        headers = request.headers
        if int(headers.get("content-length", 0)) > self._max_bytes:
            raise self._too_large()
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise ApiError(
                415,
                "unsupported_content_encoding",
                "compressed bodies are not supported. "
                f"Received content-encoding: {headers['content-encoding'][:50]}",
            )
        # TensorFlow Serving ignores the content type, and its clients rely on that.
        if request.url.path.startswith(TF_SERVING_PREFIX):
            return
        content_type = headers.get("content-type", "").partition(";")[0].strip()
        if content_type.lower() != "application/json":
            raise ApiError(
                415,
                "unsupported_media_type",
                "content-type must be application/json. "
                f"Received: {content_type[:50] or 'none'}",
            )

    async def _receive(self, request: Request, body: bytearray) -> None:
        """Appends the parts of a body to `body`."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in request.stream():
                    if len(body) + len(chunk) > self._max_bytes:
                        raise self._too_large()
                    is_large = len(body) + len(chunk) > LARGE_BODY_BYTES
                    if is_large and self._buffered_bytes > MAX_BUFFERED_BYTES:
                        raise ApiError(
                            503, "busy", "too many large requests at once; try again"
                        )
                    self._buffered_bytes += len(chunk)
                    body += chunk
        except TimeoutError:
            raise ApiError(
                408,
                "request_timeout",
                f"the body was not received within {BODY_SECONDS:g} seconds",
            )

    def _too_large(self) -> ApiError:
        return ApiError(
            413, "too_large", f"the body must be at most {self._max_bytes:,} bytes"
        )
