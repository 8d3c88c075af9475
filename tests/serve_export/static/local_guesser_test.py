"""A page goes on guessing when the server is gone: in Chromium, from a real server."""

import contextlib
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from serve_export import export
from serve_export.formats import litert_js
from serve_export.predictor import Predictor

TOLERANCE = 5e-3
"""With eight bits a value may be rounded otherwise; of real drawings 4e-4 was seen."""

LOAD = """
async (folder) => {
  const { createLocalGuesser } = await import("/web/local_guesser.js");
  self.guesser = await createLocalGuesser(folder);
  return guesser.words;
}
"""

GUESS = """
async (drawings) => {
  const answers = [];
  for (const drawing of drawings) {
    const began = performance.now();
    const guesses = await guesser.guess(drawing, guesser.words.length);
    answers.push({ guesses, milliseconds: performance.now() - began });
  }
  return answers;
}
"""


@pytest.fixture(scope="module")
def web_export(trained_rnn, tmp_path_factory):
    """An export of the tiny rnn for the web, and for LiteRT to compare with."""
    try:
        litert_js.load_files()
    except OSError as error:
        pytest.skip(str(error))
    folder = str(tmp_path_factory.mktemp("exports"))
    return Path(export.export(str(trained_rnn), folder, formats=["litert", "web"]))


@pytest.fixture(scope="module")
def web_server(web_export, serving):
    with serving(web_export) as server:
        yield server


@pytest.fixture
def open_page(browser):
    """Opens a page of a server: `open_page(server)`; `page.said` is its console."""
    with contextlib.ExitStack() as stack:

        def open_page(server):
            page = browser.new_page()
            stack.callback(page.close)
            page.said = []
            page.on("console", lambda message: page.said.append(message.text))
            page.goto(f"{server.address}/docs")
            return page

        yield open_page


@pytest.fixture
def page(open_page, web_server):
    return open_page(web_server)


def raw_drawings(doodles, seed=0):
    """Doodles on canvases of any size."""
    rng = np.random.default_rng(seed)
    for path in sorted(doodles.glob("*.ndjson")):
        for line in path.read_text().splitlines()[::8]:
            drawing, size = json.loads(line)["drawing"], rng.uniform(0.5, 8)
            yield [[(np.array(axis) * size).tolist() for axis in s] for s in drawing]


def check_answers(page, predictor, drawings):
    for answer, drawing in zip(page.evaluate(GUESS, drawings), drawings, strict=True):
        found = {each["word"]: each["probability"] for each in answer["guesses"]}
        right = dict(predictor.guess(drawing, len(predictor.classes)))
        assert found == pytest.approx(right, abs=TOLERANCE)
        assert list(found.values()) == sorted(found.values(), reverse=True)


def test_guesses_go_on_with_the_server_stopped(open_page, serving, web_export, doodles):
    predictor = Predictor(str(web_export))
    with serving(web_export) as server:
        page = open_page(server)
        assert page.evaluate(LOAD, "/web/") == list(predictor.classes)
        server.process.kill()
        server.process.wait()
        assert page.evaluate("fetch('/healthz').catch(() => 'gone')") == "gone"
        page.said.clear()
        check_answers(page, predictor, list(raw_drawings(doodles)))
        assert page.said == []


def test_real_drawings_too(page, web_export, quickdraw_dir):
    drawings = []
    for path in sorted((quickdraw_dir / "pairs" / "raw").glob("*.ndjson.gz"))[::10]:
        with gzip.open(path) as lines:
            drawings.append(json.loads(next(lines))["drawing"])
    page.evaluate(LOAD, "/web/")
    check_answers(page, Predictor(str(web_export)), drawings)


def test_a_drawing_of_more_points_than_fit_is_answered(page, web_export):
    page.evaluate(LOAD, "/web")
    rng = np.random.default_rng(0)
    scribble = rng.uniform(0, 1000, [300, 2, 20]).tolist()
    (answer,) = page.evaluate(GUESS, [scribble])
    assert sum(each["probability"] for each in answer["guesses"]) == pytest.approx(1)


def test_many_at_once_are_answered_each(page, web_export, doodles):
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


def test_what_is_no_drawing_is_rejected(page):
    page.evaluate(LOAD, "/web/")
    for drawing, reason in (
        ("[]", "no strokes"),
        ("[[[1, 2], [1]]]", "unequal x and y: stroke 1 has 2 x but 1 y"),
        ("[[[NaN], [1]]]", "coordinate is not finite: stroke 1"),
    ):
        asked = f"guesser.guess({drawing}).catch((error) => error.message)"
        assert page.evaluate(asked) == reason


def test_a_folder_that_is_not_there_is_told(page):
    said = "(error) => error.message"
    told = page.evaluate(f"({LOAD})('/elsewhere/').catch({said})")
    assert told == "manifest.json: 404 Not Found"


def test_a_closed_guesser_answers_no_more(page):
    page.evaluate(LOAD, "/web/")
    told = page.evaluate(
        """() => {
          const ask = () => guesser.guess([[[0, 9], [0, 9]]]).catch((e) => e.message);
          const before = ask();
          guesser.close();
          return Promise.all([before, ask()]);
        }"""
    )
    assert told == ["the guesser is closed"] * 2
