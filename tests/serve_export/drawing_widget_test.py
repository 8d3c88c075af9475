"""The drawing widget sends strokes to the predictor and shows its guesses."""

import base64
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("anywidget")

from serve_export import drawing_widget
from serve_export.drawing_widget import DrawingWidget
from serve_export.predictor import Predictor

CIRCLE = [
    (100 + 60 * np.cos(turn), 100 + 60 * np.sin(turn))
    for turn in np.linspace(0, 2 * np.pi, 40)
]

PAGE = """
<div id="widget"></div>
<script type="module">
  import widget from "data:text/javascript;base64,%s";
  const state = { strokes: [], guesses: [], message: "" };
  const listeners = [];
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; },
    on: (event, listener) => listeners.push(listener),
    save_changes: async () => {
      Object.assign(state, await classify(state.strokes));
      listeners.forEach((listener) => listener());
    },
  };
  widget.render({ model, el: document.getElementById("widget") });
</script>
"""


@pytest.fixture(scope="module")
def widget():
    return DrawingWidget(Predictor())


def test_strokes_are_classified(widget):
    xs, ys = zip(*CIRCLE)
    widget.strokes = [[list(xs), list(ys)]]
    expected = Predictor().guess(widget.strokes, top_k=3)
    assert widget.guesses == [[guess.word, guess.probability] for guess in expected]
    widget.strokes = []
    assert widget.guesses == []


def test_an_error_is_shown_as_a_message(widget):
    widget.strokes = [[[1.0, 2.0], [1.0]]]
    assert widget.message
    assert widget.guesses == []
    widget.strokes = []
    assert widget.message == ""


def test_a_user_draws_in_a_browser(widget, browser):
    module = Path(drawing_widget.__file__).with_suffix(".js").read_bytes()
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(error))

    def classify(strokes):
        widget.strokes = strokes
        return {"guesses": widget.guesses, "message": widget.message}

    page.expose_function("classify", classify)
    page.set_content(PAGE % base64.b64encode(module).decode())
    box = page.locator("canvas").bounding_box()
    for index, (x, y) in enumerate(CIRCLE):
        page.mouse.move(box["x"] + x, box["y"] + y)
        if index == 0:
            page.mouse.down()
    page.mouse.up()
    page.wait_for_function("document.querySelectorAll('[aria-live] div').length == 3")
    (stroke,) = widget.strokes
    np.testing.assert_allclose(np.transpose(stroke), CIRCLE, atol=1.5)
    word, probability = widget.guesses[0]
    first = page.locator("[aria-live] div").first.inner_text()
    assert first == f"{word} {100 * probability:.0f} %"
    assert word == "circle"
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("document.querySelectorAll('[aria-live] div').length == 0")
    assert widget.strokes == []
    assert not errors
    page.close()
