"""Plots of the page about a data set."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.report.figures import (
    FULL_WIDTH,
    HALF,
    SERIES,
    TEXT,
    Figure,
    format_percent,
    use_thousands_separators,
)
from pipeline.report.page import Html

_MAX_BINS = 48
_NAMED_RANKS = 12


def compute_bin_edges(maximum: int) -> np.ndarray:
    """Computes at most 50 bins of equal width for the integers from 0 to `maximum`.

    Returns:
      `<float64>[bins + 1]`, halfway between integers.
    """
    width = max(1, -(-maximum // _MAX_BINS))
    return np.arange(maximum // width + 2) * width - 0.5


def plot_histogram(
    values: np.ndarray,
    counts: np.ndarray,
    *,
    edges: np.ndarray,
    label: str,
    marks: Mapping[str, int],
) -> Html:
    """Plots how often integers occur.

    Args:
      values: `<int64>[n]`, sorted.
      counts: `<int64>[n]`, number of drawings with each value.
      edges: Result of `compute_bin_edges`; values beyond the last edge are not shown.
      label: Quantity and unit of the values.
      marks: Values with a vertical line, by the name of the line.
    """
    heights, _ = np.histogram(values, edges, weights=counts)
    with Figure(*HALF) as figure:
        axes = figure.subplots()
        width = 0.9 * (edges[1] - edges[0])
        axes.bar(edges[:-1], heights, width, align="edge", color=SERIES[0], lw=0)
        axes.set(xlabel=label, ylabel="drawings", xlim=(-0.5, edges[-1]))
        axes.set_ylim(0, heights.max() * 1.24)
        use_thousands_separators(axes.xaxis)
        use_thousands_separators(axes.yaxis)
        for index, (name, value) in enumerate(marks.items()):
            top = 0.99 - 0.09 * index
            is_left = value < 0.7 * edges[-1]
            axes.axvline(value, 0, top, color=TEXT, lw=1, ls=(0, (4, 3)))
            axes.annotate(
                f"{name} {value:,}",
                (value, top),
                xycoords=("data", "axes fraction"),
                xytext=(4 if is_left else -4, 0),
                textcoords="offset points",
                ha="left" if is_left else "right",
                va="top",
            )
        return figure.svg()


def plot_gray_values(counts: np.ndarray) -> Html:
    """Plots the number of pixels of each gray value, `<int64>[256]`."""
    heights = counts.reshape(-1, 8).sum(axis=1) / counts.sum()
    with Figure(*HALF) as figure:
        axes = figure.subplots()
        lefts = np.arange(0, 256, 8)
        axes.bar(lefts, heights, 7.2, align="edge", color=SERIES[0], lw=0, log=True)
        axes.set(xlabel="gray value (255 is ink)", ylabel="share of pixels")
        axes.set(xlim=(0, 256), xticks=[0, 64, 128, 192, 255])
        smallest = heights[heights > 0].min()
        axes.set_ylim(bottom=10 ** np.floor(np.log10(smallest)))
        axes.yaxis.set_major_formatter(format_percent)
        axes.minorticks_off()
        return figure.svg()


def plot_bars(names: Sequence[str], series: Mapping[str, Sequence[int]]) -> Html:
    """Plots a horizontal bar for each name, stacked from the series."""
    with Figure(FULL_WIDTH, 70 + 24 * len(names)) as figure:
        axes = figure.subplots()
        rows = np.arange(len(names))
        left = np.zeros(len(names))
        for index, (label, counts) in enumerate(series.items()):
            color = SERIES[index % len(SERIES)]
            axes.barh(rows, counts, 0.68, left, color=color, lw=0, label=label)
            left += counts
        for row, total in zip(rows, left):
            axes.annotate(
                f"{round(total):,}",
                (total, row),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
            )
        axes.set_yticks(rows, names, color=TEXT)
        axes.set(ylim=(len(names) - 0.4, -0.6), xlim=(0, left.max() * 1.07 or 1))
        axes.set_xlabel("drawings")
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="x", length=0)
        use_thousands_separators(axes.xaxis)
        if len(series) > 1:
            figure.legend(loc="outside upper left", ncols=len(series))
        return figure.svg()


def plot_ranks(names: Sequence[str], counts: Sequence[int]) -> Html:
    """Plots many counts in descending order and labels twelve of them."""
    order = np.argsort(-np.asarray(counts), kind="stable")
    heights = np.asarray(counts)[order]
    with Figure(FULL_WIDTH, 330) as figure:
        axes = figure.subplots()
        axes.bar(np.arange(1, len(heights) + 1), heights, 0.8, color=SERIES[0], lw=0)
        if heights[0] > 20 * heights[-1]:
            lowest = 10 ** np.floor(np.log10(heights[-1]))
            axes.set(yscale="log", ylim=(lowest / 2, heights[0] * 4))
        else:
            axes.set_ylim(0, heights[0] * 1.35)
        axes.set(xlabel="rank of the class", ylabel="drawings")
        axes.set_xlim(0, len(heights) + 1)
        use_thousands_separators(axes.yaxis)
        axes.minorticks_off()
        for rank in np.linspace(1, len(heights), _NAMED_RANKS).round().astype(int):
            axes.annotate(
                names[order[rank - 1]],
                (rank, heights[rank - 1]),
                xytext=(4, 4),  # clear of a higher bar on the left
                textcoords="offset points",
                rotation=35,
                rotation_mode="anchor",
                ha="left",
            )
        return figure.svg()
