"""The game, from the first word to the last."""

from pipeline import sample

WORDS = sample.CLASSES[:4]

LONG = "seconds=300"
"""Of a round, so that a busy machine has the time to draw."""

NO_STORAGE = """
Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("refused", "SecurityError"); }
});
"""


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
    visited.expect("#best").to_contain_text(f"{total} points")
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
