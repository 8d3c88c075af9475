"""The model in the box: what answers where no export is named."""

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
echo "$1" > "$0.asked"
"""


@pytest.fixture(scope="module")
def expected(boxed):
    return Predictor(str(boxed / "serve_export" / "pretrained")).guess(DRAWING, 2)


def run(arguments, settings, stdin=""):
    return subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        **settings,
    )


def test_predict_and_predictor_take_it(box_settings, expected):
    line = json.dumps({"drawing": DRAWING})
    told = run(
        ["-m", "serve_export.predict", "--input=-", "--top_k=2"], box_settings, line
    )
    assert told.returncode == 0, told.stderr
    code = (
        "from serve_export.predictor import Predictor\n"
        f"print([list(guess) for guess in Predictor().guess({DRAWING}, 2)])"
    )
    asked = run(["-c", code], box_settings)
    words = [guess.word for guess in expected]
    assert [guess["word"] for guess in json.loads(told.stdout)["guesses"]] == words
    assert asked.stdout.strip() == str([list(guess) for guess in expected])


@pytest.fixture
def browser(tmp_path, box_settings):
    """A browser with a window, as far as Python knows; it notes what it is asked."""
    path = tmp_path / "browser"
    path.write_text(BROWSER)
    path.chmod(0o755)
    settings = box_settings | {"env": box_settings["env"] | {"BROWSER": f"{path} %s &"}}
    return settings, tmp_path / "browser.asked"


def asked_of(browser, timeout=20.0):
    """What the browser was to show; None if nothing was asked in time."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if browser[1].exists() and (text := browser[1].read_text()):
            return text.strip()
        time.sleep(0.05)
    return None


def test_it_is_served_and_said(serving, browser, expected):
    with serving(None, **browser[0]) as server:
        answer = server.ask("/v1/predict", {"drawing": DRAWING, "top_k": 2})
        assert answer.json["guesses"] == [guess._asdict() for guess in expected]
        line = server.process.stdout.readline()
        assert line == "bundled model: 4 words\n"
        assert asked_of(browser, 0) is None, "nobody looks at this pipe"


def test_the_page_is_opened_where_that_is_asked(serving, browser):
    with serving(None, "--open", **browser[0]) as server:
        assert asked_of(browser) == f"{server.address}/"


@pytest.mark.parametrize(
    ("arguments", "window", "opened"),
    [([], True, True), (["--noopen"], True, False), ([], False, False)],
)
def test_at_a_terminal_it_is_opened_in_a_window(
    browser, tmp_path, arguments, window, opened
):
    settings = browser[0]
    if not window:  # without %s and & Python takes it for one in the terminal
        settings["env"] |= {"BROWSER": str(tmp_path / "browser")}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "serve_export.server", "--port=0", *arguments]
    process = subprocess.Popen(command, stdout=theirs, **settings)
    try:
        with os.fdopen(ours) as terminal:
            address = terminal.readline().split()[-1]
            asked = asked_of(browser, 20 if opened else 1)
            assert asked == (f"{address}/" if opened else None)
    finally:
        os.close(theirs)
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("module", ["server", "predict"])
def test_an_empty_box_is_one_line(boxed, box_settings, tmp_path, module):
    names = shutil.ignore_patterns("pretrained", "__pycache__")
    shutil.copytree(boxed / "serve_export", tmp_path / "serve_export", ignore=names)
    path = {"PYTHONPATH": f"{tmp_path}:{boxed}"}
    settings = {"cwd": tmp_path, "env": box_settings["env"] | path}
    arguments = ["--input=-"] if module == "predict" else ["--port=0"]
    done = run(["-m", f"serve_export.{module}", *arguments], settings)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: no model came with this package; name an export")
