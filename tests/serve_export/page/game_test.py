"""The game, from its introduction to its end."""

import pytest

from pipeline import sample

WORDS = sample.CLASSES[:4]

SLOW = "seconds=300"
"""Rounds long enough for a busy machine to draw."""

NO_STORAGE = """
Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("refused", "SecurityError"); }
});
"""


def test_whole_game(visit, doodle):
    words = [*WORDS, WORDS[1], WORDS[2]]
    visited = visit(f"/?words={','.join(words)}&{SLOW}#game")
    page = visited.page
    assert "6 drawings, 300 seconds each" in visited.text("#intro")
    page.clock.install()
    page.click("#start")
    for number, word in enumerate(words, 1):
        visited.wait_for_screen("card")
        assert visited.text("#card-word").endswith(word)
        assert f"{number} of 6" in visited.text("#card-number")
        visited.expect("#card-example img").to_be_visible()
        page.click("#go")
        if number == 1:
            page.clock.fast_forward(301_000)  # nothing is drawn
        else:
            visited.draw(doodle(word))
            page.clock.fast_forward(2_500)
        visited.wait_for_screen("result")
        title = "Time’s up!" if number == 1 else "It’s "
        assert visited.text("#result-title").startswith(title)
        page.clock.fast_forward(2_000)
        page.click("#next")
    visited.wait_for_screen("end")
    cards = page.locator("#gallery .result-card").all_inner_texts()
    assert len(cards) == 6
    assert page.locator("#gallery .won").count() == 5
    assert "I saw nothing" in cards[0]
    total = int(visited.text("#end-title").split()[0])
    assert 5 * 100 < total <= 5 * 200
    with page.expect_download() as download:
        page.click("#save-all-ndjson")
    assert len(download.value.path().read_bytes().splitlines()) == 5
    page.reload()  # the end is still there
    visited.expect("#end-title").to_contain_text(str(total))
    page.click("#again")
    visited.wait_for_screen("card")
    assert visited.errors == []


def test_link_to_another_game_after_the_end(visit, site):
    visited = visit("/?rounds=1#game")
    page = visited.page
    for button in ("#start", "#go", "#skip", "#next"):
        page.click(button)
    visited.wait_for_screen("end")
    page.goto(f"{site}/?rounds=2#game")
    visited.expect("#start").to_be_focused()
    assert "2 drawings" in visited.text("#intro-title")
    assert page.locator("#continue").is_hidden()


def test_default_game_has_six_rounds_of_twenty_seconds(visit):
    visited = visit("/#game")
    assert "6 drawings, 20 seconds each" in visited.text("#intro")
    visited.expect("#start").to_be_focused()


@pytest.mark.parametrize("leave", ["reload", "draw"])
def test_interrupted_game_is_continued(visit, doodle, leave):
    visited = visit(f"/?words={','.join(WORDS)}&{SLOW}#game")
    page = visited.page

    def interrupt():
        if leave == "reload":
            page.reload()
        else:
            page.click("a[href='#draw']")
            page.click("a[href='#game']")
        visited.expect("#continue").to_be_focused()
        page.click("#continue")

    page.click("#start")
    page.click("#go")
    page.click("#skip")
    interrupt()  # on the result: the next word
    assert "2 of 4" in visited.text("#card-number")
    interrupt()  # on the card: the same word
    assert visited.text("#card-word").endswith(WORDS[1])
    page.click("#go")
    visited.draw([[[0, 200], [0, 0]]])
    page.wait_for_timeout(1_100)
    interrupt()  # in a round: drawing and time are restored
    visited.wait_for_screen("round")
    assert 200 < int(visited.text("#timer-seconds")) < 300
    page.click("#skip")
    page.click("#next")
    for _ in range(2):
        page.click("#go")
        page.click("#skip")
        page.click("#next")
    visited.wait_for_screen("end")
    with page.expect_download() as download:
        page.click("#save-all-ndjson")
    assert len(download.value.path().read_bytes().splitlines()) == 1
    assert visited.errors == []


def test_new_game_instead_of_the_interrupted_one(visit):
    visited = visit("/?rounds=2#game")
    visited.page.click("#start")
    visited.page.reload()
    visited.expect("#continue").to_be_focused()
    visited.page.click("#start")
    assert "1 of 2" in visited.text("#card-number")


def test_words_of_the_address_are_matched_leniently(visit):
    visited = visit("/?words=%20CIRCLES,Flower-,clokc,xyzzy#game")
    assert visited.page.locator("#unknown-words li").all_inner_texts() == [
        "I don’t know “clokc”. Did you mean: clock?",
        "I don’t know “xyzzy”.",
    ]
    assert "2 drawings" in visited.text("#intro-title")
    visited.page.click("#start")
    assert visited.text("#card-word") == "Draw a circle"


def test_failed_round_shows_other_drawings_and_the_mistake(visit, doodle):
    visited = visit(f"/?words={WORDS[0]}&{SLOW}#game")
    page = visited.page
    page.click("#start")
    page.click("#go")
    visited.draw(doodle(WORDS[2]))
    visited.expect("#bot-text").to_contain_text(WORDS[2])
    page.click("#skip")
    visited.expect("#other-drawings img").to_be_visible()
    assert "CC BY 4.0" in visited.text("#other-drawings")
    assert WORDS[2] in visited.text("#result-text")
    assert visited.errors == []


def test_game_without_local_storage(visit):
    visited = visit("/?rounds=1&seconds=5#game", init=NO_STORAGE)
    visited.page.clock.install()
    for button in ("#start", "#go"):
        visited.page.click(button)
    visited.page.clock.fast_forward(6_000)
    visited.page.click("#next")
    visited.page.click("#again")
    visited.wait_for_screen("card")
    assert visited.errors == []


def test_game_by_keyboard(visit):
    visited = visit("/?rounds=1")
    page = visited.page

    def focus(selector):
        for _ in range(40):
            if page.evaluate(f"document.activeElement?.matches({selector!r})"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{selector} cannot be reached")

    focus("#open-settings")
    page.keyboard.press("Enter")
    assert page.locator("#settings").is_visible()
    page.keyboard.press("Escape")
    focus("a[href='#game']")
    page.keyboard.press("Enter")
    for screen, button in (
        ("intro", "#start"),
        ("card", "#other-word"),
        ("card", "#go"),
        ("round", "#show-example"),
        ("round", "#skip"),
        ("result", "#next"),
        ("end", "#again"),
    ):
        visited.wait_for_screen(screen)
        focus(button)
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid", f"{button} has no visible focus"
        page.keyboard.press("Enter")
    visited.wait_for_screen("card")
    assert visited.errors == []


def test_well_known_words_are_chosen_more_often(visit):
    classes = [
        {"word": "clear", "top1": 0.95, "example": True},
        {"word": "vague", "top1": 0.4, "example": True},
        {"word": "rifle", "top1": 0.99, "example": True},
    ]
    counts = visit().page.evaluate(
        """(classes) => import("/static/game/word_choice.js").then(({chooseWords}) => {
          const counts = {clear: 0, vague: 0, rifle: 0};
          for (let i = 0; i < 2000; i++) counts[chooseWords(classes, 1)[0]]++;
          return counts;
        })""",
        classes,
    )
    assert counts["clear"] > 10 * counts["vague"] > 0
    assert counts["rifle"] == 0
