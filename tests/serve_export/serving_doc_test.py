"""docs/serving.md: its commands run, its flags, paths and links exist."""

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
"""In the examples; the tests use a free one instead."""

RUNNERS = {"sh": ("bash", "-e"), "python": (sys.executable,), "js": ("node",)}
SUFFIXES = {"js": "mjs"}  # allows `await` at the top level
RUN = [(kind, code) for kind, run, code in BLOCKS if run]
SHELL = "\n".join(code for kind, _, code in BLOCKS if kind in ("sh", "ini"))


@pytest.fixture(scope="module")
def checkout(package_copy, tmp_path_factory):
    """A checkout with what the page needs, and a small bundled model."""
    folder = tmp_path_factory.mktemp("checkout") / "quickdraw"
    shutil.copytree(package_copy, folder)
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "requirements-serve.txt", folder)
    return folder


@pytest.fixture(scope="module")
def port(serving, checkout, package_copy_settings):
    """The port of a server in that checkout."""
    with serving(None, **package_copy_settings | {"cwd": checkout}) as server:
        yield server.address.rpartition(":")[2]


@pytest.mark.parametrize(
    ("kind", "code"), RUN, ids=[f"{i}-{kind}" for i, (kind, _) in enumerate(RUN)]
)
def test_marked_blocks_run(kind, code, checkout, port, tmp_path):
    if not shutil.which(RUNNERS[kind][0]):
        pytest.skip(f"no {RUNNERS[kind][0]} on this machine")
    script = tmp_path / f"block.{SUFFIXES.get(kind, kind)}"
    script.write_text(code.replace(f":{PORT}", f":{port}"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        [*RUNNERS[kind], script], cwd=checkout, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout or "cp " in code


def test_the_rate_limit_uses_the_address_that_a_proxy_sends(
    serving, package_copy_settings
):
    with serving(None, "--rate_limit=1", **package_copy_settings) as server:
        responses = [
            server.send("/healthz", x_forwarded_for="10.0.0.1") for _ in range(9)
        ]
        other = server.send("/healthz", x_forwarded_for="10.0.0.2")
    assert responses[-1].status == 429
    assert other.status == 200


def test_blocks_of_each_language_run():
    assert {kind for kind, _ in RUN} == set(RUNNERS)


def list_flags(module):
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True
    )
    return set(re.findall(r"^  --(\w+)$", done.stdout, re.M))


def test_flags_exist():
    server = list_flags("serve_export.server")
    lines = SHELL.replace("\\\n", " ").splitlines()
    started = [
        line for line in lines if re.search(r"serve_export.server|-serve\b", line)
    ]
    assert started
    for line in started:
        assert set(re.findall(r"--(\w+)", line)) <= server
    # Also in the text; flags of other programs have no underscore.
    named = set(re.findall(r"--(\w+_\w+)", TEXT))
    assert named <= server
    assert {"drawings_dir", "allow_origins"} <= named


def test_paths_exist():
    paths = re.findall(r"\b(?:docs|tests|serve_export|benchmarks)/[\w./]*[\w/]", TEXT)
    links = [f"docs/{link}" for link in re.findall(r"\]\((examples/[^)]*)\)", TEXT)]
    assert links
    for path in {*paths, *links, "requirements-serve.txt", "constraints.txt"}:
        assert (ROOT / path).exists(), path


def test_the_table_of_contents_is_complete():
    titles = re.findall(r"^##+ (.*)$", TEXT, re.M)
    anchors = {title.lower().replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) == anchors
