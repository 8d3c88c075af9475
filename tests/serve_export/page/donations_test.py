"""Drawings are stored with consent only, and deleted on request."""

import json

import pytest

from pipeline import sample

WORD = sample.CLASSES[1]

GAME = f"/?words={WORD}&seconds=300#game"


@pytest.fixture
def stored_drawings(drawings_dir):
    """Returns the drawings on disk: `stored_drawings()`."""

    def stored_drawings():
        return [
            json.loads(line)
            for path in drawings_dir.glob("*/*.ndjson")
            for line in path.read_bytes().splitlines()
        ]

    return stored_drawings


def test_nothing_is_stored_without_consent(visit, doodle, stored_drawings):
    visited = visit(GAME.replace("#game", "#draw"))
    page = visited.page
    visited.draw(doodle(WORD))
    visited.wait_for_guess(WORD)
    page.click("#donate")
    page.keyboard.press("Enter")  # the focus is on "No, thanks"
    assert page.locator("#donate-dialog").is_hidden()
    page.click("#donate")
    page.keyboard.press("Escape")
    page.click("a[href='#game']")
    page.clock.install()
    visited.play_round(doodle(WORD))
    page.click("#consent >> text=No, thanks")
    assert "nothing was stored" in visited.text("#consent")
    page.click("#again")
    assert visited.count_requests("/v1/drawings") == 0
    assert stored_drawings() == []


def test_free_drawing_is_stored_on_consent(visit, doodle, stored_drawings):
    visited = visit()
    page = visited.page
    visited.draw(doodle(WORD))
    visited.wait_for_guess(WORD)
    page.click("#donate")
    page.click("#donate-yes")
    visited.expect("#bot-text").to_contain_text("Thank you")
    assert [line["word"] for line in stored_drawings()] == [WORD]
    page.click("#open-settings")
    page.click("#delete-drawings")
    page.wait_for_selector("text=None of your drawings is stored")
    assert stored_drawings() == []


def test_game_is_stored_on_consent_and_deleted_after_a_reload(
    visit, doodle, stored_drawings
):
    visited = visit(GAME)
    page = visited.page
    page.clock.install()
    visited.play_round(doodle(WORD))
    page.click("#consent >> text=Yes, keep it")
    page.wait_for_selector("#consent >> text=Delete my drawings")
    (line,) = stored_drawings()
    assert (line["word"], line["recognized"]) == (WORD, True)
    page.reload()
    page.click("#open-settings")
    page.click("#delete-drawings")
    page.wait_for_selector("text=None of your drawings is stored")
    assert stored_drawings() == []
    assert visited.errors == []


def test_no_question_where_drawings_are_not_stored(visit, serving, export_dir, doodle):
    with serving(export_dir) as server:
        visited = visit(GAME.replace("#game", ""), address=server.address)
        page = visited.page
        assert page.locator("#donate").is_hidden()
        page.click("a[href='#game']")
        page.clock.install()
        visited.play_round(doodle(WORD))
        visited.wait_for_screen("end")
        assert page.locator("#consent").is_hidden()
    assert visited.errors == []
