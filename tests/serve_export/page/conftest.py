"""The page, open in a real browser, from a server with a model that knows doodles."""

import os
import shutil
from urllib.parse import urlsplit

import numpy as np
import pytest

from pipeline import sample
from serve_export.predictor import Predictor

PATIENCE = 20_000
"""Milliseconds that are waited for what should be there soon."""


@pytest.fixture(scope="session")
def somewhere_to_look():
    """Skips before anything is trained, where there is no browser."""
    pytest.importorskip("playwright.sync_api")
    if not (os.environ.get("QUICKDRAW_CHROMIUM") or shutil.which("chromium")):
        pytest.skip("no Chromium here (install it, or set QUICKDRAW_CHROMIUM)")


@pytest.fixture(scope="session")
def export_dir(somewhere_to_look, data_dir, tmp_path_factory):
    """An export that tells the four doodles from each other."""
    from rnn_model.config import TrainConfig
    from rnn_model.training.loop import train_and_evaluate
    from serve_export import export

    folder = tmp_path_factory.mktemp("page")
    config = TrainConfig(model="mlp", epochs=20, batch_size=8)
    train_and_evaluate(config, str(data_dir), str(folder / "run"))
    return export.export(
        str(folder / "run"),
        str(folder / "export"),
        data_dir=str(data_dir),
        formats=["litert"],
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("given") / "drawings"


@pytest.fixture(scope="module")
def site(serving, export_dir, kept):
    """The address of a server that keeps drawings."""
    with serving(export_dir, f"--drawings_dir={kept}") as server:
        yield server.address


@pytest.fixture(scope="session")
def doodle(export_dir):
    """Drawings that the model knows when they are done: `doodle(word)`."""
    predictor, rng = Predictor(export_dir), np.random.default_rng(3)

    def doodle(word):
        while True:
            strokes = sample.draw(word, rng)
            guess = predictor.guess(strokes, 1)[0]
            if guess.word == word and guess.probability > 0.65:
                return strokes

    return doodle


@pytest.fixture
def phone():
    """Settings of a browser's context: an upright phone."""
    viewport = {"width": 390, "height": 844}
    return {"viewport": viewport, "is_mobile": True, "has_touch": True}


class Visit:
    """A page that is open, what it logged and what it asked for."""

    def __init__(self, context, address):
        self.errors, self.requests = [], []
        self.context, self.page = context, context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._log)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.goto(address)
        self.expect("#start").to_be_enabled()

    def _log(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def posted(self, path):
        asked = [urlsplit(request.url).path for request in self.requests]
        return asked.count(path)

    def place(self, strokes):
        """The strokes in pixels of the window, in the middle of the paper."""
        box = self.page.locator("#canvas").bounding_box()
        least = np.array([min(min(stroke[i]) for stroke in strokes) for i in (0, 1)])
        most = np.array([max(max(stroke[i]) for stroke in strokes) for i in (0, 1)])
        scale = 0.8 * min(box["width"], box["height"]) / max(most - least)
        middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
        return [
            ((np.stack(stroke[:2], -1) - (least + most) / 2) * scale + middle).tolist()
            for stroke in strokes
        ]

    def draw(self, strokes):
        mouse = self.page.mouse
        for first, *rest in self.place(strokes):
            mouse.move(*first)
            mouse.down()
            for point in rest:
                mouse.move(*point)
            mouse.up()

    def draw_by_pen(self, strokes):
        devtools = self.context.new_cdp_session(self.page)
        for points in self.place(strokes):
            kinds = ["mousePressed", *["mouseMoved"] * len(points), "mouseReleased"]
            for kind, (x, y) in zip(kinds, [points[0], *points, points[-1]]):
                settings = {"type": kind, "x": x, "y": y, "pointerType": "pen"}
                settings |= {"button": "left", "buttons": 1, "clickCount": 1}
                devtools.send("Input.dispatchMouseEvent", settings)

    def draw_by_finger(self, strokes):
        devtools = self.context.new_cdp_session(self.page)
        for points in self.place(strokes):
            kinds = ["touchStart", *["touchMove"] * (len(points) - 1)]
            for kind, (x, y) in zip(kinds, points):
                touch = {"type": kind, "touchPoints": [{"x": x, "y": y}]}
                devtools.send("Input.dispatchTouchEvent", touch)
            devtools.send(
                "Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []}
            )

    def expect(self, selector):
        """What waits for something to become so; wait_for_function may not, by CSP."""
        from playwright.sync_api import expect

        expect.set_options(timeout=PATIENCE)
        return expect(self.page.locator(selector).first)

    def wait_for_guess(self, word):
        self.expect("#bars .bar-word").to_have_text(word)

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def play(self, drawing):
        """A round, drawn as fast as a mouse is, up to what comes after its result."""
        for button in ("#start", "#go"):
            self.page.click(button)
        self.draw(drawing)
        self.page.clock.fast_forward(2_500)
        self.page.click("#next")

    def wait_for_screen(self, name):
        self.page.wait_for_selector(f"body[data-screen={name}]")


@pytest.fixture
def visit(browser, site):
    """Opens the page: `visit(address="", **settings of the browser's context)`."""
    visits = []

    def visit(path="/", init="", address=site, **settings):
        context = browser.new_context(**settings)
        if init:
            context.add_init_script(init)
        visits.append(Visit(context, address + path))
        return visits[-1]

    yield visit
    for each in visits:
        each.context.close()
        hosts = {urlsplit(request.url).hostname for request in each.requests}
        assert hosts <= {"127.0.0.1", None}
