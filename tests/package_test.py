"""The package: what an empty environment gets from the built sdist."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import pytest
from apache_beam.internal import pickler

from pipeline.beam_job.config import JobConfig, JobContext
from pipeline.beam_job.transforms import ParseBlock
from pipeline.formats.blocks import Block
from serve_export import layout

ROOT = Path(__file__).parents[1]
COMMANDS = (
    "create-dataset",
    "download",
    "convert",
    "describe",
    "train",
    "sweep",
    "launch",
    "evaluate",
    "export",
    "predict",
    "predict-batch",
    "serve",
)

BUILD = """
import sys
from setuptools import build_meta
getattr(build_meta, "build_" + sys.argv[1])(sys.argv[2])
"""

WORK = """
import sys
from apache_beam.internal import pickler
step, block = pickler.loads(open(sys.argv[1], "rb").read())
step.setup()
print(sum(1 for _ in step.process(block)))
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
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist") / "source"
    check("git", "clone", "--quiet", ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def sdist(source):
    check(sys.executable, "-c", BUILD, "sdist", source.parent, cwd=source)
    return next(source.parent.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(source, request):
    """A wheel with a bundled model: the real one, or a small one if there is none."""
    bundled_dir = source / "serve_export" / "pretrained"
    if not layout.list_versions(str(bundled_dir)):
        exported_rnn = request.getfixturevalue("exported_rnn")
        (bundled_dir / "1").mkdir(parents=True)
        files = layout.LITERT_INT8_FILE, layout.METRICS_FILE, layout.EXAMPLES_FILE
        for name in files:
            shutil.copy(exported_rnn / name, bundled_dir / "1")
    check(sys.executable, "-c", BUILD, "wheel", source.parent, cwd=source)
    return next(source.parent.glob("*.whl"))


def test_sdist_holds_the_packages_and_what_setup_reads(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.py", "README.md", "LICENSE", "pyproject.toml"} <= names
    for floor in ("tfrecords", "pipeline", "rnn_model", "serve_export"):
        ours = {str(path.relative_to(ROOT)) for path in (ROOT / floor).rglob("*.py")}
        assert ours <= names
    for folder in ("pretrained", "static"):
        assert files_of(ROOT / "serve_export" / folder, ROOT) <= names


def files_of(folder, root):
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(root)) for path in paths}


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
    # What a launcher sends to a worker, with the installed package and nothing else.
    line = b'{"word":"cat","key_id":"1","drawing":[[[0,255],[0,255]]]}\n'
    block = Block("gs://bucket/cat.ndjson", "simplified", 1, line)
    out = "gs://bucket/out"
    step = ParseBlock(JobContext(JobConfig(), out, f"{out}/.unfinished/0", "owner"))
    (tmp_path / "sent").write_bytes(pickler.dumps((step, block)))
    made = check(bin_dir / "python", "-c", WORK, "sent", cwd=tmp_path)
    assert made == "2\n"  # the counts and a run of drawings
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


@pytest.mark.slow
def test_an_installed_wheel_opens_the_game_on_the_model_in_the_box(
    wheel, source, tmp_path
):
    with zipfile.ZipFile(wheel) as archive:
        for folder in ("pretrained", "static"):
            files = files_of(source / "serve_export" / folder, source)
            assert files <= set(archive.namelist())
    check(sys.executable, "-m", "venv", tmp_path / "host")
    bin_dir = tmp_path / "host" / "bin"
    pip = bin_dir / "pip", "install", "-q", "-c", ROOT / "constraints.txt"
    check(*pip, "-r", ROOT / "requirements-serve.txt")
    check(*pip, "--no-deps", wheel)
    server = subprocess.Popen(
        [bin_dir / "quickdraw-serve", "--port=0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = server.stdout.readline().split()[-1]
        body = json.dumps({"drawing": [[[10, 90, 90], [20, 20, 80]]]}).encode()
        request = urllib.request.Request(
            f"{address}/v1/predict", body, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            assert len(json.load(answer)["guesses"]) == 3
        with urllib.request.urlopen(f"{address}/") as answer:
            assert answer.headers["content-type"].startswith("text/html")
    finally:
        server.terminate()
        with server.stdout:
            server.wait(20)


def find_python(version):
    """Returns an interpreter of a version, on the PATH or installed by pyenv."""
    names = [shutil.which(f"python{version}")]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    names += pyenv.glob(f"versions/{version}.*/bin/python")
    for name in filter(None, names):  # pyenv's own commands may lack their version
        if not subprocess.run([name, "--version"], capture_output=True).returncode:
            return name
    pytest.skip(f"no Python {version} on the PATH or in {pyenv}")


def make_environment(python, folder, *packages):
    """Installs packages into an empty environment; returns its `bin` folder."""
    constraint = "--quiet", "--constraint", ROOT / "constraints.txt"
    if importlib.util.find_spec("uv"):  # a third of pip's time
        uv = sys.executable, "-m", "uv"
        check(*uv, "venv", "--quiet", "--no-project", "--python", python, folder)
        pip = *uv, "pip", "install", "--python", folder / "bin" / "python"
    else:
        check(python, "-m", "venv", folder)
        pip = folder / "bin" / "pip", "install"
    check(*pip, *constraint, *packages)
    return folder / "bin"


VERSIONS = ("3.11", "3.12", "3.13")


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("extras", ["[train,gcp]", "[test]"])
def test_constraints_can_be_resolved(source, tmp_path, version, extras):
    """Each supported Python resolves the pins, also those that Beam excludes."""
    check(find_python(version), "-m", "venv", tmp_path / "venv")
    check(
        *(tmp_path / "venv" / "bin" / "pip", "install", "--dry-run", "--quiet"),
        *("--constraint", "constraints.txt", f".{extras}"),
        cwd=source,
    )


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_each_python_goes_from_drawings_to_predictions(
    request, data_dir, doodles, tmp_path, version, kind
):
    """In an empty environment, with the same bytes of the shards as here."""
    package = request.getfixturevalue(kind)
    python = find_python(version)
    bin_dir = make_environment(python, tmp_path / "venv", f"{package}[train,report]")

    def run(command, *flags):
        return check(bin_dir / f"quickdraw-{command}", *flags, cwd=tmp_path)

    run(
        "create-dataset",
        *(f"--input={doodles}/*.ndjson", "--output_dir=data", "--num_shards=2"),
    )
    made = {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir()}
    assert made == {path.name: path.read_bytes() for path in data_dir.iterdir()}
    # 4 batches an epoch: 20 steps.
    run(
        "train",
        *("--data_dir=data", "--workdir=run", "--batch_size=32", "--epochs=5"),
    )
    run("evaluate", "--data_dir=data", "--workdir=run", "--report_dir=report")
    assert (tmp_path / "report" / "metrics.json").exists()
    run("export", "--data_dir=data", "--workdir=run", "--output_dir=exports")
    drawings = min(doodles.iterdir())
    lines = run("predict", "--export_dir=exports", f"--input={drawings}").splitlines()
    assert len(lines) == len(drawings.read_text().splitlines())
    assert all(json.loads(line)["guesses"] for line in lines)
