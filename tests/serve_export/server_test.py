"""The server as a process: what it needs, how it starts and how it stops."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from benchmarks import processes
from serve_export.predictor import Predictor

HEAVY = ("apache_beam", "tensorflow", "keras", "pyarrow", "PIL")

ANSWERING = """
import json, sys
from serve_export import predict, server
from serve_export.api.app import make_app
from serve_export.api.service import Service
from serve_export.api.settings import Settings
from serve_export.drawings_store import DrawingsStore
from benchmarks import processes
from serve_export.predictor import Predictor

predictor = Predictor(sys.argv[1])
predictor.guess([[[1.5, 200, 30], [4, 5, 100]]])
service = Service(predictor, Settings())
make_app(service, Settings(), DrawingsStore(sys.argv[2], 1000))
print(json.dumps([name for name in %r if name in sys.modules]))
"""


def test_answers_on_litert_without_what_training_needs(exported_rnn, tmp_path):
    command = [sys.executable, "-c", ANSWERING % (HEAVY,)]
    done = subprocess.run(
        [*command, exported_rnn, tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
    assert done.stderr == ""


def test_no_library_of_training_is_in_the_process(server, drawing):
    server.ask("/v1/predict", {"drawing": drawing})
    mapped = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "_pywrap_litert" in mapped
    for name in ("tensorflow_cc", "tensorflow_framework", "pyarrow", "apache_beam"):
        assert name not in mapped


def test_memory_stays_small(server, drawing):
    for _ in range(20):
        server.ask("/v1/predict", {"drawing": drawing})
    assert 0 < processes.measure_memory(server.process.pid) < 200 << 20


def test_answers_as_the_predictor_does(server, exported_rnn):
    drawing = [[[10, 90, 90.5], [20, 20, 80]], [[50], [50]]]
    answer = server.ask("/v1/predict", {"drawing": drawing, "top_k": 2})
    expected = Predictor(str(exported_rnn)).guess(drawing, 2)
    assert answer.status == 200
    for found, guess in zip(answer.json["guesses"], expected, strict=True):
        assert found["word"] == guess.word
        assert found["probability"] == pytest.approx(guess.probability, abs=1e-6)


def test_a_savedmodel_is_served_too(serving, exported_rnn, server, drawing):
    with serving(exported_rnn, "--runtime=savedmodel") as other:
        answers = []
        threads = [
            threading.Thread(
                target=lambda: answers.append(
                    other.ask("/v1/predict", {"drawing": drawing, "top_k": 9})
                )
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    quantised = server.ask("/v1/predict", {"drawing": drawing, "top_k": 9}).json
    expected = {guess["word"]: guess["probability"] for guess in quantised["guesses"]}
    for answer in answers:
        for guess in answer.json["guesses"]:
            assert guess["probability"] == pytest.approx(
                expected[guess["word"]], abs=0.1
            )


def test_a_request_under_way_is_answered_before_the_end(serving, exported_rnn):
    zigzag = [[list(range(3000)), [3 * (i % 2) for i in range(3000)]]]
    zigzag[0][1][1] = 2999  # as high as wide
    with serving(exported_rnn) as server:
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(
                server.ask("/v1/predict", {"drawing": zigzag})
            )
        )
        thread.start()
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        thread.join()
        assert answers[0].status == 200
        server.process.wait(20)
        with pytest.raises(OSError, match="refused"):
            server.ask("/healthz")


def test_its_lanes_end_with_it_even_if_it_is_killed(serving, exported_rnn):
    with serving(exported_rnn) as server:
        tree = processes.find_process_tree(server.process.pid)
        assert len(tree) > 2
        server.process.kill()
        server.process.wait()
        deadline = time.monotonic() + 20
        while any(Path(f"/proc/{pid}").exists() for pid in tree):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_port_in_use_is_one_line(exported_rnn):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "serve_export.server", f"--port={port}"]
        done = subprocess.run(
            [*command, f"--export_dir={exported_rnn}"], capture_output=True, text=True
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "Address already in use" in line


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--export_dir=nowhere"], "nowhere holds no export"),
        (["--export_dir=x", "--max_points=0"], "max_points must be ≥ 1. Received: 0"),
        (["--export_dir=x", "--rate_limit=-1"], "rate_limit must be ≥ 0"),
    ],
)
def test_misuse_is_one_line(arguments, problem):
    command = [sys.executable, "-m", "serve_export.server", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert problem in line
