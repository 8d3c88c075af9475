"""The package: what an empty environment gets from the built sdist."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = (
    "create-dataset",
    "download",
    "convert",
    "describe",
    "train",
    "evaluate",
    "export",
    "predict",
    "serve",
)

BUILD = """
import sys
from setuptools import build_meta
build_meta.build_sdist(sys.argv[1])
"""

OLD_PYTHON = """
import sys
sys.version_info = (3, 10, 2, "final", 0)
exec(compile(open("setup.py").read(), "setup.py", "exec"))
"""


def check(*command, **settings):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, **settings
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "source"
    check("git", "clone", "--quiet", ROOT, source)
    check(sys.executable, "-c", BUILD, folder, cwd=source)
    return next(folder.glob("*.tar.gz"))


def test_sdist_holds_the_packages_and_what_setup_reads(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.py", "README.md", "LICENSE", "pyproject.toml"} <= names
    for floor in ("tfrecords", "pipeline", "rnn_model", "serve_export"):
        ours = {str(path.relative_to(ROOT)) for path in (ROOT / floor).rglob("*.py")}
        assert ours <= names


def test_an_old_python_is_a_one_line_error():
    done = subprocess.run(
        [sys.executable, "-c", OLD_PYTHON], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "error: quickdraw-rnn needs Python 3.11 or newer\n"


@pytest.mark.slow
def test_sdist_installs_into_an_empty_environment(sdist, tmp_path):
    check(sys.executable, "-m", "venv", tmp_path / "worker")
    bin_dir = tmp_path / "worker" / "bin"
    check(bin_dir / "pip", "install", "-q", "-c", ROOT / "constraints.txt", sdist)
    installed = check(bin_dir / "pip", "list", "--format=freeze")
    assert "tensorflow" not in installed
    check(bin_dir / "python", "-m", "pipeline.sample", "--output_dir=in", cwd=tmp_path)
    check(
        bin_dir / "quickdraw-create-dataset",
        "--input=in/*.ndjson",
        "--output_dir=out",
        cwd=tmp_path,
    )
    check(bin_dir / "pip", "install", "-q", "-c", ROOT / "constraints.txt",
          f"{sdist}[train,serve]")  # fmt: skip
    for command in COMMANDS:
        usage = check(bin_dir / f"quickdraw-{command}", "--help", cwd=tmp_path)
        assert "Flags:" in usage
    check(
        bin_dir / "quickdraw-train",
        "--data_dir=out",
        "--workdir=run",
        "--model=mlp",
        "--epochs=1",
        cwd=tmp_path,
    )


def test_the_slim_list_holds_all_that_serving_adds():
    setup = (ROOT / "setup.py").read_text()
    slim = (ROOT / "requirements-serve.txt").read_text().splitlines()
    scope = {}
    lists = setup[setup.index("LITERT =") : setup.index("REPORT =")]
    exec(lists, scope)
    assert set(scope["SERVE"]) <= set(slim)


@pytest.mark.slow
def test_the_slim_install_answers(sdist, exported_rnn, tmp_path):
    check(sys.executable, "-m", "venv", tmp_path / "host")
    bin_dir = tmp_path / "host" / "bin"
    pip = bin_dir / "pip", "install", "-q", "-c", ROOT / "constraints.txt"
    check(*pip, "-r", ROOT / "requirements-serve.txt")
    check(*pip, "--no-deps", sdist)
    installed = check(bin_dir / "pip", "list", "--format=freeze")
    for heavy in ("tensorflow", "keras", "apache-beam", "pyarrow"):
        assert heavy not in installed
    examples = exported_rnn / "examples.ndjson"
    answers = check(
        bin_dir / "quickdraw-predict",
        f"--export_dir={exported_rnn}",
        f"--input={examples}",
        cwd=tmp_path,
    )
    assert len(answers.splitlines()) == len(examples.read_text().splitlines())
    check(bin_dir / "python", "-c", "import serve_export.api.app", cwd=tmp_path)
