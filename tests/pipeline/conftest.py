"""A bucket on this machine that fails as it is told to."""

import email.utils
import http.server
import socket
import threading
from dataclasses import dataclass, field

import pytest


@dataclass
class Trouble:
    """What becomes of one request.

    Attributes:
      status: answered instead of the file.
      headers: sent with it.
      breaks_after, stalls_after: bytes of the body after which that happens.
      ignores_range: sends all, whatever was asked for.
      believes_range: sends the range without a look at `If-Range`.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    breaks_after: int | None = None
    stalls_after: int | None = None
    ignores_range: bool = False
    believes_range: bool = False


class Bucket:
    """Files by their path, and how they were asked for.

    Attributes:
      files: encoded path to content.
      version: of all files; decides `ETag` and `Last-Modified`.
      troubles: of the next requests, one after the other; then all is well.
      headers: more headers, or other ones; None leaves one out.
      requests: path and headers of each request.
      sent: bytes of all bodies.
    """

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.version = 1
        self.troubles: list[Trouble] = []
        self.headers: dict[str, str | None] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.sent = 0
        self.over = threading.Event()
        bucket = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                bucket.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # Else megabytes wait in the sockets that nobody reads any more.
        self.server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def ranges(self):
        """The `Range` of each request."""
        return [headers.get("Range") for _, headers in self.requests]

    def trouble(self, **what):
        self.troubles.append(Trouble(**what))

    def version_headers(self):
        date = email.utils.formatdate(1_495_749_382 + self.version, usegmt=True)
        found = {"ETag": f'"v/{self.version}"', "Last-Modified": date} | self.headers
        return {name: value for name, value in found.items() if value is not None}

    def answer(self, request):
        self.requests.append((request.path, dict(request.headers)))
        trouble = self.troubles.pop(0) if self.troubles else Trouble()
        content = self.files.get(request.path)
        if trouble.status or content is None:
            request.send_response(trouble.status or 404)
            for name, value in trouble.headers.items():
                request.send_header(name, value)
            request.end_headers()
            return
        headers = {"Content-Length": str(len(content))} | self.version_headers()
        status, first = 200, self.first_byte(request, trouble, headers)
        if first is not None:
            if first >= len(content):
                request.send_error(416)
                return
            status = 206
            headers["Content-Length"] = str(len(content) - first)
            last = len(content) - 1
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        self.send_body(request, content[first or 0 :], trouble)

    def first_byte(self, request, trouble, headers):
        wanted = request.headers["Range"]
        if not wanted or trouble.ignores_range:
            return None
        known = (headers.get("ETag"), headers.get("Last-Modified"))
        if request.headers["If-Range"] not in known and not trouble.believes_range:
            return None
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def send_body(self, request, body, trouble):
        ends = [trouble.breaks_after, trouble.stalls_after, len(body)]
        end = min(end for end in ends if end is not None)
        try:
            for start in range(0, end, 1 << 14):
                piece = body[start : min(start + (1 << 14), end)]
                request.wfile.write(piece)
                self.sent += len(piece)
            if trouble.stalls_after is not None:
                self.over.wait()
        except ConnectionError:
            pass  # the client has enough


@pytest.fixture
def bucket(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    bucket = Bucket()
    thread = threading.Thread(target=bucket.server.serve_forever, args=(0.01,))
    thread.start()
    yield bucket
    bucket.over.set()
    bucket.server.shutdown()
    bucket.server.server_close()
    thread.join()
