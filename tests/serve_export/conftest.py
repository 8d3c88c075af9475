"""Servers as processes, a client for them, and a browser."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

import pytest

from serve_export import layout

ROOT = Path(__file__).parents[2]

BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Response(NamedTuple):
    """The response to a request."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def message(self):
        return self.json["error"]["message"]


class ServerProcess:
    """A server process on a free port."""

    def __init__(self, *arguments, **settings):
        command = [sys.executable, "-m", "serve_export.server", "--port=0"]
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
            **settings,
        )
        line = self.process.stdout.readline()
        assert line.startswith("serving on http://"), line
        self.address = line.split()[-1]

    def send(self, path, body=None, method=None, **headers):
        """Sends a request; `body` is JSON unless it is bytes."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers = {"content_type": "application/json"} | headers
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.address + path, body, headers)
        request.method = method or request.get_method()
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return Response(reply.status, dict(reply.headers), reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return Response(error.code, dict(error.headers), error.read())

    def stop(self):
        self.process.terminate()
        with self.process.stdout:
            self.process.wait(20)


@pytest.fixture(scope="session")
def serving():
    """Starts a server for a `with` block: `serving(export_dir, *flags)`.

    Without an export it serves the bundled model; see `package_copy_settings`.
    """

    @contextlib.contextmanager
    def serving(export_dir, *arguments, **settings):
        named = [] if export_dir is None else [f"--export_dir={export_dir}"]
        server = ServerProcess(*named, *arguments, **settings)
        try:
            yield server
        finally:
            server.stop()

    return serving


@pytest.fixture(scope="session")
def drawings_dir(tmp_path_factory):
    """The folder in which the shared server stores drawings."""
    return tmp_path_factory.mktemp("kept") / "drawings"


@pytest.fixture(scope="session")
def server(serving, exported_rnn, drawings_dir):
    """A server of a LiteRT model, shared by many tests."""
    with serving(exported_rnn, f"--drawings_dir={drawings_dir}") as server:
        yield server


@pytest.fixture(scope="session")
def web_export(trained_rnn, tmp_path_factory):
    """An export of the tiny rnn for LiteRT and for the web."""
    from serve_export import export
    from serve_export.formats import litert_js

    try:
        litert_js.load_files()
    except OSError as error:
        pytest.skip(str(error))
    folder = str(tmp_path_factory.mktemp("exports"))
    return Path(export.export(str(trained_rnn), folder, formats=["litert", "web"]))


@pytest.fixture(scope="session")
def drawing(doodles):
    """A simplified drawing."""
    path = min(doodles.glob("*.ndjson"))
    return json.loads(path.read_text().splitlines()[0])["drawing"]


@pytest.fixture(scope="session")
def package_copy(exported_rnn, tmp_path_factory):
    """A copy of the packages that serving needs, with a small bundled model."""
    folder = tmp_path_factory.mktemp("package_copy")
    for package in ("tfrecords", "pipeline", "rnn_model", "serve_export"):
        names = shutil.ignore_patterns("__pycache__", "pretrained")
        shutil.copytree(ROOT / package, folder / package, ignore=names)
    bundled = folder / "serve_export" / "pretrained" / "1"
    bundled.mkdir(parents=True)
    for name in (
        layout.LITERT_INT8_FILE,
        layout.METRICS_FILE,
        layout.EXAMPLES_FILE,
        layout.MODEL_CARD_FILE,
    ):
        shutil.copy(exported_rnn / name, bundled)
    return folder


@pytest.fixture(scope="session")
def package_copy_settings(package_copy):
    """Arguments of `Popen` for a process that imports from `package_copy`."""
    return {"cwd": package_copy, "env": os.environ | {"PYTHONPATH": str(package_copy)}}


@pytest.fixture(scope="module")
def browser():
    """A real browser."""
    executable = os.environ.get("QUICKDRAW_CHROMIUM") or shutil.which("chromium")
    if not executable:
        pytest.skip("no Chromium here (install it, or set QUICKDRAW_CHROMIUM)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=executable, args=BROWSER_ARGUMENTS
        )
        yield browser
        browser.close()
