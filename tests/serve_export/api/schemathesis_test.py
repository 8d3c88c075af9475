"""Schemathesis sends what the OpenAPI document allows, and what it does not."""

import subprocess
import sys
from pathlib import Path


def test_it_finds_nothing(server, tmp_path):
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", f"{server.address}/openapi.json", "--checks=all"),
        # A schema cannot express that a stroke has as many x as y.
        "--exclude-checks=positive_data_acceptance",
        *("--phases=examples,coverage,fuzzing", "--max-examples=5", "--seed=1"),
        *("--max-time=6", "--no-color", "--generation-database=none"),
    ]
    # It writes a cache into the current directory.
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:]
    assert server.send("/readyz").status == 200
