"""docs/examples: each is started, with a small bundled model."""

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
DOCKERFILE = (ROOT / "docker" / "serve.Dockerfile").read_text(encoding="utf-8")
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


def post(address, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(
        address, data, {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture(scope="module")
def guesses(package_copy):
    """The expected guesses."""
    found = Predictor(str(package_copy / "serve_export" / "pretrained")).guess(DRAWING)
    return [guess._asdict() for guess in found]


# The Cloud Function.


@pytest.fixture(scope="module")
def function(package_copy, tmp_path_factory):
    """The function's folder, served by Google's framework."""
    folder = tmp_path_factory.mktemp("cloud") / "function"
    shutil.copytree(package_copy, folder)
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
    assert post(function, {"drawing": DRAWING}) == (200, {"guesses": guesses})


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"{", 400, "send JSON"),
        ([], 400, "send JSON"),
        ({"drawing": "cat"}, 400, "send JSON"),
        ({"drawing": []}, 422, "no strokes"),
        ({"drawing": [[[1, 2], [1]]]}, 422, "unequal x and y"),
        ({"drawing": [{"x": [1], "y": [1]}]}, 422, "not a drawing"),
        ({"drawing": [[[0, 9] * 9999, [9, 0] * 9999]]}, 422, "too long"),
        (b" " * (1 << 21), 413, "too large"),
    ],
)
def test_a_cloud_function_says_what_is_wrong(function, body, status, problem):
    found, response = post(function, body)
    assert found == status
    assert problem in response["error"]


# The chat bot.


@contextlib.contextmanager
def run_bot(server_address):
    port = free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", f"--app-dir={EXAMPLES}"),
        *("chat_bot:bot", f"--port={port}", "--log-level=warning"),
    ]
    env = os.environ | {"SERVER": server_address}
    with started(command, port, env=env) as address:
        yield f"{address}/webhook"


@pytest.fixture(scope="module")
def bot(server):
    """The webhook, in front of a server."""
    with run_bot(server.address) as address:
        yield address


def test_the_chat_bot_asks_for_a_word_that_the_model_knows_well(bot, server):
    classes = server.send("/v1/classes").json["classes"]
    top1 = {each["word"]: each["top1"] or 0 for each in classes}
    status, response = post(bot, {"text": "play"})
    assert status == 200
    assert response["text"] == f"Please draw: {response['word']}"
    known_well = {word for word in top1 if top1[word] >= 0.8}
    assert response["word"] in (known_well or top1)


def test_the_chat_bot_scores_a_drawing(bot, server):
    message = {"word": post(bot, {})[1]["word"], "drawing": DRAWING}
    result = server.send("/v1/score", message).json
    guess = result["guesses"][0]["word"]
    text = f"I see: {guess}! {result['score']} of 100 points for you."
    assert post(bot, message) == (200, {"text": text})


@pytest.mark.parametrize(
    "message",
    [
        {"word": "no such thing", "drawing": DRAWING},
        {"drawing": DRAWING},
        {"word": "x", "drawing": "?"},
    ],
)
def test_the_chat_bot_explains_a_problem_in_words(bot, message):
    status, response = post(bot, message)
    assert status == 200
    assert response["text"].startswith("I could not read that drawing.")
    assert not set("{}_[]") & set(response["text"])


def test_the_chat_bot_refuses_what_is_no_message(bot):
    for body in (b"", b"{", b"[]"):
        assert post(bot, body)[0] == 400


def test_the_chat_bot_survives_a_server_that_is_away():
    with run_bot(f"http://127.0.0.1:{free_port()}") as bot:
        for message in ({}, {"word": "cat", "drawing": DRAWING}):
            status, response = post(bot, message)
            assert status == 200
            assert response["text"].startswith("I am asleep right now.")


# The Dockerfile.


def copied():
    for kind, rest in STEPS:
        if kind == "COPY":
            *sources, target = shlex.split(rest)
            yield from ((source, target) for source in sources)


def test_all_that_an_image_copies_is_there():
    assert len(list(copied())) == 6
    for source, _ in copied():
        assert (ROOT / source).exists(), source


@pytest.mark.slow
def test_the_steps_of_the_image_make_a_server(package_copy, guesses, tmp_path):
    """Its steps, but for the image: copied, installed, started in an empty place."""
    place, port = tmp_path / "quickdraw", free_port()
    place.mkdir()
    for source, target in copied():
        origin = (
            package_copy / source if (package_copy / source).exists() else ROOT / source
        )
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
    with started(json.loads(start), port, cwd=place, env=env) as address:
        response = post(f"{address}/v1/predict", {"drawing": DRAWING})
    assert response == (200, {"guesses": guesses})
