"""Plots take their colours from the page, and show what they are given."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report import dataset_plots

SVG = "{http://www.w3.org/2000/svg}"


def histogram():
    return dataset_plots.histogram(
        np.arange(30),
        np.arange(30, 0, -1),
        edges=dataset_plots.bin_edges(20),
        label="points per drawing",
        marks={"median": 4, "p99": 15},
    )


def grey_values():
    return dataset_plots.grey_values(np.r_[9000, np.full(254, 10), 1000])


def bars():
    return dataset_plots.bars(
        ["cat", "<b> & $x$"], {"train": [1234, 5], "test": [0, 6]}
    )


def ranks():
    return dataset_plots.ranks(
        [f"word{n}" for n in range(100)], [3 * n + 1 for n in range(100)]
    )


def texts(svg):
    return ["".join(node.itertext()).strip() for node in tree(svg).iter(f"{SVG}text")]


def tree(svg):
    return ElementTree.fromstring(svg)


def widths_and_heights(svg, series):
    """The rectangles in a colour, as (width, height)."""
    found = []
    for node in tree(svg).iter(f"{SVG}path"):
        if node.get("style") == f"fill: var(--series-{series})":
            numbers = re.findall(r"-?[\d.]+", node.get("d"))
            xy = np.array(numbers, float).reshape(-1, 2)
            found.append(tuple(np.ptp(xy, axis=0)))
    return np.array(found)


@pytest.mark.parametrize("plot", [histogram, grey_values, bars, ranks])
def test_a_plot_follows_the_page_and_repeats(plot):
    svg = plot()
    root = tree(svg)
    assert root.get("viewBox")
    assert not root.get("width")
    assert not root.get("height")
    assert not re.search("#[0-9a-fA-F]{6}", svg)
    assert "<style" not in svg
    assert "var(--series-1)" in svg
    assert plot() == svg


def test_a_histogram_has_a_bar_for_each_number():
    bars = widths_and_heights(histogram(), 1)
    assert len(bars) == 21
    np.testing.assert_allclose(bars[:, 1] / bars[0, 1], np.arange(30, 9, -1) / 30)
    assert {"median 4", "p99 15", "points per drawing", "drawings"} <= set(
        texts(histogram())
    )


@given(st.integers(1, 10**6))
def test_bins_are_few_and_hold_whole_numbers(up_to):
    edges = dataset_plots.bin_edges(up_to)
    assert len(edges) <= 50
    assert len(set(np.diff(edges))) == 1
    assert edges[0] == -0.5
    assert edges[-2] < up_to < edges[-1]
    assert (edges % 1 == 0.5).all()


def test_bars_stand_end_to_end_and_names_are_text():
    found = texts(bars())
    assert {"cat", "<b> & $x$", "1,234", "11", "train", "test"} <= set(found)
    train, test = (widths_and_heights(bars(), series) for series in (1, 2))
    assert train[0, 0] / test[1, 0] == pytest.approx(1234 / 6, rel=1e-3)


def test_one_series_needs_no_legend():
    assert "all" not in texts(dataset_plots.bars(["cat"], {"all": [1]}))


def test_ranks_go_down_and_name_the_first_and_the_last():
    heights = widths_and_heights(ranks(), 1)[:, 1]
    assert len(heights) == 100
    assert (np.diff(heights) < 0).all()
    assert {"word99", "word0"} <= set(texts(ranks()))
    assert len([text for text in texts(ranks()) if text.startswith("word")]) == 12
