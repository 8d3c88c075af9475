"""Drawings on a page: their strokes, their pixels, the guesses under them."""

import base64
import html
import io
import re

import numpy as np
from PIL import Image
from tests.pipeline.report.page_test import WICKED, outline_of

from pipeline import strokes
from pipeline.report import page, thumbnails
from pipeline.report.page import Html
from pipeline.report.thumbnails import Guess


def test_strokes_are_drawn_from_the_strongest_shade_to_the_last():
    drawing = [[[0, 255], [0, 100]], [[9], [9]], [[1, 2], [3, 4]]]
    svg = thumbnails.strokes_svg(strokes.to_points(drawing))
    assert re.findall(r'class="s(\d)" d="(.*?)"', svg) == [
        ("0", "M0 0L255 100"),
        ("2", "M9 9h0"),
        ("5", "M1 3L2 4"),
    ]
    assert 'viewBox="-9 -86 272 272"' in svg  # the middle (127, 50) is in its middle


def test_shades_stay_in_the_style():
    for count in range(1, 20):
        svg = thumbnails.strokes_svg(strokes.to_points([[[0], [0]]] * count))
        for shade in re.findall(r'class="(s\d+)"', svg):
            assert f".{shade} {{ stroke:" in page._STYLE


def test_an_image_holds_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    markup = thumbnails.image(pixels, WICKED)
    data = base64.b64decode(re.search(r'base64,(.*?)"', markup)[1])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)


def test_guesses_stand_under_their_drawing():
    guesses = [Guess(WICKED, 0.256, False), Guess("cat", 1.0, True)]
    markup = thumbnails.answered([(WICKED, Html("<i>x</i>"), guesses)] * 2, 99)
    outline_of(markup)
    assert 'style="--width: 99px"' in markup
    items = re.findall(r"<li(.*?)><span>(.*?)</span>(.*?)</li>", markup)
    wicked = html.escape(WICKED)
    assert items == 2 * [("", wicked, "26%"), (' class="right"', "cat", "100%")]
