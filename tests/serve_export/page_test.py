"""The page in a real browser, on a real server: mouse, pen, finger and keyboard."""

import json
import os
import shutil
import signal
from urllib.parse import urlsplit

import numpy as np
import pytest

from pipeline import sample
from pipeline.formats.lines import find_format, parse_raw
from serve_export.predictor import Predictor

sync_api = pytest.importorskip("playwright.sync_api")
sync_api.expect.set_options(timeout=20_000)
expect = sync_api.expect  # it waits; wait_for_function may not, by the page's policy

WORDS = sample.CLASSES[:4]

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
}

LONG = "seconds=300"
"""Of a round, so that a busy machine has the time to draw."""

NO_STORAGE = """
Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("refused", "SecurityError"); }
});
"""

KNOWS_ONE_WORD = """
export async function createLocalGuesser(base) {
  if (base.pathname !== "/web/") throw new Error(base);
  return {guess: async (drawing, most) => [{word: "yoga", probability: 0.9}]};
}
"""


@pytest.fixture(scope="module")
def browser():
    executable = os.environ.get("QUICKDRAW_CHROMIUM") or shutil.which("chromium")
    if not executable:
        pytest.skip("no Chromium here (install it, or set QUICKDRAW_CHROMIUM)")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def export_dir(browser, data_dir, tmp_path_factory):
    """An export that tells the four doodles from each other."""
    from rnn_model.config import TrainConfig
    from rnn_model.training import train
    from serve_export import export

    folder = tmp_path_factory.mktemp("page")
    config = TrainConfig(model="mlp", epochs=20, batch_size=8)
    train(config, str(data_dir), str(folder / "run"))
    source = export.Source(str(folder / "run"), str(data_dir))
    return export.export(source, str(folder / "export"), ["litert"])


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("given") / "drawings"


@pytest.fixture(scope="module")
def site(serving, export_dir, kept):
    """The address of a server that keeps drawings."""
    with serving(export_dir, f"--drawings_dir={kept}") as server:
        yield server.address


@pytest.fixture(scope="module")
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


class Visit:
    """A page that is open, what it logged and what it asked for."""

    def __init__(self, context, address):
        self.errors, self.requests = [], []
        self.context, self.page = context, context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("console", self._log)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.goto(address)
        expect(self.page.locator("#start")).to_be_enabled()

    def _log(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def posted(self, path):
        asked = [urlsplit(request.url).path for request in self.requests]
        return asked.count(path)

    def place(self, strokes):
        """The strokes in pixels of the window, in the middle of the paper."""
        box = self.page.locator("#canvas").bounding_box()
        scale = 0.8 * min(box["width"], box["height"]) / 255
        left = box["x"] + (box["width"] - 255 * scale) / 2
        top = box["y"] + (box["height"] - 255 * scale) / 2
        return [
            [(left + x * scale, top + y * scale) for x, y in zip(xs, ys)]
            for xs, ys in strokes
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

    def wait_for_guess(self, word):
        expect(self.page.locator("#bars .bar-word").first).to_have_text(word)

    def text(self, selector):
        return self.page.locator(selector).inner_text()

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


# Free drawing.


@pytest.mark.parametrize("hand", ["draw", "draw_by_pen"])
def test_strokes_are_guessed(visit, doodle, hand):
    visited = visit()
    box = visited.page.locator("#canvas").bounding_box()
    for word in WORDS[:2]:
        getattr(visited, hand)(doodle(word))
        visited.wait_for_guess(word)
        assert visited.page.locator("#canvas").bounding_box() == box, "it jumped"
        visited.page.click("#clear")
        visited.wait_for_guess("")
    assert visited.errors == []


def test_a_finger_draws_on_a_phone_and_nothing_scrolls(visit, doodle):
    visited = visit(**PHONE)
    visited.draw_by_finger(doodle(WORDS[0]))
    visited.wait_for_guess(WORDS[0])
    assert visited.page.evaluate("[scrollX, scrollY, visualViewport.scale]") == [
        0,
        0,
        1,
    ]
    assert visited.page.evaluate("document.documentElement.scrollWidth") == 390
    assert visited.errors == []


def test_the_guess_is_that_of_the_strokes(visit, doodle, export_dir):
    visited = visit()
    strokes = doodle(WORDS[1])
    visited.draw(strokes)
    visited.page.wait_for_load_state("networkidle")
    asked = [request for request in visited.requests if "predict" in request.url]
    sent = json.loads(asked[-1].post_data)["drawing"]
    assert len(sent) == len(strokes)
    expected = Predictor(export_dir).guess(sent, 1)[0]
    visited.wait_for_guess(expected.word)
    percent = visited.page.locator("#bars .bar-percent").first.inner_text()
    assert abs(float(percent.split()[0]) - 100 * expected.probability) <= 1
    points = sum(len(xs) for xs, _ in strokes)
    assert len(asked) < points, "not a question a point"


def test_undo_takes_strokes_back(visit, doodle):
    visited = visit()
    strokes = doodle(WORDS[1])
    visited.draw([*strokes, [[0, 255], [0, 255]]])
    visited.page.click("#undo")
    visited.wait_for_guess(WORDS[1])
    for _ in strokes:
        visited.page.keyboard.press("Control+z")
    visited.wait_for_guess("")
    assert visited.page.locator("#save").is_disabled()


def test_a_drawing_is_saved_as_ndjson_and_png(visit, doodle, tmp_path):
    visited = visit()
    strokes = doodle(WORDS[1])
    visited.draw(strokes)
    visited.wait_for_guess(WORDS[1])
    files = []
    for button in ("#save-ndjson", "#save-png"):
        visited.page.click("#save")
        with visited.page.expect_download() as download:
            visited.page.click(button)
        files.append(tmp_path / download.value.suggested_filename)
        download.value.save_as(files[-1])
    lines, picture = files
    assert lines.name == f"{WORDS[1]}.ndjson"
    with lines.open("rb") as file:
        assert find_format(file) == "raw with times"
    fields = json.loads(lines.read_bytes())
    assert parse_raw(lines.read_bytes()).word == WORDS[1]
    assert [len(xs) for xs, _, _ in fields["drawing"]] == [len(xs) for xs, _ in strokes]
    times = [t for _, _, ts in fields["drawing"] for t in ts]
    assert times[0] == 0
    assert times == sorted(times)
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


# The game.


def test_a_game_from_the_first_word_to_the_last(visit, doodle):
    words = [*WORDS, WORDS[1], WORDS[2]]
    visited = visit(f"/?words={','.join(words)}&{LONG}#game")
    page = visited.page
    assert "Six drawings, 300 seconds each" in visited.text("#intro")
    page.clock.install()
    page.click("#start")
    for number, word in enumerate(words, 1):
        visited.wait_for_screen("card")
        assert visited.text("#card-word").endswith(word)
        assert f"{number} of 6" in visited.text("#card-number")
        assert page.locator("#example-picture").get_attribute("src").startswith("blob:")
        page.click("#go")
        if number == 1:
            page.clock.fast_forward(301_000)  # nothing was drawn
        else:
            visited.draw(doodle(word))
            page.clock.fast_forward(2_500)
        visited.wait_for_screen("result")
        title = "Time’s up!" if number == 1 else "It’s "
        assert visited.text("#result-title").startswith(title)
        page.clock.fast_forward(2_000)
        page.click("#next")
    visited.wait_for_screen("end")
    works = page.locator("#gallery .work").all_inner_texts()
    assert len(works) == 6
    assert page.locator("#gallery .won").count() == 5
    assert "I saw nothing" in works[0]
    total = int(visited.text("#end-title").split()[0])
    assert 5 * 100 < total <= 5 * 200
    with page.expect_download() as download:
        page.click("#save-lines")
    assert len(download.value.path().read_bytes().splitlines()) == 5
    page.reload()
    expect(page.locator("#best")).to_contain_text(f"{total} points")
    assert visited.errors == []


def test_a_game_is_six_rounds_of_twenty_seconds(visit):
    assert "Six drawings, 20 seconds each" in visit("/#game").text("#intro")


def test_it_plays_where_the_browser_remembers_nothing(visit):
    visited = visit("/?rounds=1&seconds=5#game", init=NO_STORAGE)
    visited.page.clock.install()
    for button in ("#start", "#go"):
        visited.page.click(button)
    visited.page.clock.fast_forward(6_000)
    visited.page.click("#next")
    visited.page.click("#again")
    visited.wait_for_screen("card")
    assert visited.errors == []


def test_all_but_the_strokes_goes_by_keyboard(visit):
    visited = visit("/?rounds=1")
    page = visited.page

    def reach(selector):
        for _ in range(40):
            if page.evaluate(f"document.activeElement?.matches({selector!r})"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{selector} cannot be reached")

    reach("#open-settings")
    page.keyboard.press("Enter")
    assert page.locator("#settings").is_visible()
    page.keyboard.press("Escape")
    reach("a[href='#game']")
    page.keyboard.press("Enter")
    for screen, button in (
        ("intro", "#start"),
        ("card", "#other-word"),
        ("card", "#go"),
        ("round", "#peek"),
        ("round", "#skip"),
        ("result", "#next"),
        ("end", "#again"),
    ):
        visited.wait_for_screen(screen)
        reach(button)
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid", f"{button} does not show that it has the focus"
        page.keyboard.press("Enter")
    visited.wait_for_screen("card")
    assert visited.errors == []


# Giving drawings.


def lines_in(kept):
    return [
        json.loads(line)
        for path in kept.glob("*/*.ndjson")
        for line in path.read_bytes().splitlines()
    ]


def test_nothing_is_kept_without_a_clear_yes(visit, doodle, kept):
    visited = visit(f"/?words={WORDS[1]}&{LONG}#draw")
    page = visited.page
    visited.draw(doodle(WORDS[1]))
    visited.wait_for_guess(WORDS[1])
    page.click("#give")
    page.keyboard.press("Enter")  # what has the focus is no
    assert page.locator("#give-dialog").is_hidden()
    page.click("#give")
    page.keyboard.press("Escape")
    page.click("a[href='#game']")
    page.clock.install()
    for button in ("#start", "#go"):
        page.click(button)
    visited.draw(doodle(WORDS[1]))
    page.clock.fast_forward(2_500)
    page.click("#next")
    page.click("#consent >> text=No, thanks")
    assert "nothing was kept" in visited.text("#consent")
    page.click("#again")
    assert visited.posted("/v1/drawings") == 0
    assert lines_in(kept) == []


def test_what_was_given_is_forgotten_on_demand(visit, doodle, kept):
    visited = visit(f"/?words={WORDS[1]}&{LONG}#game")
    page = visited.page
    page.clock.install()
    for button in ("#start", "#go"):
        page.click(button)
    visited.draw(doodle(WORDS[1]))
    page.clock.fast_forward(2_500)
    page.click("#next")
    page.click("#consent >> text=Yes, keep it")
    page.wait_for_selector("text=Forget my drawings")
    (line,) = lines_in(kept)
    assert (line["word"], line["recognized"]) == (WORDS[1], True)
    page.reload()  # it is known after that, too
    page.click("#open-settings")
    page.click("#forget")
    page.wait_for_selector("text=None of your drawings is kept")
    assert lines_in(kept) == []
    assert visited.errors == []


def test_where_nothing_is_kept_nobody_is_asked(visit, serving, export_dir, doodle):
    with serving(export_dir) as server:
        visited = visit(f"/?words={WORDS[1]}&{LONG}", address=server.address)
        page = visited.page
        page.wait_for_load_state("networkidle")
        assert page.locator("#give").is_hidden()
        page.click("a[href='#game']")
        page.clock.install()
        for button in ("#start", "#go"):
            page.click(button)
        visited.draw(doodle(WORDS[1]))
        page.clock.fast_forward(2_500)
        page.click("#next")
        visited.wait_for_screen("end")
        assert page.locator("#consent").is_hidden()
    assert visited.errors == []


# A server that goes away, and a device that guesses itself.


def test_a_server_that_went_away_is_told_and_found_again(
    visit, serving, export_dir, doodle
):
    strokes = doodle(WORDS[1])
    with serving(export_dir) as server:
        visited = visit(address=server.address)
        page = visited.page
        visited.draw(strokes[:1])
        expect(page.locator(".bar-word").first).not_to_be_empty()
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        visited.draw([[[0, 5], [0, 5]]])
        page.wait_for_selector("#banner:not([hidden])")
        assert "out of reach" in visited.text("#banner")
        page.click("#undo")
        visited.draw(strokes[1:])  # nobody looks
    with serving(export_dir, f"--port={urlsplit(server.address).port}"):
        page.click("#try-now")
        visited.wait_for_guess(WORDS[1])
        page.wait_for_selector("#banner", state="hidden")


def test_a_device_that_cannot_guess_says_so(visit, doodle):
    visited = visit()
    page = visited.page
    page.route("**/offline/local_guesser.js", lambda route: route.abort())
    page.click("#open-settings")
    page.click("#on-device")
    page.wait_for_selector("text=the server goes on guessing")
    assert not page.locator("#on-device").is_checked()
    page.keyboard.press("Escape")
    visited.draw(doodle(WORDS[1]))
    visited.wait_for_guess(WORDS[1])


def test_a_device_that_can_guess_needs_no_server(visit, serving, export_dir, doodle):
    with serving(export_dir) as server:
        visited = visit(address=server.address)
        page = visited.page
        page.route(
            "**/offline/local_guesser.js",
            lambda route: route.fulfill(
                body=KNOWS_ONE_WORD, content_type="text/javascript"
            ),
        )
        page.click("#open-settings")
        page.click("#on-device")
        page.wait_for_selector("text=stays on this device")
        page.keyboard.press("Escape")
        visited.draw(doodle(WORDS[1]))
        visited.wait_for_guess("yoga")
        assert visited.posted("/v1/predict") == 0
        page.click("#open-settings")
        page.click("#on-device")
        page.keyboard.press("Escape")
        visited.wait_for_guess(WORDS[1])
    page.click("#clear")
    visited.draw(doodle(WORDS[1]))
    visited.wait_for_guess("yoga")
    assert "on this device" in visited.text("#banner")


# For everyone.


@pytest.mark.parametrize("path", ["/#draw", "/#game"])
def test_what_is_touched_is_as_large_as_a_finger(visit, path):
    visited = visit(path, **PHONE)
    for place in visited.page.locator("button:visible, a:visible").all():
        box = place.bounding_box()
        assert min(box["width"], box["height"]) >= 44, place.inner_text()


def test_it_stands_still_for_those_who_want_that(visit):
    visited = visit(reduced_motion="reduce")
    moving = """[...document.querySelectorAll('.bot *')].filter(
      (part) => parseFloat(getComputedStyle(part).animationDuration) > 0.001)"""
    assert visited.page.evaluate(f"{moving}.length") == 0


def test_night_is_dark(visit):
    colours = [
        visit(color_scheme=scheme).page.evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        )
        for scheme in ("light", "dark")
    ]
    assert sum(colours[0]) > 500
    assert sum(colours[1]) < 150


def test_it_speaks_english(visit):
    page = visit().page
    names = page.evaluate(
        """(words) => import("/static/talk.js").then(
          ({named}) => words.map(named))""",
        ["owl", "cat", "hourglass", "The Mona Lisa", "stairs", "sun", "unicorn"],
    )
    assert names == [
        *("an owl", "a cat", "an hourglass", "the Mona Lisa", "stairs", "the sun"),
        "a unicorn",
    ]
    said = page.evaluate(
        """() => import("/static/talk.js").then(({say}) => say(
          [{word: "owl", probability: 0.4}, {word: "cat", probability: 0.3}]))"""
    )
    assert said == "I see an owl… or a cat!"


def test_words_that_the_model_knows_well_come_more_often(visit):
    classes = [
        {"word": "clear", "top1": 0.95, "example": True},
        {"word": "vague", "top1": 0.4, "example": True},
        {"word": "rifle", "top1": 0.99, "example": True},
    ]
    counts = visit().page.evaluate(
        """(classes) => import("/static/words.js").then(({chooseWords}) => {
          const counts = {clear: 0, vague: 0, rifle: 0};
          for (let i = 0; i < 2000; i++) counts[chooseWords(classes, 1)[0]]++;
          return counts;
        })""",
        classes,
    )
    assert counts["clear"] > 10 * counts["vague"] > 0
    assert counts["rifle"] == 0
