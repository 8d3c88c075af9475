"""docs/serving.md: what it says to run is run, what it names is there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)( run)?\n(.*?)^```$", TEXT, re.M | re.S)
PORT = "8080"
"""The page's; here it is any that is free."""

RUNNERS = {"sh": ("bash", "-e"), "python": (sys.executable,), "js": ("node",)}
SUFFIXES = {"js": "mjs"}  # so that `await` may stand at the top
RUN = [(kind, code) for kind, run, code in BLOCKS if run]
SHELL = "\n".join(code for kind, _, code in BLOCKS if kind in ("sh", "ini"))


@pytest.fixture(scope="module")
def place(boxed, tmp_path_factory):
    """A checkout as far as the page needs it, with a model in the box."""
    folder = tmp_path_factory.mktemp("checkout") / "quickdraw"
    shutil.copytree(boxed, folder)
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "requirements-serve.txt", folder)
    return folder


@pytest.fixture(scope="module")
def port(serving, place, box_settings):
    """Of a server in that place."""
    with serving(None, **box_settings | {"cwd": place}) as server:
        yield server.address.rpartition(":")[2]


@pytest.mark.parametrize(
    ("kind", "code"), RUN, ids=[f"{i}-{kind}" for i, (kind, _) in enumerate(RUN)]
)
def test_what_is_marked_runs(kind, code, place, port, tmp_path):
    if not shutil.which(RUNNERS[kind][0]):
        pytest.skip(f"no {RUNNERS[kind][0]} on this machine")
    script = tmp_path / f"block.{SUFFIXES.get(kind, kind)}"
    script.write_text(code.replace(f":{PORT}", f":{port}"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "PYTHONPATH": str(place)}
    done = subprocess.run(
        [*RUNNERS[kind], script], cwd=place, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout or "cp " in code


def test_a_proxy_tells_whose_rate_is_limited(serving, box_settings):
    with serving(None, "--rate_limit=1", **box_settings) as server:
        asked = [server.ask("/healthz", x_forwarded_for="10.0.0.1") for _ in range(9)]
        other = server.ask("/healthz", x_forwarded_for="10.0.0.2")
    assert asked[-1].status == 429
    assert other.status == 200


def test_most_kinds_are_run():
    """Else the tests above would prove little."""
    assert {kind for kind, _ in RUN} == set(RUNNERS)


def flags_of(module):
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True
    )
    return set(re.findall(r"^  --(\w+)$", done.stdout, re.M))


def test_every_flag_of_ours_is_one():
    server = flags_of("serve_export.server")
    lines = SHELL.replace("\\\n", " ").splitlines()
    started = [
        line for line in lines if re.search(r"serve_export.server|-serve\b", line)
    ]
    assert started
    for line in started:
        assert set(re.findall(r"--(\w+)", line)) <= server
    # In the text too: no other program here has flags with such names.
    named = set(re.findall(r"--(\w+_\w+)", TEXT))
    assert named <= server
    assert {"drawings_dir", "allow_origins"} <= named


def test_every_path_is_there():
    paths = re.findall(r"\b(?:docs|tests|serve_export|benchmarks)/[\w./]*[\w/]", TEXT)
    links = [f"docs/{link}" for link in re.findall(r"\]\((examples/[^)]*)\)", TEXT)]
    assert links
    for path in {*paths, *links, "requirements-serve.txt", "constraints.txt"}:
        assert (ROOT / path).exists(), path


def test_the_table_of_contents_leads_somewhere():
    titles = re.findall(r"^##+ (.*)$", TEXT, re.M)
    anchors = {title.lower().replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) == anchors
