"""Drawings are kept with consent alone, and forgotten on demand."""

import json

from pipeline import sample

WORDS = sample.CLASSES[:4]

LONG = "seconds=300"
"""Of a round, so that a busy machine has the time to draw."""


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
    visited.play(doodle(WORDS[1]))
    page.click("#consent >> text=No, thanks")
    assert "nothing was kept" in visited.text("#consent")
    page.click("#again")
    assert visited.posted("/v1/drawings") == 0
    assert lines_in(kept) == []


def test_what_was_given_is_forgotten_on_demand(visit, doodle, kept):
    visited = visit(f"/?words={WORDS[1]}&{LONG}#game")
    page = visited.page
    page.clock.install()
    visited.play(doodle(WORDS[1]))
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
        visited.play(doodle(WORDS[1]))
        visited.wait_for_screen("end")
        assert page.locator("#consent").is_hidden()
    assert visited.errors == []
