"""The page /words: search, choice of words, link and QR code."""

from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline import sample

WORDS = sample.CLASSES[:4]


@pytest.fixture
def words_page(visit):
    visited = visit("/words", wait=False)
    visited.expect("#words .word").to_be_visible()
    return visited


def test_words_are_listed_with_pictures_and_found(words_page):
    page = words_page.page
    assert page.locator("#words span").all_inner_texts() == sorted(WORDS)
    assert page.locator("#words img").count() == len(WORDS)
    page.fill("#search", " FLOW")
    assert page.locator("#words span:visible").all_inner_texts() == ["flower"]
    assert words_page.text("#found") == "1 word"
    page.fill("#search", "")
    page.check("input[value=clock]")
    page.check("#only-chosen")
    assert page.locator("#words span:visible").all_inner_texts() == ["clock"]
    assert words_page.errors == []


def test_link_starts_a_game_with_the_chosen_words(words_page):
    page = words_page.page
    page.check("input[value=clock]")
    page.check("input[value=circle]")
    page.fill("#seconds", "45")
    link = page.locator("#link").get_attribute("href")
    query = parse_qs(urlsplit(link).query)
    assert query == {"words": ["clock,circle"], "seconds": ["45"]}
    qr_code = urlsplit(page.locator("#qr-code").get_attribute("src"))
    assert parse_qs(qr_code.query)["text"] == [link]
    assert page.evaluate("document.querySelector('#qr-code').decode()") is None
    page.click("#link")
    words_page.expect("#intro-title").to_contain_text("2 drawings, 45 seconds each")
    page.click("#start")
    assert words_page.text("#card-word") == "Draw a clock"


def test_page_warns_of_an_address_of_this_computer_only(words_page):
    assert words_page.page.locator("#local-address").is_visible()


def test_selection_is_cleared(words_page):
    page = words_page.page
    page.check("input[value=clock]")
    page.click("#unchoose")
    assert page.locator("#words input:checked").count() == 0
    assert "words" not in page.locator("#link").get_attribute("href")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing(visit, scheme, width):
    library = pytest.importorskip("axe_playwright_python.sync_playwright")
    viewport = {"width": width, "height": 700}
    visited = visit("/words", wait=False, color_scheme=scheme, viewport=viewport)
    visited.expect("#words .word").to_be_visible()
    visited.page.check("input[value=clock]")
    violations = library.Axe().run(visited.page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []
    assert visited.page.evaluate("document.documentElement.scrollWidth") == width
