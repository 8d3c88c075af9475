"""The bundled model, which is used where no export is named."""

import json
import os
import pty
import shutil
import subprocess
import sys
import time

import pytest

from serve_export.predictor import Predictor

DRAWING = [[[10, 90, 90.5], [20, 20, 80]], [[50], [50]]]

BROWSER = """\
#!/bin/sh
echo "$1" > "$0.opened"
"""


@pytest.fixture(scope="module")
def expected(package_copy):
    return Predictor(str(package_copy / "serve_export" / "pretrained")).guess(
        DRAWING, 2
    )


def run(arguments, settings, stdin=""):
    return subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        **settings,
    )


def test_predict_and_predictor_use_the_bundled_model(package_copy_settings, expected):
    line = json.dumps({"drawing": DRAWING})
    command = run(
        ["-m", "serve_export.predict", "--input=-", "--top_k=2"],
        package_copy_settings,
        line,
    )
    assert command.returncode == 0, command.stderr
    code = (
        "from serve_export.predictor import Predictor\n"
        f"print([list(guess) for guess in Predictor().guess({DRAWING}, 2)])"
    )
    library = run(["-c", code], package_copy_settings)
    words = [guess.word for guess in expected]
    assert [guess["word"] for guess in json.loads(command.stdout)["guesses"]] == words
    assert library.stdout.strip() == str([list(guess) for guess in expected])


@pytest.fixture
def browser(tmp_path, package_copy_settings):
    """A stand-in for a graphical browser, which writes the opened address to a file."""
    path = tmp_path / "browser"
    path.write_text(BROWSER)
    path.chmod(0o755)
    settings = package_copy_settings | {
        "env": package_copy_settings["env"] | {"BROWSER": f"{path} %s &"}
    }
    return settings, tmp_path / "browser.opened"


def wait_for_browser(browser, timeout=20.0):
    """Returns the address that was opened; None if none was opened in time."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if browser[1].exists() and (text := browser[1].read_text()):
            return text.strip()
        time.sleep(0.05)
    return None


def test_bundled_model_is_served_and_announced(serving, browser, expected):
    with serving(None, **browser[0]) as server:
        answer = server.send("/v1/predict", {"drawing": DRAWING, "top_k": 2})
        assert answer.json["guesses"] == [guess._asdict() for guess in expected]
        line = server.process.stdout.readline()
        assert line == "bundled model: 4 words\n"
        assert wait_for_browser(browser, 0) is None, "stdout is not a terminal"


def test_open_flag_opens_the_page(serving, browser):
    with serving(None, "--open", **browser[0]) as server:
        assert wait_for_browser(browser) == f"{server.address}/"


@pytest.mark.parametrize(
    ("arguments", "is_graphical", "is_opened"),
    [([], True, True), (["--noopen"], True, False), ([], False, False)],
)
def test_page_is_opened_at_a_terminal_with_a_graphical_browser(
    browser, tmp_path, arguments, is_graphical, is_opened
):
    settings = browser[0]
    if not is_graphical:  # without %s and & Python takes it for a text browser
        settings["env"] |= {"BROWSER": str(tmp_path / "browser")}
    parent_fd, child_fd = pty.openpty()
    command = [sys.executable, "-m", "serve_export.server", "--port=0", *arguments]
    process = subprocess.Popen(command, stdout=child_fd, **settings)
    try:
        with os.fdopen(parent_fd) as terminal:
            address = terminal.readline().split()[-1]
            address_opened = wait_for_browser(browser, 20 if is_opened else 1)
            assert address_opened == (f"{address}/" if is_opened else None)
    finally:
        os.close(child_fd)
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("module", ["server", "predict"])
def test_missing_bundled_model_is_one_error_line(
    package_copy, package_copy_settings, tmp_path, module
):
    names = shutil.ignore_patterns("pretrained", "__pycache__")
    shutil.copytree(
        package_copy / "serve_export", tmp_path / "serve_export", ignore=names
    )
    path = {"PYTHONPATH": f"{tmp_path}:{package_copy}"}
    settings = {"cwd": tmp_path, "env": package_copy_settings["env"] | path}
    arguments = ["--input=-"] if module == "predict" else ["--port=0"]
    done = run(["-m", f"serve_export.{module}", *arguments], settings)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        "error: this installation has no bundled model; pass an export"
    )
