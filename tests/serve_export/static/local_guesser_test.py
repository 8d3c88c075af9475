"""The local guesser in Chromium, loaded from a server."""

import contextlib
import gzip
import json

import numpy as np
import pytest

from serve_export.predictor import Predictor

TOLERANCE = 5e-3
"""8-bit values may be rounded differently; the largest difference measured is 4e-4."""

LOAD = """
async (folder) => {
  const { createLocalGuesser } = await import("/web/local_guesser.js");
  self.guesser = await createLocalGuesser(folder);
  return guesser.words;
}
"""

GUESS = """
async (drawings) => {
  const results = [];
  for (const drawing of drawings) {
    const began = performance.now();
    const guesses = await guesser.guess(drawing, guesser.words.length);
    results.push({ guesses, milliseconds: performance.now() - began });
  }
  return results;
}
"""


@pytest.fixture(scope="module")
def web_server(web_export, serving):
    with serving(web_export) as server:
        yield server


@pytest.fixture
def open_page(browser):
    """Opens a page: `open_page(server)`; `page.messages` is the text of its console."""
    with contextlib.ExitStack() as stack:

        def open_page(server):
            page = browser.new_page()
            stack.callback(page.close)
            page.messages = []
            page.on("console", lambda message: page.messages.append(message.text))
            page.goto(f"{server.address}/docs")
            return page

        yield open_page


@pytest.fixture
def page(open_page, web_server):
    return open_page(web_server)


def raw_drawings(doodles, seed=0):
    """Yields doodles on canvases of different sizes."""
    rng = np.random.default_rng(seed)
    for path in sorted(doodles.glob("*.ndjson")):
        for line in path.read_text().splitlines()[::8]:
            drawing, size = json.loads(line)["drawing"], rng.uniform(0.5, 8)
            yield [[(np.array(axis) * size).tolist() for axis in s] for s in drawing]


def check_guesses(page, predictor, drawings):
    for result, drawing in zip(page.evaluate(GUESS, drawings), drawings, strict=True):
        found = {each["word"]: each["probability"] for each in result["guesses"]}
        expected = dict(predictor.guess(drawing, len(predictor.classes)))
        assert found == pytest.approx(expected, abs=TOLERANCE)
        assert list(found.values()) == sorted(found.values(), reverse=True)


def test_guesses_without_the_server(open_page, serving, web_export, doodles):
    predictor = Predictor(str(web_export))
    with serving(web_export) as server:
        page = open_page(server)
        assert page.evaluate(LOAD, "/web/") == list(predictor.classes)
        server.process.kill()
        server.process.wait()
        assert page.evaluate("fetch('/healthz').catch(() => 'gone')") == "gone"
        page.messages.clear()
        check_guesses(page, predictor, list(raw_drawings(doodles)))
        assert page.messages == []


def test_real_drawings(page, web_export, quickdraw_dir):
    drawings = []
    for path in sorted((quickdraw_dir / "pairs" / "raw").glob("*.ndjson.gz"))[::10]:
        with gzip.open(path) as lines:
            drawings.append(json.loads(next(lines))["drawing"])
    page.evaluate(LOAD, "/web/")
    check_guesses(page, Predictor(str(web_export)), drawings)


def test_drawing_with_more_points_than_the_model_takes(page, web_export):
    page.evaluate(LOAD, "/web")
    rng = np.random.default_rng(0)
    scribble = rng.uniform(0, 1000, [300, 2, 20]).tolist()
    (result,) = page.evaluate(GUESS, [scribble])
    assert sum(each["probability"] for each in result["guesses"]) == pytest.approx(1)


def test_concurrent_guesses(page, web_export, doodles):
    page.evaluate(LOAD, "/web/")
    drawings = list(raw_drawings(doodles))
    at_once = page.evaluate(
        "(all) => Promise.all(all.map((one) => guesser.guess(one, 1)))", drawings
    )
    predictor = Predictor(str(web_export))
    for guesses, drawing in zip(at_once, drawings, strict=True):
        (best,) = predictor.guess(drawing, 1)
        assert guesses[0]["probability"] == pytest.approx(
            best.probability, abs=TOLERANCE
        )


def test_invalid_drawings_are_rejected(page):
    page.evaluate(LOAD, "/web/")
    for drawing, reason in (
        ("[]", "no strokes"),
        ("[[[1, 2], [1]]]", "unequal x and y: stroke 1 has 2 x but 1 y"),
        ("[[[NaN], [1]]]", "coordinate is not finite: stroke 1"),
    ):
        asked = f"guesser.guess({drawing}).catch((error) => error.message)"
        assert page.evaluate(asked) == reason


def test_missing_folder(page):
    get_message = "(error) => error.message"
    message = page.evaluate(f"({LOAD})('/elsewhere/').catch({get_message})")
    assert message == "manifest.json: 404 Not Found"


def test_closed_guesser_rejects(page):
    page.evaluate(LOAD, "/web/")
    messages = page.evaluate(
        """() => {
          const guess = () => guesser.guess([[[0, 9], [0, 9]]]).catch((e) => e.message);
          const before = guess();
          guesser.close();
          return Promise.all([before, guess()]);
        }"""
    )
    assert messages == ["the guesser is closed"] * 2
