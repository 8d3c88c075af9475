"""The layers of the project: what may import what."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAYERS = ("tfrecords", "pipeline", "rnn_model", "serve_export")
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for layer in LAYERS
    for path in (ROOT / layer).rglob("*.py")
)
WITHOUT_TENSORFLOW = [
    name
    for name in MODULES
    if name.startswith(("tfrecords", "pipeline")) and name != "tfrecords.decode"
]
HEAVY = ("tensorflow", "keras", "starlette", "matplotlib", "PIL")


def find_imports(module: str) -> set[str]:
    """Returns the top-level packages that a module imports, anywhere in it."""
    path = ROOT / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import hides the layer"
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def test_imports_point_down():
    upward = {}
    for module in MODULES:
        layer = LAYERS.index(module.partition(".")[0])
        above = {*LAYERS[layer + 1 :], "train", "evaluate", "tests", "benchmarks"}
        if imported := find_imports(module) & above:
            upward[module] = imported
    assert upward == {}


def test_schema_imports_the_standard_library_only():
    assert find_imports("tfrecords.schema") <= set(sys.stdlib_module_names)


def find_loaded(modules: list[str], packages: tuple[str, ...]) -> list[str]:
    """Returns which packages a new process has loaded after importing modules."""
    code = "\n".join(
        [
            "import sys",
            *(f"import {name}" for name in modules),
            f"print(*[name for name in {packages!r} if name in sys.modules])",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_pipeline_and_tfrecords_do_not_load_tensorflow():
    assert find_loaded(WITHOUT_TENSORFLOW, HEAVY) == []


def test_input_formats_do_not_load_beam():
    assert find_loaded(["pipeline.formats.reader"], ("apache_beam", *HEAVY)) == []


def test_serving_loads_neither_beam_nor_tensorflow():
    modules = ["serve_export.predict", "serve_export.server"]
    assert find_loaded(modules, ("tensorflow", "keras", "apache_beam")) == []


def test_every_package_describes_its_modules():
    undocumented = [
        module
        for module in MODULES
        if (path := ROOT / module.replace(".", "/")).is_dir()
        and not ast.get_docstring(ast.parse((path / "__init__.py").read_text()))
    ]
    assert undocumented == []


def test_scripts_are_a_few_lines():
    for script in ("train.py", "evaluate.py"):
        assert len((ROOT / script).read_text().splitlines()) < 10
