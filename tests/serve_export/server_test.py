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
from serve_export import server as server_module
from serve_export.predictor import Predictor

HEAVY = ("apache_beam", "tensorflow", "keras", "pyarrow", "PIL")

PREDICT_AND_SERVE = f"""
import json, sys
from serve_export import predict, server
from serve_export.api.app import ServerMetrics, Workers, create_app
from serve_export.api.workers.inference import Inference
from serve_export.api.settings import ServerSettings
from serve_export.drawings_store import DrawingsStore
from serve_export.predictor import Predictor

if __name__ == "__main__":
    Inference(Predictor(sys.argv[1]), ServerSettings()).warm_up()
    metrics = ServerMetrics()
    workers = Workers(ServerSettings(), metrics, sys.argv[1])
    store = DrawingsStore(sys.argv[2], 1000)
    create_app(workers, ServerSettings(), metrics, store)
    workers.close()
    print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""


def test_litert_needs_neither_tensorflow_nor_beam(exported_rnn, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(PREDICT_AND_SERVE)
    done = subprocess.run(
        [sys.executable, script, exported_rnn, tmp_path / "drawings"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
    assert done.stderr == ""


def test_no_process_has_a_library_of_training(server, drawing):
    server.send("/v1/predict", {"drawing": drawing})
    maps = "".join(
        Path(f"/proc/{pid}/maps").read_text()
        for pid in processes.find_process_tree(server.process.pid)
    )
    assert "_pywrap_litert" in maps
    for name in ("tensorflow_cc", "tensorflow_framework", "pyarrow", "apache_beam"):
        assert name not in maps


def test_memory_stays_small(server, drawing):
    for _ in range(20):
        server.send("/v1/predict", {"drawing": drawing})
    assert 0 < processes.measure_memory(server.process.pid) < 200 << 20


def test_guesses_are_those_of_the_predictor(server, exported_rnn):
    drawing = [[[10, 90, 90.5], [20, 20, 80]], [[50], [50]]]
    response = server.send("/v1/predict", {"drawing": drawing, "top_k": 2})
    expected = Predictor(str(exported_rnn)).guess(drawing, 2)
    assert response.status == 200
    for found, guess in zip(response.json["guesses"], expected, strict=True):
        assert found["word"] == guess.word
        assert found["probability"] == pytest.approx(guess.probability, abs=1e-6)


def test_a_saved_model_is_served(serving, exported_rnn, server, drawing):
    body = {"drawing": drawing, "top_k": 9}
    with serving(exported_rnn, "--runtime=savedmodel") as other:
        responses = []
        threads = [
            threading.Thread(
                target=lambda: responses.append(other.send("/v1/predict", body))
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    quantized = server.send("/v1/predict", body).json
    expected = {guess["word"]: guess["probability"] for guess in quantized["guesses"]}
    assert len(responses) == 8
    for response in responses:
        for guess in response.json["guesses"]:
            assert guess["probability"] == pytest.approx(
                expected[guess["word"]], abs=0.1
            )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_progress_is_answered_before_the_end(
    serving, exported_rnn, number
):
    body = b'{"drawing": [[[10, 90, 90], [20, 20, 80]]]}'
    with serving(exported_rnn, stderr=subprocess.PIPE) as server:
        host, _, port = server.address.rpartition("/")[2].partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(
                b"POST /v1/predict HTTP/1.1\r\nhost: x\r\n"
                b"content-type: application/json\r\n"
                b"content-length: %d\r\n\r\n%b" % (len(body), body[:10])
            )
            time.sleep(0.3)
            server.process.send_signal(number)
            time.sleep(0.3)
            connection.sendall(body[10:])
            assert b" 200 OK" in connection.recv(100)
        assert server.process.wait(20) == 0
        with server.process.stderr as stderr:
            assert stderr.read() == ""
        with pytest.raises(OSError, match="refused"):
            server.send("/healthz")


def test_a_port_in_use_is_a_one_line_error(exported_rnn):
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
    ("arguments", "message"),
    [
        (["--export_dir=nowhere"], "nowhere"),
        (["--export_dir=x", "--max_points=0"], "max_points must be ≥ 1. Received: 0"),
        (["--export_dir=x", "--rate_limit=-1"], "rate_limit must be ≥ 0"),
        (["--drawings_dir=/proc/self/cwd"], "symbolic links are not followed"),
    ],
)
def test_misuse_is_a_one_line_error(arguments, message):
    command = [sys.executable, "-m", "serve_export.server", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("module", "libraries"),
    [
        ("serve_export.server", ("numpy", "uvicorn", *HEAVY)),
        ("serve_export.api.app", ("numpy", "ai_edge_litert", *HEAVY)),
    ],
)
def test_libraries_are_loaded_where_they_are_needed(module, libraries):
    code = (
        f"import sys, {module}; "
        f"print([name for name in {libraries!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_all_interfaces_print_the_network_addresses(serving, exported_rnn):
    addresses = server_module.find_network_addresses()
    with serving(exported_rnn, "--host=0.0.0.0") as server:
        line = server.process.stdout.readline()
        assert server.address.startswith("http://127.0.0.1:")
        port = server.address.rpartition(":")[2]
        for address in addresses:
            assert f"http://{address}:{port}" in line
            server.address = f"http://{address}:{port}"
            assert server.send("/healthz").status == 200
        if not addresses:
            assert "no network address" in line
