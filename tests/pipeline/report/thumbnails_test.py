"""Thumbnails show the strokes and the pixels of drawings."""

import base64
import io
import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline import strokes
from pipeline.report import theme, thumbnails


def test_strokes_are_centered_and_shaded_in_order():
    drawing = [[[0, 255], [0, 100]], [[9], [9]], [[1, 2], [3, 4]]]
    svg = str(thumbnails.draw_strokes(strokes.to_points(drawing)).__html__())
    assert re.findall(r'class="s(\d)" d="(.*?)"', svg) == [
        ("0", "M0 0L255 100"),
        ("2", "M9 9h0"),
        ("5", "M1 3L2 4"),
    ]
    assert 'viewBox="-9 -86 272 272"' in svg  # centered on (127, 50)


@given(st.integers(1, 20))
def test_every_shade_is_in_the_style_sheet(num_strokes):
    points = strokes.to_points([[[0], [0]]] * num_strokes)
    shades = [shade for shade, _ in thumbnails.draw_strokes(points).paths]
    assert shades == sorted(shades)
    assert {*shades} <= {*range(theme.STROKE_SHADES)}


def test_a_bitmap_keeps_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    picture = thumbnails.draw_bitmap(pixels, "cat")
    data = base64.b64decode(picture.png_base64)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
