"""A local HTTP server in place of the bucket, which fails on demand."""

import email.utils
import http.server
import socket
import threading
from dataclasses import dataclass, field

import pytest


@dataclass
class Fault:
    """How the server handles one request.

    Attributes:
      status: Status of the response instead of the file.
      headers: Headers of that response.
      closes_after: Bytes of the body after which the connection closes.
      stalls_after: Bytes of the body after which nothing more is sent.
      ignores_range: Whether the whole file is sent in any case.
      ignores_if_range: Whether a range is sent for any version.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    closes_after: int | None = None
    stalls_after: int | None = None
    ignores_range: bool = False
    ignores_if_range: bool = False


class Bucket:
    """HTTP server with files, which records its requests.

    Attributes:
      files: Content of each file by its encoded path.
      version: Version of all files, which determines `ETag` and `Last-Modified`.
      faults: Faults of the next requests.
      headers: Overridden headers; None removes a header.
      requests: Path and headers of each request.
      bytes_sent: Size of all bodies.
    """

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.version = 1
        self.faults: list[Fault] = []
        self.headers: dict[str, str | None] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.bytes_sent = 0
        self.is_closing = threading.Event()
        bucket = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                bucket.respond(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # Without this, megabytes are sent that the client never reads.
        self.server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def requested_ranges(self):
        """Returns the `Range` header of each request."""
        return [headers.get("Range") for _, headers in self.requests]

    def add_fault(self, **settings):
        self.faults.append(Fault(**settings))

    def version_headers(self):
        date = email.utils.formatdate(1_495_749_382 + self.version, usegmt=True)
        headers = {"ETag": f'"v/{self.version}"', "Last-Modified": date} | self.headers
        return {name: value for name, value in headers.items() if value is not None}

    def respond(self, request):
        self.requests.append((request.path, dict(request.headers)))
        fault = self.faults.pop(0) if self.faults else Fault()
        content = self.files.get(request.path)
        if fault.status or content is None:
            request.send_response(fault.status or 404)
            for name, value in fault.headers.items():
                request.send_header(name, value)
            request.end_headers()
            return
        headers = {"Content-Length": str(len(content))} | self.version_headers()
        status, first = 200, self.first_byte(request, fault, headers)
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
        self.send_body(request, content[first or 0 :], fault)

    def first_byte(self, request, fault, headers):
        """Returns the first byte of the range to send; None for the whole file."""
        requested = request.headers["Range"]
        if not requested or fault.ignores_range:
            return None
        versions = (headers.get("ETag"), headers.get("Last-Modified"))
        is_same_version = request.headers["If-Range"] in versions
        if not is_same_version and not fault.ignores_if_range:
            return None
        return int(requested.removeprefix("bytes=").removesuffix("-"))

    def send_body(self, request, body, fault):
        ends = [fault.closes_after, fault.stalls_after, len(body)]
        end = min(end for end in ends if end is not None)
        try:
            for start in range(0, end, 1 << 14):
                chunk = body[start : min(start + (1 << 14), end)]
                request.wfile.write(chunk)
                self.bytes_sent += len(chunk)
            if fault.stalls_after is not None:
                self.is_closing.wait()
        except ConnectionError:
            pass  # the client has enough drawings


@pytest.fixture
def bucket(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    bucket = Bucket()
    thread = threading.Thread(target=bucket.server.serve_forever, args=(0.01,))
    thread.start()
    yield bucket
    bucket.is_closing.set()
    bucket.server.shutdown()
    bucket.server.server_close()
    thread.join()
