"""Pages are whole HTML that needs nothing else, whatever text is put in."""

import html.parser
import os
import re

import numpy as np
import pytest

from pipeline.report import page as report
from pipeline.report import thumbnails
from pipeline.report.page import Html, Section, Tile

WICKED = "<script>&\"'"
VOID = {"meta", "img"}


class Outline(html.parser.HTMLParser):
    """Checks that every tag is closed in turn; collects text and addresses."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.text = []
        self.addresses = []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        self.addresses += [v for k, v in attributes if k in ("src", "href")]

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def outline_of(page):
    outline = Outline()
    outline.feed(page)
    outline.close()
    assert not outline.open
    return outline


def full_page():
    body = [
        report.table([WICKED, "n"], [[WICKED, 1234567], ["b", 0.5]]),
        thumbnails.gallery(
            [(WICKED, [thumbnails.image(np.eye(3, dtype=np.uint8), WICKED)])], 1
        ),
        report.columns([report.plot(WICKED, Html("<svg></svg>"), WICKED)]),
    ]
    return report.page(
        WICKED,
        WICKED,
        [Tile(WICKED, WICKED, WICKED)],
        [Section(WICKED, report.join(body), WICKED), Section("b", Html("<i>b</i>"))],
    )


def test_a_page_is_well_formed_and_escaped():
    outline = outline_of(full_page())
    assert outline.text.count(WICKED) == 14
    assert "b" in outline.text


def test_a_page_needs_nothing_else():
    addresses = outline_of(full_page()).addresses
    assert addresses
    for address in addresses:
        assert address.startswith(("#part-", "data:image/png;base64,"))
    assert "url(" not in full_page()
    assert "@import" not in full_page()


def test_every_colour_has_a_light_and_a_dark_value():
    light, dark = re.findall(r":root \{(.*?)\}", report._STYLE, re.DOTALL)
    names = [set(re.findall(r"(--[\w-]+):", theme)) for theme in (light, dark)]
    assert names[0] == names[1]
    used = set(re.findall(r"var\((--[\w-]+)\)", report._STYLE)) - {"--width"}
    assert used <= names[0]


def test_numbers_in_a_table():
    row = ["cat", 1234567, 0.12345, float("nan")]
    table = report.table(["class", "n", "share", "none"], [row])
    cells = re.findall(r"<td( class=\"number\")?>(.*?)</td>", table)
    number = ' class="number"'
    assert cells == [
        ("", "cat"),
        (number, "1,234,567"),
        (number, "12.3%"),
        (number, "–"),
    ]
    assert "<thead>" not in report.table((), [row])


def test_a_page_that_cannot_be_written_leaves_the_one_before(tmp_path):
    path = tmp_path / "report.html"
    report.write(str(path), "before")
    with pytest.raises(UnicodeEncodeError):
        report.write(str(path), "after" * 9999 + "\ud800")
    assert path.read_text() == "before"
    report.write(str(path), "after")
    assert path.read_text() == "after"
    assert os.listdir(tmp_path) == ["report.html"]
