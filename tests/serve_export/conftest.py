"""Servers as processes, and a client for them."""

import contextlib
import json
import subprocess
import sys
import urllib.error
import urllib.request
from typing import NamedTuple

import pytest


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def message(self):
        return self.json["error"]["message"]


class Server:
    """A server of its own process, on a free port."""

    def __init__(self, *arguments):
        command = [sys.executable, "-m", "serve_export.server", "--port=0"]
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)], stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        assert line.startswith("serving on http://"), line
        self.address = line.split()[-1]

    def ask(self, path, body=None, method=None, **headers):
        """Sends a request; `body` is JSON unless it is bytes."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers = {"content_type": "application/json"} | headers
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.address + path, body, headers)
        request.method = method or request.get_method()
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def stop(self):
        self.process.terminate()
        with self.process.stdout:
            self.process.wait(20)


@pytest.fixture(scope="session")
def serving():
    """Starts a server for a `with` block: `serving(export_dir, *flags)`."""

    @contextlib.contextmanager
    def serving(export_dir, *arguments):
        server = Server(f"--export_dir={export_dir}", *arguments)
        try:
            yield server
        finally:
            server.stop()

    return serving


@pytest.fixture(scope="session")
def kept_dir(tmp_path_factory):
    """Where the shared server keeps drawings."""
    return tmp_path_factory.mktemp("kept") / "drawings"


@pytest.fixture(scope="session")
def server(serving, exported_rnn, kept_dir):
    """A server on LiteRT that many tests ask."""
    with serving(exported_rnn, f"--drawings_dir={kept_dir}") as server:
        yield server


@pytest.fixture(scope="session")
def drawing(doodles):
    """A simplified drawing."""
    path = min(doodles.glob("*.ndjson"))
    return json.loads(path.read_text().splitlines()[0])["drawing"]
