"""Limits on the head of a request and on connections, at a real server."""

import contextlib
import http.client
import resource
import socket
import subprocess
import sys
import time
import urllib.parse

import pytest

from serve_export.api.limits import http_limits

FAST = """
import sys
from serve_export import server
from serve_export.api import middleware
from serve_export.api.limits import http_limits, request_body
http_limits.HEAD_SECONDS = request_body.BODY_SECONDS = 0.5
middleware.DISCARD_SECONDS = 0.5
server.run()
"""
"""A server with shorter time limits."""


@pytest.fixture(scope="module")
def address(exported_rnn):
    command = [sys.executable, "-c", FAST, "--port=0", f"--export_dir={exported_rnn}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = urllib.parse.urlsplit(process.stdout.readline().split()[-1])
        yield url.hostname, url.port
        process.terminate()


@pytest.fixture
def connect(address):
    with contextlib.ExitStack() as stack:

        def connect():
            connection = socket.create_connection(address, timeout=20)
            return stack.enter_context(connection)

        yield connect


def read_status(connection) -> int:
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


def test_an_endless_head_is_refused(connect):
    connection = connect()
    connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
    with contextlib.suppress(OSError):
        for _ in range(1000):
            connection.sendall(b"a: " + b"b" * 1000 + b"\r\n")
    assert read_status(connection) == 431


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"a%d: b\r\n" % i for i in range(101)),
        b"a: " + b"b" * 20_000 + b"\r\n",
        b"a: " + b"b" * 200_000,
    ],
    ids=["many", "large", "endless"],
)
def test_a_large_head_is_refused(connect, head):
    connection = connect()
    connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n" + head + b"\r\n")
    assert read_status(connection) == 431


def test_a_long_target_is_refused(connect):
    connection = connect()
    connection.sendall(b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n")
    assert read_status(connection) == 431


def test_a_head_within_the_limits_is_accepted(connect):
    connection = connect()
    headers = b"".join(b"a%d: %s\r\n" % (i, b"b" * 100) for i in range(90))
    for _ in range(3):  # of one connection
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n" + headers + b"\r\n")
        assert read_status(connection) == 200


def test_a_slow_head_is_refused(connect):
    connection = connect()
    connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
    assert read_status(connection) == 408
    connection = connect()  # also after a first request
    connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /")
    assert read_status(connection) == 200
    assert read_status(connection) == 408


def test_an_idle_connection_is_closed(connect):
    assert connect().recv(100) == b""


def test_a_slow_body_is_refused(connect):
    connection = connect()
    connection.sendall(
        b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n"
        b"content-type: application/json\r\n\r\n{"
    )
    assert read_status(connection) == 408
    assert connection.recv(100) == b"", "the connection stays open"


def test_an_endless_chunked_body_is_refused(connect):
    connection = connect()
    connection.sendall(
        b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
        b"content-type: application/json\r\n\r\n"
    )
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"

    def send_chunks():
        for _ in range(10_000):
            connection.sendall(chunk)

    with pytest.raises(OSError, match=r"reset|pipe"):
        send_chunks()


def test_an_early_response_is_received(connect):
    connection = connect()
    connection.sendall(
        b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n"
        b"content-type: application/json\r\n\r\n" + b" " * 2_000_000
    )
    assert read_status(connection) == 413
    assert connection.recv(100) == b""


@pytest.mark.parametrize(
    "request_bytes", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"?\r\n\r\n"]
)
def test_other_protocols_are_refused(connect, request_bytes):
    connection = connect()
    connection.sendall(request_bytes)
    assert read_status(connection) == 400


def test_too_many_connections_are_refused(serving, exported_rnn):
    with serving(exported_rnn, "--max_connections=5") as server:
        url = urllib.parse.urlsplit(server.address)
        with contextlib.ExitStack() as stack:
            for _ in range(5):
                stack.enter_context(socket.create_connection((url.hostname, url.port)))
            time.sleep(0.2)
            response = server.send("/healthz")
            assert response.status == 503
            assert response.json["error"]["code"] == "busy"
        time.sleep(0.2)
        assert server.send("/healthz").status == 200


def test_half_open_connections_lock_nobody_out(serving, exported_rnn):
    def lower_limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))

    with serving(exported_rnn, preexec_fn=lower_limit) as server:
        url = urllib.parse.urlsplit(server.address)
        with contextlib.ExitStack() as stack:
            for _ in range(1100):
                with contextlib.suppress(OSError):
                    connection = socket.create_connection((url.hostname, url.port))
                    stack.enter_context(connection)
                    connection.sendall(b"GET / HTTP/1.1\r\n")
            started = time.monotonic()
            assert server.send("/healthz").status == 503
            assert time.monotonic() - started < 1


def test_file_limit_is_raised_only_as_needed():
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert http_limits.raise_file_limit(10) == 10
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == soft
