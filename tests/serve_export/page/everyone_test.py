"""What the page owes to everyone: size, rest, night, plain English."""

import pytest


@pytest.mark.parametrize("path", ["/#draw", "/#game"])
def test_what_is_touched_is_as_large_as_a_finger(visit, phone, path):
    visited = visit(path, **phone)
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
