"""docs/python.md: its examples run in order in one process."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

NOT_RUN = {
    "import datasets": "the package datasets is not a dependency",
    "from pipeline.download": "needs Google's bucket",
}
"""Start of each example that is not run, and the reason."""


def find_examples() -> list[str]:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)


def test_every_exception_is_an_example_of_the_page():
    for start in NOT_RUN:
        assert any(example.startswith(start) for example in find_examples()), start


def test_the_examples_run_in_order(tmp_path):
    examples = [
        example for example in find_examples() if not example.startswith(tuple(NOT_RUN))
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(examples)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    output = done.stdout.splitlines()
    assert any(re.fullmatch(r"square  \d+%", line) for line in output)
    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "predictions" / "predictions.json").exists()
    assert (tmp_path / "report" / "index.html").exists()
