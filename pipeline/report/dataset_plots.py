"""The plots of the page about drawings."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.report.figures import (
    FULL_WIDTH,
    HALF,
    SERIES,
    TEXT,
    Figure,
    percent,
    thousands,
)
from pipeline.report.page import Html

_BINS = 48


def bin_edges(up_to: int) -> np.ndarray:
    """Cuts whole numbers from 0 to about `up_to` into few bins of one width.

    Returns:
      `<float64>[bins + 1]`, halfway between whole numbers.
    """
    width = max(1, -(-up_to // _BINS))
    return np.arange(up_to // width + 2) * width - 0.5


def histogram(
    numbers: np.ndarray,
    counts: np.ndarray,
    *,
    edges: np.ndarray,
    label: str,
    marks: Mapping[str, int],
) -> Html:
    """Shows how often whole numbers occurred.

    Args:
      numbers: `<int64>[n]`, sorted.
      counts: `<int64>[n]`, how often each occurred.
      edges: `bin_edges`; what lies beyond the last is not shown.
      label: what the numbers are, with their unit.
      marks: names of numbers that get an upright line.
    """
    heights, _ = np.histogram(numbers, edges, weights=counts)
    with Figure(*HALF) as figure:
        axes = figure.subplots()
        width = 0.9 * (edges[1] - edges[0])
        axes.bar(edges[:-1], heights, width, align="edge", color=SERIES[0], lw=0)
        axes.set(xlabel=label, ylabel="drawings", xlim=(-0.5, edges[-1]))
        axes.set_ylim(0, heights.max() * 1.24)
        thousands(axes.xaxis)
        thousands(axes.yaxis)
        for row, (name, number) in enumerate(marks.items()):
            height = 0.99 - 0.09 * row
            axes.axvline(number, 0, height, color=TEXT, lw=1, ls=(0, (4, 3)))
            axes.annotate(
                f"{name} {number:,}",
                (number, height),
                xycoords=("data", "axes fraction"),
                xytext=(4 if number < 0.7 * edges[-1] else -4, 0),
                textcoords="offset points",
                ha="left" if number < 0.7 * edges[-1] else "right",
                va="top",
            )
        return figure.svg()


def grey_values(counts: np.ndarray) -> Html:
    """Shows how many pixels have each grey value, counts `<int64>[256]`."""
    heights = counts.reshape(-1, 8).sum(axis=1) / counts.sum()
    with Figure(*HALF) as figure:
        axes = figure.subplots()
        lefts = np.arange(0, 256, 8)
        axes.bar(lefts, heights, 7.2, align="edge", color=SERIES[0], lw=0, log=True)
        axes.set(xlabel="grey value, 255 is ink", ylabel="share of the pixels")
        axes.set(xlim=(0, 256), xticks=[0, 64, 128, 192, 255])
        smallest = heights[heights > 0].min()
        axes.set_ylim(bottom=10 ** np.floor(np.log10(smallest)))
        axes.yaxis.set_major_formatter(percent)
        axes.minorticks_off()
        return figure.svg()


def bars(names: Sequence[str], series: Mapping[str, Sequence[int]]) -> Html:
    """Shows a bar for each name, from top to bottom, in parts side by side."""
    with Figure(FULL_WIDTH, 70 + 24 * len(names)) as figure:
        axes = figure.subplots()
        rows = np.arange(len(names))
        left = np.zeros(len(names))
        for number, (part, counts) in enumerate(series.items()):
            colour = SERIES[number % len(SERIES)]
            axes.barh(rows, counts, 0.68, left, color=colour, lw=0, label=part)
            left += counts
        for row, total in zip(rows, left):
            text = f"{round(total):,}"
            place = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
            axes.annotate(text, (total, row), **place)
        axes.set_yticks(rows, names, color=TEXT)
        axes.set(ylim=(len(names) - 0.4, -0.6), xlim=(0, left.max() * 1.07 or 1))
        axes.set_xlabel("drawings")
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="x", length=0)
        thousands(axes.xaxis)
        if len(series) > 1:
            figure.legend(loc="outside upper left", ncols=len(series))
        return figure.svg()


def ranks(names: Sequence[str], counts: Sequence[int]) -> Html:
    """Shows many counts, from the largest to the smallest, with some of the names."""
    order = np.argsort(-np.asarray(counts), kind="stable")
    heights = np.asarray(counts)[order]
    with Figure(FULL_WIDTH, 330) as figure:
        axes = figure.subplots()
        places = np.arange(1, len(heights) + 1)
        axes.bar(places, heights, 0.8, color=SERIES[0], lw=0)
        if heights[0] > 20 * heights[-1]:
            lowest = 10 ** np.floor(np.log10(heights[-1]))
            axes.set(yscale="log", ylim=(lowest / 2, heights[0] * 4))
        else:
            axes.set_ylim(0, heights[0] * 1.35)
        axes.set(xlabel="place of the class by its size", ylabel="drawings")
        axes.set_xlim(0, len(heights) + 1)
        thousands(axes.yaxis)
        axes.minorticks_off()
        for place in np.linspace(1, len(heights), 12).round().astype(int):
            axes.annotate(
                names[order[place - 1]],
                (place, heights[place - 1]),
                xytext=(4, 4),  # clear of a higher bar on its left
                textcoords="offset points",
                rotation=35,
                rotation_mode="anchor",
                ha="left",
            )
        return figure.svg()
