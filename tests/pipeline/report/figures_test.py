"""A figure is the same plot in the page's colours and, as PNG, in those of the day."""

import io
import re

import numpy as np
from PIL import Image

from pipeline.report import figures, page
from pipeline.report.figures import Figure


def drawn():
    with Figure(200, 100) as some:
        axes = some.subplots()
        axes.bar([1, 2], [1, 2], color=figures.SERIES[1])
        return some.plot()


def test_png_has_the_colours_and_svg_their_variables():
    plot = drawn()
    assert "fill: var(--series-2)" in plot.svg
    assert not re.search("#[0-9a-fA-F]{6}", plot.svg)
    picture = Image.open(io.BytesIO(plot.png)).convert("RGB")
    assert picture.size == (400, 200)
    colours = {"#{:02x}{:02x}{:02x}".format(*c) for _, c in picture.getcolors(1 << 16)}
    assert {page.LIGHT["series-2"], "#ffffff"} <= colours


def test_a_plot_repeats():
    assert drawn() == drawn()


def test_no_two_colours_of_a_plot_are_alike():
    """Else one would give way to the other's variable."""
    used = [figures.TEXT, figures.MUTED, figures.LINE, figures.CARD, *figures.SERIES]
    assert len(set(used)) == len(used) == len(figures._VARIABLES)
    light = list(page.LIGHT.values())
    assert all(light.count(colour) == 1 for colour in used)


def test_pixels_are_not_blurred():
    cells = np.random.default_rng(0).random((3, 3, 4))
    with Figure(200, 200) as some:
        some.subplots().imshow(cells, interpolation="none")
        assert "image-rendering:pixelated" in some.svg()
