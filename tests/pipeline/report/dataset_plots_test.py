"""Plots show their data and take their colors from the page."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report import dataset_plots

SVG = "{http://www.w3.org/2000/svg}"


def plot_histogram():
    return dataset_plots.plot_histogram(
        np.arange(30),
        np.arange(30, 0, -1),
        edges=dataset_plots.compute_bin_edges(20),
        label="points per drawing",
        marks={"median": 4, "p99": 15},
    )


def plot_gray_values():
    return dataset_plots.plot_gray_values(np.r_[9000, np.full(254, 10), 1000])


def plot_bars():
    return dataset_plots.plot_bars(
        ["cat", "<b> & $x$"], {"train": [1234, 5], "test": [0, 6]}
    )


def plot_ranks():
    return dataset_plots.plot_ranks(
        [f"word{n}" for n in range(100)], [3 * n + 1 for n in range(100)]
    )


def parse_svg(svg):
    return ElementTree.fromstring(svg)


def find_texts(svg):
    nodes = parse_svg(svg).iter(f"{SVG}text")
    return ["".join(node.itertext()).strip() for node in nodes]


def find_bars(svg, series):
    """Returns the width and height of the rectangles in the color of a series."""
    bars = []
    for node in parse_svg(svg).iter(f"{SVG}path"):
        if node.get("style") == f"fill: var(--series-{series})":
            numbers = re.findall(r"-?[\d.]+", node.get("d"))
            xy = np.array(numbers, float).reshape(-1, 2)
            bars.append(tuple(np.ptp(xy, axis=0)))
    return np.array(bars)


@pytest.mark.parametrize(
    "plot", [plot_histogram, plot_gray_values, plot_bars, plot_ranks]
)
def test_plots_are_reproducible_and_use_the_colors_of_the_page(plot):
    svg = plot()
    root = parse_svg(svg)
    assert root.get("viewBox")
    assert not root.get("width")
    assert not root.get("height")
    assert not re.search("#[0-9a-fA-F]{6}", svg)
    assert "<style" not in svg
    assert "var(--series-1)" in svg
    assert plot() == svg


def test_a_histogram_has_a_bar_for_each_value():
    svg = plot_histogram()
    bars = find_bars(svg, 1)
    assert len(bars) == 21
    np.testing.assert_allclose(bars[:, 1] / bars[0, 1], np.arange(30, 9, -1) / 30)
    labels = {"median 4", "p99 15", "points per drawing", "drawings"}
    assert labels <= set(find_texts(svg))


@given(st.integers(1, 10**6))
def test_bins_are_few_and_have_half_integer_edges(maximum):
    edges = dataset_plots.compute_bin_edges(maximum)
    assert len(edges) <= 50
    assert len(set(np.diff(edges))) == 1
    assert edges[0] == -0.5
    assert edges[-2] < maximum < edges[-1]
    assert (edges % 1 == 0.5).all()


def test_bars_are_stacked_and_labeled():
    svg = plot_bars()
    labels = {"cat", "<b> & $x$", "1,234", "11", "train", "test"}
    assert labels <= set(find_texts(svg))
    train, test = (find_bars(svg, series) for series in (1, 2))
    assert train[0, 0] / test[1, 0] == pytest.approx(1234 / 6, rel=1e-3)


def test_a_single_series_has_no_legend():
    assert "all" not in find_texts(dataset_plots.plot_bars(["cat"], {"all": [1]}))


def test_ranks_descend_and_the_first_and_last_are_labeled():
    svg = plot_ranks()
    heights = find_bars(svg, 1)[:, 1]
    assert len(heights) == 100
    assert (np.diff(heights) < 0).all()
    words = [text for text in find_texts(svg) if text.startswith("word")]
    assert {"word99", "word0"} <= set(words)
    assert len(words) == 12
