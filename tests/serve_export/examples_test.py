"""docs/examples: each started for real, on a model in the box."""

import contextlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from serve_export.predictor import Predictor

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
DOCKERFILE = (EXAMPLES / "Dockerfile").read_text(encoding="utf-8")
STEPS = re.findall(r"^(COPY|RUN|CMD) (.*)$", DOCKERFILE, re.M)
DRAWING = [[[10, 90, 90.5], [20, 20, 80]], [[50], [50]]]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@contextlib.contextmanager
def started(command, port, **settings):
    """A process that comes to listen on a port."""
    process = subprocess.Popen(list(map(str, command)), **settings)
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            assert process.poll() is None, "it ended"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def ask(address, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(
        address, data, {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture(scope="module")
def guesses(boxed):
    """What is to be answered."""
    found = Predictor(str(boxed / "serve_export" / "pretrained")).guess(DRAWING)
    return [guess._asdict() for guess in found]


# The Cloud Function.


@pytest.fixture(scope="module")
def function(boxed, tmp_path_factory):
    """The function's folder, served by Google's framework."""
    folder = tmp_path_factory.mktemp("cloud") / "function"
    shutil.copytree(boxed, folder)
    shutil.copytree(EXAMPLES / "cloud_function", folder, dirs_exist_ok=True)
    port = free_port()
    command = [
        *(sys.executable, "-m", "functions_framework", "--target=guess"),
        *(f"--source={folder / 'main.py'}", f"--port={port}"),
    ]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with started(command, port, cwd=folder.parent, env=env) as address:
        yield address


def test_a_cloud_function_guesses(function, guesses):
    assert ask(function, {"drawing": DRAWING}) == (200, {"guesses": guesses})


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"{", 400, "send JSON"),
        ([], 400, "send JSON"),
        ({"drawing": "cat"}, 400, "send JSON"),
        ({"drawing": []}, 422, "no strokes"),
        ({"drawing": [[[1, 2], [1]]]}, 422, "unequal x and y"),
        ({"drawing": [{"x": [1], "y": [1]}]}, 422, "no drawing"),
        ({"drawing": [[[0, 9] * 9999, [9, 0] * 9999]]}, 422, "too long"),
        (b" " * (1 << 21), 413, "too large"),
    ],
)
def test_a_cloud_function_says_what_is_wrong(function, body, status, problem):
    found, answer = ask(function, body)
    assert found == status
    assert problem in answer["error"]


# The chat bot.


@pytest.fixture(scope="module")
def bot(server):
    """The webhook, in front of a server."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", f"--app-dir={EXAMPLES}"),
        *("chat_bot:bot", f"--port={port}", "--log-level=warning"),
    ]
    env = os.environ | {"SERVER": server.address}
    with started(command, port, env=env) as address:
        yield f"{address}/webhook"


def test_a_chat_bot_names_a_word(bot, server):
    status, answer = ask(bot, {"text": "play"})
    known = {each["word"] for each in server.ask("/v1/classes").json["classes"]}
    assert status == 200
    assert answer["word"] in known
    assert answer["text"] == f"Please draw: {answer['word']}"


def test_a_chat_bot_scores_a_drawing(bot, server):
    message = {"word": ask(bot, {})[1]["word"], "drawing": DRAWING}
    found = server.ask("/v1/score", message).json
    seen = found["guesses"][0]["word"]
    text = f"I see: {seen}! {found['score']} of 100 points for you."
    assert ask(bot, message) == (200, {"text": text})


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ({"word": "no such thing", "drawing": DRAWING}, "does not know that word"),
        ({"drawing": DRAWING}, "body.word"),
        ({"word": "x", "drawing": "?"}, "body.drawing"),
    ],
)
def test_a_chat_bot_tells_what_the_server_says(bot, message, problem):
    status, answer = ask(bot, message)
    assert status == 200
    assert answer["text"].startswith("Once more, please: ")
    assert problem in answer["text"]


def test_a_webhook_is_short():
    lines = (EXAMPLES / "chat_bot.py").read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("import"))
    assert len([line for line in lines[first:] if line]) <= 30


# The Dockerfile.


def copied():
    for kind, rest in STEPS:
        if kind == "COPY":
            *sources, target = shlex.split(rest)
            yield from ((source, target) for source in sources)


def test_all_that_an_image_copies_is_there():
    assert len(list(copied())) == 5
    for source, _ in copied():
        assert (ROOT / source).exists(), source


@pytest.mark.slow
def test_an_image_would_answer(boxed, guesses, tmp_path):
    """Its steps, but for the image: copied, installed, started in an empty place."""
    place, port = tmp_path / "quickdraw", free_port()
    place.mkdir()
    for source, target in copied():
        origin = boxed / source if (boxed / source).exists() else ROOT / source
        if origin.is_dir():
            shutil.copytree(origin, place / target)
        else:
            shutil.copy(origin, place / target)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    path = f"{tmp_path / 'venv' / 'bin'}:/usr/bin:/bin"
    env = {"PATH": path, "PORT": str(port), "HOME": str(tmp_path)}
    for kind, command in STEPS:
        if kind == "RUN":
            subprocess.run(["sh", "-c", command], cwd=place, env=env, check=True)
    ((_, start),) = [step for step in STEPS if step[0] == "CMD"]
    with started(["sh", "-c", start], port, cwd=place, env=env) as address:
        answer = ask(f"{address}/v1/predict", {"drawing": DRAWING})
    assert answer == (200, {"guesses": guesses})
