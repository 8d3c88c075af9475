"""Pages are well-formed, self-contained HTML with all text escaped."""

import html.parser
import os
import re

import numpy as np
import pytest

from pipeline.report import page, theme, thumbnails
from pipeline.report.page import (
    Card,
    Cards,
    Cell,
    Chart,
    Code,
    Columns,
    Gallery,
    Guess,
    Heading,
    Html,
    Paragraph,
    Section,
    Table,
    Tile,
)

UNSAFE = "<script>&\"'"
VOID_TAGS = {"meta", "img"}


class Outline(html.parser.HTMLParser):
    """Checks that all tags are closed in order; collects texts and URLs."""

    def __init__(self):
        super().__init__()
        self.open_tags = []
        self.texts = []
        self.urls = []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID_TAGS:
            self.open_tags.append(tag)
        self.urls += [v for k, v in attributes if k in ("src", "href")]

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())


def parse_outline(text):
    outline = Outline()
    outline.feed(text)
    outline.close()
    assert not outline.open_tags
    return outline


def render(element):
    return str(element.__html__())


@pytest.fixture(scope="module")
def full_page():
    """A page with every element, and unsafe text wherever there is text."""
    picture = thumbnails.draw_bitmap(np.eye(3, dtype=np.uint8), UNSAFE)
    body = [
        Heading(UNSAFE),
        Paragraph(UNSAFE),
        Code(UNSAFE),
        Table([UNSAFE, "n"], [[UNSAFE, 1234567], [Cell(UNSAFE, UNSAFE), 0.5]]),
        Columns([Chart(UNSAFE, Html("<svg></svg>"), UNSAFE)]),
        Gallery([(UNSAFE, [picture])], 1),
        Cards([Card(UNSAFE, picture, [Guess(UNSAFE, 0.5, True)])]),
    ]
    sections = [Section(UNSAFE, body, UNSAFE), Section("b", [Html("<i>markup</i>")])]
    return page.render_page(UNSAFE, UNSAFE, [Tile(UNSAFE, UNSAFE, UNSAFE)], sections)


def test_text_is_escaped_and_markup_is_not(full_page):
    outline = parse_outline(full_page)
    # Page 3, tile 3, section 3, headings and code 3, table 4, chart 2, pictures 3.
    assert outline.texts.count(UNSAFE) == 21
    assert "markup" in outline.texts


def test_a_page_loads_nothing_else(full_page):
    urls = parse_outline(full_page).urls
    assert urls
    for url in urls:
        assert url.startswith(("#part-", "data:image/png;base64,"))
    assert "url(" not in full_page
    assert "@import" not in full_page


def test_every_css_variable_is_defined_in_both_themes(full_page):
    light, dark = re.findall(r":root \{(.*?)\}", full_page, re.DOTALL)
    names = [set(re.findall(r"(--[\w-]+):", block)) for block in (light, dark)]
    assert names[0] == names[1]
    used = set(re.findall(r"var\((--[\w-]+)\)", full_page)) - {"--width"}
    assert used <= names[0]
    assert {f"--{name}" for name in theme.LIGHT} < names[0]


def test_numbers_in_a_table_are_formatted():
    row = ["cat", 1234567, 0.12345, float("nan")]
    table = render(Table(["class", "n", "share", "none"], [row]))
    cells = re.findall(r"<td( class=\"number\")?>(.*?)</td>", table)
    number = ' class="number"'
    assert cells == [
        ("", "cat"),
        (number, "1,234,567"),
        (number, "12.3%"),
        (number, "–"),
    ]
    assert re.findall(r"<th( class=\"number\")?>", table) == ["", *[number] * 3]
    assert "<thead>" not in render(Table((), [row]))


def test_guesses_are_shown_below_their_drawing():
    guesses = [Guess(UNSAFE, 0.256, False), Guess("cat", 1.0, True)]
    markup = render(Cards([Card("dog", Html("<i>x</i>"), guesses)] * 2, width=99))
    parse_outline(markup)
    assert 'style="--width: 99px"' in markup
    items = re.findall(r"<li(.*?)><span>(.*?)</span>(.*?)</li>", markup)
    escaped = "&lt;script&gt;&amp;&#34;&#39;"
    assert items == 2 * [("", escaped, "26%"), (' class="right"', "cat", "100%")]


def test_a_failed_write_keeps_the_existing_file(tmp_path):
    path = tmp_path / "report.html"
    page.write_file(str(path), "before")
    with pytest.raises(UnicodeEncodeError):
        page.write_file(str(path), "after" * 9999 + "\ud800")
    assert path.read_text() == "before"
    page.write_file(str(path), "after")
    assert path.read_text() == "after"
    assert os.listdir(tmp_path) == ["report.html"]
