"""Fixtures of the benchmarks' tests."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def run_benchmark():
    """Runs a benchmark as a command: `run_benchmark(name, *flags)`."""

    def run_benchmark(name, *flags):
        return subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *flags],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )

    return run_benchmark
