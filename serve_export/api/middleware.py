"""Wraps the application: rate limit, unread bodies, security headers, metrics.

Plain ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html): Starlette's
`BaseHTTPMiddleware` takes longer than the model.
"""

import asyncio
import contextlib
import math
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve_export.api.errors import ApiError, make_error_response
from serve_export.api.limits.rate_limiter import RateLimiter
from serve_export.api.metrics import ServerMetrics
from serve_export.api.settings import ServerSettings

UNLIMITED_PAGES = ("/", "/words")
UNLIMITED_PREFIXES = ("/static/", "/web/")
"""No rate limit: a page loads many files at once, and each is cheap."""

DISCARD_SECONDS = 5.0
MAX_DISCARDED_BYTES = 16 << 20

SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data: blob:; "
        b"style-src 'self' 'unsafe-inline'; script-src 'self' 'wasm-unsafe-eval'; "
        b"object-src 'none'; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'",
    ),
]


class Middleware:
    """Wraps an ASGI application."""

    def __init__(self, app: ASGIApp, settings: ServerSettings, metrics: ServerMetrics):
        self._app, self._settings, self._metrics = app, settings, metrics
        self._rate_limiter = RateLimiter(settings.rate_limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one connection of the ASGI server."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        has_unread_body = _has_body(scope)

        async def receive_body() -> Message:
            nonlocal has_unread_body
            message = await receive()
            has_unread_body = message.get("more_body", False)
            return message

        async def send_response(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), *SECURITY_HEADERS]
                if has_unread_body:
                    message["headers"].append((b"connection", b"close"))
                await send(message)
            elif has_unread_body and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await _discard_body(receive)
                await send({"type": "http.response.body"})
            else:
                await send(message)

        try:
            if self._is_allowed(scope):
                await self._app(scope, receive_body, send_response)
            else:
                await self._refuse(scope, receive_body, send_response)
        finally:
            # Only patterns: a client could make up any number of paths.
            path = scope.get("path_pattern", "other")
            self._metrics.observe_request(path, status, time.perf_counter() - started)

    def _is_allowed(self, scope: Scope) -> bool:
        path = scope["path"]
        if path in UNLIMITED_PAGES or path.startswith(UNLIMITED_PREFIXES):
            return True
        client, _ = scope.get("client") or ("", 0)
        return self._rate_limiter.allow_request(client, time.monotonic())

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        rate = self._settings.rate_limit
        error = ApiError(
            429, "rate_limit_exceeded", f"more than {rate:g} requests per second"
        )
        headers = {"retry-after": str(math.ceil(1 / rate))}
        response = make_error_response(scope["path"], error, headers)
        await response(scope, receive, send)


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    return length != b"0" or b"transfer-encoding" in headers


async def _discard_body(receive: Receive) -> None:
    """Reads the rest of a body, after the response and before the connection closes.

    Most clients read no response before they have sent their body. If the connection
    were closed earlier, they would get an error instead of the response.
    """
    size, has_more = 0, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while has_more and size <= MAX_DISCARDED_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                has_more = message.get("more_body", False)
