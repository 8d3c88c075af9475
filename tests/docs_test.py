"""README.md and docs/commands.md: every command is run, or listed with a reason."""

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import sample

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/commands.md")

NOT_RUN = {
    "make": "runs the whole installation; run by hand from a fresh clone",
    "pip install": "tests/package_test.py installs the package",
    "tensorboard": "does not end by itself",
    "python -m pipeline.download": "needs Google's bucket",
    "python -m serve_export.server": "does not end by itself; server_test.py starts it",
    "python -m benchmarks": "takes minutes; tests/benchmarks runs them on small data",
}

SHORTENED = (
    (r"^python train\.py .*", r"\g<0> --epochs=1"),
    (r"(rnn_model\.launch .*)", r"\1 --epochs=1"),
    (r"(rnn_model\.sweep .*)", r"\1 --epochs=1"),
    (r"--search=40", "--search=2"),
    (r"--grid=optimizer:adam,sgd,adadelta", "--grid=optimizer:adam,sgd"),
    (r"--grid=learning_rate:1e-4,1e-2,0.5", "--grid=learning_rate:1e-4"),
)
"""Replacements that make a command short enough for a test."""


def commands_of(page: str) -> list[str]:
    """Returns the shell commands of a page's code blocks and tables."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S))
    lines = blocks.replace("\\\n", " ").splitlines()
    lines += re.findall(r"^\|.*?`(python [^`]*)` \|", text, re.M)
    commands = [re.sub(r"\s+# .*|^#.*", "", line).strip() for line in lines]
    return [" ".join(command.split()) for command in commands if command]


COMMANDS = {page: commands_of(page) for page in PAGES}


@pytest.fixture
def workspace(tmp_path):
    """A directory like a checkout, with drawings of the classes that the docs name."""
    for path in ROOT.iterdir():
        if path.suffix == ".py" or (path / "__init__.py").exists():
            (tmp_path / path.name).symlink_to(path)
    doodles = tmp_path / "doodles"
    sample.write_sample(doodles, 60, 0, sample.CLASSES[:3])
    (tmp_path / "drawings").mkdir()
    for path, word in zip(sorted(doodles.glob("*.ndjson")), ("cat", "dog", "owl")):
        text = re.sub(r'"word": ?"[^"]*"', f'"word":"{word}"', path.read_text())
        (tmp_path / "drawings" / f"{word}.ndjson").write_text(text)
        with gzip.open(tmp_path / "drawings" / f"{word}.ndjson.gz", "wt") as file:
            file.write(text)
    create = (
        "python -m pipeline.create_dataset --classes=dog,owl --output_dir=data/ours"
    )
    run(f"{create} --input='drawings/*.ndjson'", tmp_path)
    return tmp_path


def run(command: str, folder: Path) -> None:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    }
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_every_exception_names_a_command_of_the_pages():
    commands = [command for page in PAGES for command in COMMANDS[page]]
    for prefix in NOT_RUN:
        assert any(command.startswith(prefix) for command in commands), prefix


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_run_in_order(page, workspace):
    for command in COMMANDS[page]:
        if not command.startswith(tuple(NOT_RUN)):
            for pattern, replacement in SHORTENED:
                command = re.sub(pattern, replacement, command)
            run(command, workspace)
