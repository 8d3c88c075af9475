"""What every request passes: limits on the way in, headers on the way out.

Plain ASGI, as the framework's own middleware takes longer than the model
(https://asgi.readthedocs.io/en/latest/specs/www.html).
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

from serve_export.api import errors
from serve_export.api.metrics import Metrics
from serve_export.api.settings import Settings

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_SECONDS = 10.0
"""How long a body may take to come."""

DRAINED = 32 << 20
"""Bytes of a body too large that are read and thrown away."""

BURST_SECONDS = 5.0
"""Whoever was silent for so long may ask for as much at once."""

MOST_SENDERS = 10_000
"""Addresses that are remembered for the rate limit."""

FILES = "/static/"
"""Where the page's files are: many, and they cost next to nothing."""

HEADERS = [
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


class Gate:
    """Stands before an ASGI application."""

    def __init__(self, app: Callable, settings: Settings, metrics: Metrics):
        self._app, self._settings, self._metrics = app, settings, metrics
        self._rates = Rates(settings.rate_limit)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        try:
            await self._pass(scope, receive, send_with_headers)
        finally:
            # The router has put the path's pattern there: no endless list of words.
            pattern = getattr(scope.get("route"), "path", "other")
            self._metrics.observe(pattern, status, time.perf_counter() - began)

    async def _pass(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            self._check_rate(scope)
            body = await self._body(scope, receive)
        except errors.ApiError as error:
            headers = {"connection": "close"}
            if error.status == 429:
                headers["retry-after"] = str(math.ceil(1 / self._settings.rate_limit))
            refusal = errors.answer(
                scope["path"], error.status, error.code, str(error), headers
            )
            await refusal(scope, receive, send)
            return
        if body is None:  # whoever asked is gone
            return
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, replay, send)

    def _check_rate(self, scope: Message) -> None:
        if scope["path"] == "/" or scope["path"].startswith(FILES):
            return
        sender = (scope.get("client") or ("", 0))[0]
        if not self._rates.allow(sender, time.monotonic()):
            raise errors.ApiError(429, "too_many_requests", "too many requests")

    async def _body(self, scope: Message, receive: Receive) -> bytes | None:
        """Reads the body; of one too large no more than is needed to be understood.

        Whoever is still sending would never see an answer.
        """
        headers = dict(scope["headers"])
        announced = int(headers.get(b"content-length", b"0"))
        most = self._settings.max_bytes
        parts, size, more = [], 0, announced < DRAINED
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while more and size < DRAINED:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    size += len(message.get("body", b""))
                    if size <= most:
                        parts.append(message.get("body", b""))
                    more = message.get("more_body", False)
        except TimeoutError:
            raise errors.ApiError(408, "too_slow", "the body did not come in time")
        if more or max(size, announced) > most:
            raise errors.ApiError(413, "too_large", f"at most {most:,} bytes are taken")
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if size and kind != b"application/json":
            raise errors.ApiError(
                415, "unsupported_media_type", "content-type must be application/json"
            )
        return b"".join(parts)


class Rates:
    """A bucket of tokens an address; it fills at the rate that is allowed."""

    def __init__(self, rate: float):
        self._rate = rate
        self._most = max(1.0, rate * BURST_SECONDS)
        self._left: dict[str, tuple[float, float]] = {}

    def allow(self, sender: str, now: float) -> bool:
        """Takes a token, if there is one.

        Args:
          sender: the address.
          now: seconds of a clock that never goes back.
        """
        if not self._rate:
            return True
        tokens, then = self._left.pop(sender, (self._most, now))
        tokens = min(self._most, tokens + (now - then) * self._rate)
        allowed = tokens >= 1
        self._left[sender] = (tokens - allowed, now)
        if len(self._left) > MOST_SENDERS:  # in the order of their last request
            del self._left[next(iter(self._left))]
        return allowed
