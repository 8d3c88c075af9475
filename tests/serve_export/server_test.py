"""The server, as a process."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from serve_export.predictor import Predictor


@pytest.fixture(scope="module")
def address(exported_rnn):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "serve_export.server"]
    server = subprocess.Popen(
        [*command, f"--export_dir={exported_rnn}", f"--port={port}"]
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(f"{address}/healthz").read()
            break
        except urllib.error.URLError:
            time.sleep(0.1)
    yield address
    server.terminate()
    server.wait(10)


def post(address, body):
    request = urllib.request.Request(
        f"{address}/v1/predict", body, {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_answers_as_the_predictor_does(address, exported_rnn):
    drawing = [[[10, 90, 90.5], [20, 20, 80]], [[50], [50]]]
    body = json.dumps({"drawing": drawing, "top_k": 2}).encode()
    status, answer = post(address, body)
    expected = Predictor(str(exported_rnn)).guess(drawing, 2)
    assert status == 200
    assert [g["word"] for g in answer["guesses"]] == [g.word for g in expected]
    for found, guess in zip(answer["guesses"], expected):
        assert found["probability"] == pytest.approx(guess.probability, abs=1e-6)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "Field required"),
        (b"{", "JSON"),
        (b'{"drawing": 3}', "body.drawing"),
        (b'{"drawing": []}', "no strokes"),
        (b'{"drawing": [[[1, 2], [1]]]}', "unequal x and y"),
        (b'{"drawing": [[[NaN], [1]]]}', "finite"),
        (b'{"drawing": [[[1], [1]]], "top_k": 0}', "top_k"),
    ],
)
def test_bad_input_is_the_senders_fault(address, body, problem):
    status, answer = post(address, body)
    assert status == 422
    assert problem in answer["error"]["message"]
