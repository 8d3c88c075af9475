"""The page in Chromium, from a server whose model knows four kinds of doodles."""

import os
import shutil
from urllib.parse import urlsplit

import numpy as np
import pytest

from pipeline import sample
from serve_export.predictor import Predictor

TIMEOUT = 20_000
"""Milliseconds to wait for a change of the page."""

MAX_DOODLES = 1_000
"""Number of doodles to try until the model recognizes one."""


@pytest.fixture(scope="session")
def chromium():
    """Skips the tests before a model is trained if there is no browser."""
    pytest.importorskip("playwright.sync_api")
    if not (os.environ.get("QUICKDRAW_CHROMIUM") or shutil.which("chromium")):
        pytest.skip("Chromium not found (install it, or set QUICKDRAW_CHROMIUM)")


@pytest.fixture(scope="session")
def export_dir(chromium, data_dir, tmp_path_factory):
    """An export that distinguishes four kinds of doodles."""
    from rnn_model.config import TrainConfig
    from rnn_model.training.loop import train_and_evaluate
    from serve_export import export

    folder = tmp_path_factory.mktemp("page")
    config = TrainConfig(model="rnn", epochs=12, batch_size=8)
    train_and_evaluate(config, str(data_dir), str(folder / "run"))
    return export.export(
        str(folder / "run"),
        str(folder / "export"),
        data_dir=str(data_dir),
        formats=["litert"],
    )


@pytest.fixture(scope="module")
def drawings_dir(tmp_path_factory):
    """Where the server stores donated drawings."""
    return tmp_path_factory.mktemp("donated") / "drawings"


@pytest.fixture(scope="module")
def site(serving, export_dir, drawings_dir):
    """The address of a server that accepts drawings."""
    with serving(export_dir, f"--drawings_dir={drawings_dir}") as server:
        yield server.address


@pytest.fixture(scope="session")
def doodle(export_dir):
    """Returns strokes that the model recognizes: `doodle(word)`."""
    predictor, rng = Predictor(export_dir), np.random.default_rng(3)

    def doodle(word):
        for _ in range(MAX_DOODLES):
            strokes = sample.draw(word, rng)
            guess = predictor.guess(strokes, 1)[0]
            if guess.word == word and guess.probability > 0.75:
                return strokes
        raise AssertionError(f"the model recognizes no doodle of {word}")

    return doodle


@pytest.fixture
def phone():
    """Context options of a phone in portrait orientation."""
    viewport = {"width": 390, "height": 844}
    return {"viewport": viewport, "is_mobile": True, "has_touch": True}


class Visit:
    """An open page, with its errors and requests."""

    def __init__(self, context, address):
        self.errors, self.requests = [], []
        self.context, self.page = context, context.new_page()
        self.page.set_default_timeout(TIMEOUT)
        self.page.on("console", self._log)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.goto(address)

    def wait_until_ready(self):
        self.expect("#start").to_be_enabled()

    def _log(self, message):
        if message.type in ("error", "warning") and "Playwright" not in message.text:
            self.errors.append(message.text)

    def count_requests(self, path):
        paths = [urlsplit(request.url).path for request in self.requests]
        return paths.count(path)

    def to_window(self, strokes):
        """Places strokes in the middle of the paper, in pixels of the window."""
        box = self.page.locator("#canvas").bounding_box()
        low = np.array([min(min(stroke[i]) for stroke in strokes) for i in (0, 1)])
        high = np.array([max(max(stroke[i]) for stroke in strokes) for i in (0, 1)])
        scale = 0.8 * min(box["width"], box["height"]) / max(high - low)
        center = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
        return [
            ((np.stack(stroke[:2], -1) - (low + high) / 2) * scale + center).tolist()
            for stroke in strokes
        ]

    def draw(self, strokes):
        mouse = self.page.mouse
        for first, *rest in self.to_window(strokes):
            mouse.move(*first)
            mouse.down()
            for point in rest:
                mouse.move(*point)
            mouse.up()

    def draw_with_pen(self, strokes):
        devtools = self.context.new_cdp_session(self.page)
        for points in self.to_window(strokes):
            types = ["mousePressed", *["mouseMoved"] * len(points), "mouseReleased"]
            for kind, (x, y) in zip(types, [points[0], *points, points[-1]]):
                event = {"type": kind, "x": x, "y": y, "pointerType": "pen"}
                event |= {"button": "left", "buttons": 1, "clickCount": 1}
                devtools.send("Input.dispatchMouseEvent", event)

    def draw_with_finger(self, strokes):
        devtools = self.context.new_cdp_session(self.page)
        for points in self.to_window(strokes):
            types = ["touchStart", *["touchMove"] * (len(points) - 1)]
            for kind, (x, y) in zip(types, points):
                event = {"type": kind, "touchPoints": [{"x": x, "y": y}]}
                devtools.send("Input.dispatchTouchEvent", event)
            end = {"type": "touchEnd", "touchPoints": []}
            devtools.send("Input.dispatchTouchEvent", end)

    def expect(self, selector):
        """Waits for an assertion; the CSP of the page forbids wait_for_function."""
        from playwright.sync_api import expect

        expect.set_options(timeout=TIMEOUT)
        return expect(self.page.locator(selector).first)

    def wait_for_guess(self, word):
        self.expect("#bars .bar-word").to_have_text(word)

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def play_round(self, strokes, start="#start"):
        """Plays one round and continues after its result; needs `page.clock`."""
        for button in (start, "#go"):
            self.page.click(button)
        self.draw(strokes)
        self.page.clock.fast_forward(2_500)
        self.page.click("#next")

    def wait_for_screen(self, name):
        self.page.wait_for_selector(f"body[data-screen={name}]")


@pytest.fixture
def visit(browser, site):
    """Opens the page: `visit(path, init=script, address=site, **context options)`.

    Service workers are blocked unless the options allow them, as the requests of a page
    cannot be intercepted behind one.
    """
    visits = []

    def visit(path="/", init="", address=site, wait=True, **options):
        context = browser.new_context(**{"service_workers": "block"} | options)
        if init:
            context.add_init_script(init)
        visits.append(Visit(context, address + path))
        if wait:
            visits[-1].wait_until_ready()
        return visits[-1]

    yield visit
    for each in visits:
        each.context.close()
        hosts = {urlsplit(request.url).hostname for request in each.requests}
        assert hosts <= {"127.0.0.1", None}
