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
    """Starts a server for a `with` block: `serving(export_dir, *flags)`.

    Without an export it takes the one in the box; see `box_settings`.
    """

    @contextlib.contextmanager
    def serving(export_dir, *arguments, **settings):
        named = [] if export_dir is None else [f"--export_dir={export_dir}"]
        server = Server(*named, *arguments, **settings)
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
def boxed(exported_rnn, tmp_path_factory):
    """A folder with what serving needs of the project, and a model in the box."""
    folder = tmp_path_factory.mktemp("boxed")
    for floor in ("tfrecords", "pipeline", "serve_export"):
        names = shutil.ignore_patterns("__pycache__", "pretrained")
        shutil.copytree(ROOT / floor, folder / floor, ignore=names)
    box = folder / "serve_export" / "pretrained" / "1"
    box.mkdir(parents=True)
    for name in (
        layout.LITERT_INT8_FILE,
        layout.METRICS_FILE,
        layout.EXAMPLES_FILE,
        layout.MODEL_CARD_FILE,
    ):
        shutil.copy(exported_rnn / name, box)
    return folder


@pytest.fixture(scope="session")
def box_settings(boxed):
    """How a process is started that takes the project from `boxed`."""
    return {"cwd": boxed, "env": os.environ | {"PYTHONPATH": str(boxed)}}


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
