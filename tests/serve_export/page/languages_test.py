"""The languages of the page: complete texts, all words, natural sentences."""

import json
import re
from collections import Counter

import pytest

from pipeline import sample
from serve_export.api.routes.page import STATIC_DIR

FILES = {path.stem: path for path in (STATIC_DIR / "languages").glob("*.json")}

WORDS = sample.CLASSES[:4]


def load(code):
    return json.loads(FILES[code].read_text(encoding="utf-8"))


def placeholders(text):
    """The placeholders of a text, of its variants, or of its plural forms.

    A language may use `{name}` for `{word}`, and leave `{count}` out ("one drawing").
    """
    texts = [text] if isinstance(text, str) else text
    texts = texts.values() if isinstance(texts, dict) else texts
    found = {name for each in texts for name in re.findall(r"\{(\w+)\}", each)}
    return {"word" if name == "name" else name for name in found} - {"count"}


def name_of(phrase, articles):
    """A word without its article, as `wordName` of language.js."""
    article = next((each for each in articles if phrase.startswith(each)), "")
    return phrase.removeprefix(article)


def test_languages_can_be_chosen():
    module = (STATIC_DIR / "languages" / "language.js").read_text()
    assert set(re.findall(r'^  (\w\w): "', module, re.MULTILINE)) == set(FILES)
    assert set(FILES) >= {"en", "de", "es", "fr", "pt", "ja"}


@pytest.mark.parametrize("code", FILES)
def test_every_text_is_translated(code):
    english, other = load("en"), load(code)
    assert english.keys() == other.keys()
    texts = other["interface"]
    assert english["interface"].keys() == texts.keys()
    for key, text in english["interface"].items():
        assert type(texts[key]) is type(text), key
        assert placeholders(texts[key]) == placeholders(text), key
        if isinstance(text, dict):
            assert "other" in texts[key], key


def test_words_are_the_classes_of_quickdraw(quickdraw_dir):
    classes = (quickdraw_dir / "classes" / "qd345.txt").read_text().splitlines()
    assert list(load("en")["words"]) == sorted(classes)


@pytest.mark.parametrize("code", FILES)
def test_every_word_is_translated_and_all_differ(code):
    language = load(code)
    phrases = language["words"]
    assert list(phrases) == list(load("en")["words"])
    assert len(phrases) == 345
    assert all(phrase == phrase.strip() != "" for phrase in phrases.values())
    names = [name_of(phrase, language["articles"]) for phrase in phrases.values()]
    for each in (phrases.values(), [name.casefold() for name in names]):
        assert [text for text, count in Counter(each).items() if count > 1] == []


def test_texts_of_the_page_exist():
    keys = load("en")["interface"].keys()
    used = set()
    for path in STATIC_DIR.rglob("*.html"):
        used |= set(re.findall(r'data-(?:text|label)="(\w+)"', path.read_text()))
    for path in STATIC_DIR.rglob("*.js"):
        code = path.read_text()
        for call in re.findall(r"\btext\(([^)]*)", code):
            used |= set(re.findall(r'"(\w+)"', call))
        for assignment in re.findall(r"const key = [^;]*;", code):
            used |= set(re.findall(r'"(\w+)"', assignment))
    assert used - keys == set()
    assert keys - used == set()


@pytest.mark.parametrize(
    ("locale", "language", "draw"),
    [("de-AT", "de", "Zeichnen"), ("pt-BR", "pt", "Desenhar"), ("nl", "en", "Draw")],
)
def test_language_of_the_browser(visit, locale, language, draw):
    visited = visit(locale=locale)
    visited.expect("a[href='#draw']").to_have_text(draw)
    assert visited.page.evaluate("document.documentElement.lang") == language


def test_language_is_changed_and_remembered(visit, doodle):
    visited = visit()
    visited.draw(doodle(WORDS[3]))
    visited.wait_for_guess("flower")
    visited.page.click("#open-settings")
    visited.page.select_option("#language", "de")
    visited.wait_for_guess("Blume")  # the drawing is kept, too
    visited.page.reload()
    visited.wait_for_guess("Blume")
    assert visited.errors == []


PHRASES = """
async (words) => {
  const { wordPhrase, wordName } = await import("/static/languages/language.js");
  return words.map((word) => [wordPhrase(word), wordName(word)]);
}
"""

SENTENCE = """
async (guesses) => {
  const { tellGuesses } = await import("/static/character/phrases.js");
  return tellGuesses(guesses);
}
"""


def test_words_within_sentences(visit):
    page = visit().page
    words = ["owl", "hourglass", "The Mona Lisa", "stairs", "sun", "unknown thing"]
    assert page.evaluate(PHRASES, words) == [
        ["an owl", "owl"],
        ["an hourglass", "hourglass"],
        ["the Mona Lisa", "Mona Lisa"],
        ["stairs", "stairs"],
        ["the sun", "sun"],
        ["unknown thing", "unknown thing"],
    ]
    guesses = [{"word": "owl", "probability": 0.4}, {"word": "cat", "probability": 0.3}]
    assert page.evaluate(SENTENCE, guesses) == "I see an owl… or a cat!"


SPOKEN = """
window.spoken = [];
speechSynthesis.speak = ({text, lang}) => window.spoken.push([text, lang]);
"""


def test_guesses_are_spoken_after_the_first_tap_unless_muted(visit, doodle):
    visited = visit("/", init=SPOKEN, locale="de")
    page = visited.page
    assert page.evaluate("spoken") == []
    visited.draw(doodle(WORDS[3]))
    visited.expect("#bot-text").to_contain_text("Blume")
    texts = page.evaluate("spoken")
    assert texts
    assert all(lang == "de" for _, lang in texts)
    assert "Blume" in texts[-1][0]
    page.click("#mute")
    page.reload()
    visited.wait_until_ready()
    assert page.locator("#mute").get_attribute("aria-pressed") == "true"
    page.click("#clear")
    visited.draw(doodle(WORDS[1]))
    visited.wait_for_guess("Uhr")
    page.wait_for_timeout(1_500)
    assert page.evaluate("spoken") == []
