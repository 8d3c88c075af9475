"""strokes.js equals the Python code bit for bit.

It runs in Node, which has the JavaScript engine of Chromium; Playwright contains one.
"""

import gzip
import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import simplification, strokes
from serve_export.formats import web

LOOP = """
import { createInterface } from "node:readline";
import { simplify, toInk } from "./strokes.mjs";
for await (const line of createInterface({ input: process.stdin })) {
  let result;
  try {
    const drawing = simplify(JSON.parse(line));
    result = { drawing, ink: [...toInk(drawing)] };
  } catch (error) {
    result = { error: error.message };
  }
  console.log(JSON.stringify(result));
}
"""

numbers = st.one_of(
    st.integers(-2000, 2000),
    st.integers(0, 40).map(lambda halves: halves / 2),
    st.floats(-1e6, 1e6),
    st.floats(allow_nan=False, allow_infinity=False),
)
strokes_of_numbers = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30).map(
    lambda points: [list(axis) for axis in zip(*points)]
)
raw_drawings = st.lists(strokes_of_numbers, min_size=1, max_size=4)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3),
)


def find_node() -> str:
    """Returns the path of Node, of this machine or of Playwright."""
    if found := shutil.which("node"):
        return found
    playwright = importlib.util.find_spec("playwright")
    if playwright is None:
        pytest.skip("neither node nor Playwright is installed")
    return str(Path(playwright.origin).parent / "driver" / "node")


@pytest.fixture(scope="module")
def run_js(tmp_path_factory):
    """Runs strokes.js: `run_js(drawing)`."""
    folder = tmp_path_factory.mktemp("js")
    shutil.copy(web.SCRIPTS_DIR / "strokes.js", folder / "strokes.mjs")
    (folder / "loop.mjs").write_text(LOOP)
    with subprocess.Popen(
        [find_node(), folder / "loop.mjs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def run_js(drawing):
            process.stdin.write(json.dumps(drawing) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield run_js
        process.stdin.close()


def run_python(drawing):
    try:
        simple = simplification.simplify(drawing)
    except ValueError as error:
        return {"error": str(error)}
    ink = strokes.to_ink(strokes.to_points(simple))
    return {"drawing": simple, "ink": ink.ravel().tolist()}


@settings(deadline=None)
@given(raw_drawings)
def test_any_drawing(run_js, drawing):
    assert run_js(drawing) == run_python(drawing)


def borderline_drawings(seed=0):
    """Yields drawings in which the last bit of a distance or a half decides.

    All points of the middle side of three sides of a parallelogram are equally far from
    the chord. On a canvas of twice the box, half of the coordinates are halves.
    """
    rng = np.random.default_rng(seed)
    for _ in range(200):
        a, u, v = rng.integers(-300, 300, [3, 2])
        wave = np.cumsum(rng.normal(0, 20, [40, 2]), axis=0)
        wave -= wave.min(axis=0)
        halves = np.rint(wave * 2 * strokes.BOX / wave.max())
        yield [np.stack([a, a + u, a + u + v, a + v], axis=1).tolist()]
        yield [halves.T.tolist()]


def test_ties_and_halves(run_js):
    for drawing in borderline_drawings():
        assert run_js(drawing) == run_python(drawing)


def test_real_drawings(run_js, quickdraw_dir):
    for path in sorted((quickdraw_dir / "pairs" / "raw").glob("*.ndjson.gz"))[::8]:
        with gzip.open(path) as lines:
            for line in lines:
                drawing = json.loads(line)["drawing"]
                assert run_js(drawing) == run_python(drawing)


@pytest.mark.parametrize(
    "drawing",
    [
        [],
        [[]],
        [[[1]]],
        [[[], []]],
        [[[1, 2], [1]]],
        [[[1], [1]], [[1], [1, 2]]],
        [[[-1e308, 1e308], [0, 1]]],
        [[[0, 1e307], [0, 1]]],
    ],
)
def test_invalid_drawings_have_the_same_error_message(run_js, drawing):
    result = run_js(drawing)
    assert result["error"]
    assert result == run_python(drawing)


@settings(deadline=None, max_examples=50)
@given(json_values)
def test_other_values_are_rejected(run_js, drawing):
    result = run_js(drawing)
    assert result.get("drawing") or result["error"].startswith(
        ("no strokes", "stroke ", "unequal x and y: ", "coordinate is not finite: ")
    )


def test_constants():
    code = (web.SCRIPTS_DIR / "strokes.js").read_text()
    assert f"const BOX = {strokes.BOX};" in code
    assert f"const EPSILON = {simplification.EPSILON:g};" in code
