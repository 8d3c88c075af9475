"""The page can be used by everyone: axe, size of targets, motion, colors, layout."""

import json

import pytest

from pipeline import sample
from serve_export.api.routes.page import STATIC_DIR

WORDS = sample.CLASSES[:4]

GAME = f"/?words={','.join(WORDS[:2])}&seconds=300#game"

SIZES = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 320, "height": 568}, "is_mobile": True},
    "landscape": {"viewport": {"width": 568, "height": 320}, "is_mobile": True},
}

LANGUAGES = sorted(path.stem for path in STATIC_DIR.glob("languages/*.json"))

CLIPPED = """
() => [...document.querySelectorAll("button, a, h2, p, b, span, strong, small, label")]
  .filter((element) => element.checkVisibility({visibilityProperty: true}))
  .filter((element) => element.textContent.trim())
  .filter((element) => getComputedStyle(element).clipPath !== "inset(50%)")
  .filter((element) => !element.closest(".confetti, .symbols, .bar"))
  .filter((element) => {
    const style = getComputedStyle(element);
    const isClipped = style.overflow !== "visible" || element.matches("button, a");
    const tooWide = element.scrollWidth > element.clientWidth + 1;
    const tooHigh = element.scrollHeight > element.clientHeight + 1;
    const box = element.getBoundingClientRect();
    const isOutside = box.right > innerWidth + 1 || box.left < -1;
    const isInline = style.display === "inline";
    return isOutside || (!isInline && isClipped && (tooWide || tooHigh));
  })
  .map((element) => `${element.id || element.className}: ${element.textContent.trim()}`)
"""


RECORD_SVGS = """
window.svgs = [];
const { createObjectURL } = URL;
URL.createObjectURL = (blob) => {
  if (blob.type === "image/svg+xml") blob.text().then((svg) => svgs.push(svg));
  return createObjectURL(blob);
};
"""


@pytest.fixture
def axe():
    """Returns what axe finds on a page: `axe(page)`."""
    library = pytest.importorskip("axe_playwright_python.sync_playwright")

    def axe(page):
        results = library.Axe().run(page).response
        return [
            (violation["id"], node["html"], node["failureSummary"])
            for violation in results["violations"]
            for node in violation["nodes"]
        ]

    return axe


def visit_states(visited, doodle):
    """Goes through the states of the page and yields their names."""
    page = visited.page
    strokes, other_strokes = doodle(WORDS[1]), doodle(WORDS[2])
    page.click("a[href='#draw']")
    yield "empty paper"
    visited.draw(strokes)
    visited.expect(".bar-word").not_to_be_empty()
    yield "drawing"
    for button, dialog in (
        ("#save", "#save-dialog"),
        ("#donate", "#donate-dialog"),
        ("#open-settings", "#settings"),
    ):
        page.click(button)
        yield dialog
        page.keyboard.press("Escape")
    page.click("a[href='#game']")
    yield "intro"
    page.click("#start")
    visited.expect("#card-example img").to_be_visible()
    yield "card"
    page.click("#go")
    page.click("#show-example")
    yield "round"
    page.click("#show-example")
    visited.draw(other_strokes)
    page.click("#skip")
    visited.expect("#other-drawings img").to_be_visible()
    yield "lost round"
    page.reload()
    visited.expect("#continue").to_be_focused()
    yield "interrupted game"
    page.click("#continue")
    page.click("#go")
    visited.draw(strokes)
    page.wait_for_timeout(2_100)
    visited.wait_for_screen("result")
    yield "won round"
    page.click("#next")
    visited.wait_for_screen("end")
    yield "end"
    page.click("#consent >> text=No, thanks")
    yield "declined"


@pytest.mark.parametrize(
    ("size", "scheme"),
    [("desktop", "dark"), ("phone", "light"), ("landscape", "dark")],
)
def test_axe_finds_nothing(visit, doodle, axe, size, scheme):
    options = SIZES[size] | {"color_scheme": scheme, "reduced_motion": "reduce"}
    visited = visit(GAME, **options)
    for state in visit_states(visited, doodle):
        assert axe(visited.page) == [], state
    assert visited.errors == []


def test_axe_finds_nothing_without_server(
    visit, serving, export_dir, drawings_dir, doodle, axe
):
    with serving(export_dir, f"--drawings_dir={drawings_dir}") as server:
        visited = visit(address=server.address, reduced_motion="reduce")
        server.process.kill()
        server.process.wait()
        visited.draw(doodle(WORDS[1]))
        visited.page.wait_for_selector("#banner[data-state=lost]")
        assert axe(visited.page) == []


@pytest.mark.parametrize("path", ["/#draw", "/#game"])
def test_targets_are_as_large_as_a_finger(visit, phone, path):
    visited = visit(path, **phone)
    for target in visited.page.locator("button:visible, a:visible").all():
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 44, target.inner_text()


def test_reduced_motion_stops_all_animations(visit, doodle):
    visited = visit(GAME, init=RECORD_SVGS, reduced_motion="reduce")
    running = "document.getAnimations().filter((each) => each.playState !== 'finished')"
    for _ in visit_states(visited, doodle):
        assert visited.page.evaluate(f"{running}.length") == 0
        svgs = visited.page.evaluate("svgs")
        assert all("path{animation:none!important" in svg for svg in svgs)


def test_dark_mode(visit):
    colors = [
        visit(color_scheme=scheme).page.evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        )
        for scheme in ("light", "dark")
    ]
    assert sum(colors[0]) > 500
    assert sum(colors[1]) < 150


def longest_words(language):
    """The words with the longest part, and with the longest phrase."""
    path = STATIC_DIR / "languages" / f"{language}.json"
    phrases = json.loads(path.read_text(encoding="utf-8"))["words"]

    def longest_part(word):
        return max(map(len, phrases[word].replace("-", " ").split()))

    return [
        max(phrases, key=longest_part),
        max(phrases, key=lambda word: len(phrases[word])),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", ["phone", "landscape"])
def test_no_text_is_clipped(visit, size, language):
    """With the longest words of each language, on the smallest phones."""
    words = longest_words(language)
    path = f"/?words={','.join(words)}&seconds=300#game"
    options = SIZES[size] | {"locale": language, "reduced_motion": "reduce"}
    visited = visit(path, wait=False, **options)
    page = visited.page
    classes = [{"word": w, "top1": 0.3, "example": False, "examples": 0} for w in words]
    response = {"classes": classes}
    page.route("**/v1/classes", lambda route: route.fulfill(json=response))
    page.reload()
    visited.wait_until_ready()
    strokes = [[[0, 200, 100], [0, 0, 200]]]

    def check(state, button=None):
        assert page.evaluate(CLIPPED) == [], state
        assert "undefined" not in visited.text("body"), state
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width == options["viewport"]["width"], state
        if button:
            box = page.locator(button).bounding_box()
            assert box["y"] + box["height"] <= options["viewport"]["height"], state

    check("intro", "#start")
    page.click("#start")
    check("card", "#go")
    page.click("#go")
    check("round", "#skip")
    visited.draw(strokes)
    page.wait_for_timeout(500)
    page.click("#skip")
    check("result", "#next")
    page.click("#next")
    page.click("#go")
    page.click("#skip")
    page.click("#next")
    check("end", "#again")
    page.click("a[href='#draw']")
    check("draw", "#undo")
    visited.draw(strokes)
    for button in ("#save", "#donate", "#open-settings"):
        page.click(button)
        check(button)
        page.keyboard.press("Escape")
