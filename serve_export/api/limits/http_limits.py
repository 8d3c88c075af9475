"""Limits that uvicorn lacks: size and time of a request's head, open connections.

    503   more open connections than `limit_concurrency`
    431   a head larger than `MAX_HEAD_BYTES` or with more than `MAX_HEADERS` headers
    408   a head that is not complete after `HEAD_SECONDS`

Granian has limits for the head, but answers a slow head by closing the connection
without a response, and at its connection limit it lets clients wait.
"""

import asyncio
import resource
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serve_export.api.errors import encode_error

MAX_HEAD_BYTES = 16 << 10
MAX_HEADERS = 100
HEAD_SECONDS = 10.0

CLOSE_SECONDS = 1.0
"""How long a refused connection stays open, so that the client can read the answer."""

SPARE_FILES = 100
"""Open files that are not connections."""


def raise_file_limit(max_connections: int) -> int:
    """Allows this process as many open files as its connections need.

    Returns:
      `max_connections`, or fewer if the hard limit of the system is lower.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = max_connections + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return max_connections
    return max(1, min(max_connections, soft - SPARE_FILES))


class HeadLimitError(Exception):
    """A request's head exceeds a limit; raised in a callback to stop the parser."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with the limits above."""

    def __init__(self, *args: Any, **kwargs: Any):
        """Takes the arguments of uvicorn's protocols."""
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._in_head, self._is_idle, self._is_refused = True, True, False
        self._head_bytes = self._header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts a connection, or refuses it if there are too many."""
        super().connection_made(transport)
        if self.limit_concurrency and len(self.connections) >= self.limit_concurrency:
            self._refuse(503, "busy", "too many connections", close_seconds=0)
        else:
            self._start_timer(HEAD_SECONDS, self._end_slow_head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends a connection."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses received data; refuses a head that is too large."""
        if self._is_refused:
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES:
            self._refuse_large_head()

    def on_message_begin(self) -> None:
        """Starts the head of a request."""
        super().on_message_begin()
        self._header_bytes, self._is_idle = 0, False
        if not self._in_head:  # a later request of the same connection
            self._in_head = True
            self._start_timer(HEAD_SECONDS, self._end_slow_head)

    def on_url(self, url: bytes) -> None:
        """Receives a part of the request target."""
        super().on_url(url)
        self._count_header_bytes(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Receives a header."""
        super().on_header(name, value)
        self._count_header_bytes(len(name) + len(value))

    def on_headers_complete(self) -> None:
        """Ends the head of a request and starts the application."""
        self._stop_timer()
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Ends the body of a request."""
        self._head_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuses a request that the parser stopped at."""
        if self._in_head and self._is_head_too_large():
            self._refuse_large_head()
        else:
            self._refuse(400, "invalid_http", "malformed HTTP request")

    def _count_header_bytes(self, size: int) -> None:
        self._header_bytes += size
        if self._is_head_too_large():
            raise HeadLimitError

    def _is_head_too_large(self) -> bool:
        return self._header_bytes > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS

    def _refuse_large_head(self) -> None:
        self._refuse(
            431,
            "headers_too_large",
            f"at most {MAX_HEAD_BYTES:,} bytes and {MAX_HEADERS} headers are accepted",
        )

    def _end_slow_head(self) -> None:
        if self._is_idle:
            self.transport.close()
        else:
            message = f"the head was not received within {HEAD_SECONDS:g} seconds"
            self._refuse(408, "request_timeout", message)

    def _refuse(
        self, status: int, code: str, message: str, close_seconds: float = CLOSE_SECONDS
    ) -> None:
        """Sends an error response from outside of the application, then closes."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._stop_timer()
        self.connections.discard(self)
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # a pipelined request; its response would mix in
            return
        body = encode_error(code, message)
        head = (
            b"content-type: application/json\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n" % len(body)
        )
        self.transport.write(STATUS_LINE[status] + head + body)
        if close_seconds and self.transport.can_write_eof():
            self.transport.write_eof()
            self._start_timer(close_seconds, self.transport.close)
        else:
            self.transport.close()

    def _start_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, callback)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
