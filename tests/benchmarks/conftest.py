"""What the tests of the benchmarks share."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def measure():
    """Runs a benchmark as its user does: `measure(name, *flags)`."""

    def measure(name, *flags):
        return subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *flags],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )

    return measure
