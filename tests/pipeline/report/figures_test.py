"""A figure has CSS variables as colors in SVG, and the light colors in PNG."""

import io
import re

import numpy as np
from PIL import Image

from pipeline.report import figures, theme
from pipeline.report.figures import Figure


def draw_plot():
    with Figure(200, 100) as figure:
        figure.subplots().bar([1, 2], [1, 2], color=figures.SERIES[1])
        return figure.plot()


def test_svg_has_variables_and_png_has_colors():
    plot = draw_plot()
    assert "fill: var(--series-2)" in plot.svg
    assert not re.search("#[0-9a-fA-F]{6}", plot.svg)
    picture = Image.open(io.BytesIO(plot.png)).convert("RGB")
    assert picture.size == (400, 200)
    colors = {"#{:02x}{:02x}{:02x}".format(*c) for _, c in picture.getcolors(1 << 16)}
    assert {theme.LIGHT["series-2"], "#ffffff"} <= colors


def test_plots_are_reproducible():
    assert draw_plot() == draw_plot()


def test_light_colors_are_distinct():
    """Equal colors could not be replaced by different variables."""
    assert len(set(theme.LIGHT.values())) == len(theme.LIGHT)


def test_pixels_are_not_interpolated():
    cells = np.random.default_rng(0).random((3, 3, 4))
    with Figure(200, 200) as figure:
        figure.subplots().imshow(cells, interpolation="none")
        assert "image-rendering:pixelated" in figure.svg()
