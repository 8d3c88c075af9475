"""The floors of the house: what may import what, read and run."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ("tfrecords", "pipeline", "rnn_model", "serve_export")
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for floor in FLOORS
    for path in (ROOT / floor).rglob("*.py")
)
WITHOUT_TENSORFLOW = [
    name
    for name in MODULES
    if name.startswith(("tfrecords", "pipeline")) and name != "tfrecords.decode"
]
HEAVY = ("tensorflow", "keras", "starlette", "matplotlib", "PIL")


def path_of(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports_of(module: str) -> set[str]:
    """The rooms that a module imports from, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path_of(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative imports hide the floor"
            found.add(node.module)
    return {name.partition(".")[0] for name in found}


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    floor = FLOORS.index(module.partition(".")[0])
    above = set(FLOORS[floor + 1 :]) | {"train", "evaluate", "tests"}
    assert not imports_of(module) & above


def test_schema_needs_the_standard_library_alone():
    assert imports_of("tfrecords.schema") <= set(sys.stdlib_module_names)


def loaded_by(modules: list[str], heavy: tuple[str, ...]) -> list[str]:
    """Which of the heavy packages a fresh process has after importing modules."""
    code = "\n".join(
        [
            "import sys",
            *(f"import {name}" for name in modules),
            f"print(*[name for name in {heavy!r} if name in sys.modules])",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_pipeline_and_records_never_load_tensorflow():
    assert loaded_by(WITHOUT_TENSORFLOW, HEAVY) == []


def test_what_answers_loads_neither_beam_nor_tensorflow_at_once():
    answering = ["serve_export.predict", "serve_export.server"]
    assert loaded_by(answering, ("tensorflow", "keras", "apache_beam")) == []


def test_scripts_are_a_few_lines():
    for script in ("train.py", "evaluate.py"):
        assert len((ROOT / script).read_text().splitlines()) < 10
