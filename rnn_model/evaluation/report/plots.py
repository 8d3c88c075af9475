"""Plots of the evaluation report."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pipeline.report.figures import (
    FULL_WIDTH,
    LINE,
    MUTED,
    SERIES,
    TEXT,
    Figure,
    Plot,
    format_percent,
    use_thousands_separators,
)
from pipeline.report.page import Html

MARKERS = "osD^v"
"""One marker per run, so that the plots do not depend on colors alone."""

WIDE = 820
"""Width in pixels of a plot that spans the page."""

HALF = (430, 245)
"""Width and height of a plot that shares the page's width with another."""

MAX_LABELED_CLASSES = 40
"""Plots of more classes do not show all of their names."""

_CORRECT_COLOR, _ERROR_COLOR = SERIES[0], SERIES[1]
_TEXT_ON_CORRECT = "#fefefe"
"""Color of text on dark cells of the confusion matrix, in light and dark mode."""


class Estimate(NamedTuple):
    """A value with its 95 % confidence interval."""

    value: float
    low: float
    high: float


def plot_confusion(names: Sequence[str], shares: np.ndarray) -> Plot:
    """Plots a confusion matrix.

    Args:
      names: names of the classes, in the order of the matrix.
      shares: `<float64>[drawn, predicted]`, shares of the drawings of each class.
    """
    is_labeled = len(names) <= MAX_LABELED_CLASSES
    cell_size = 30 if len(names) <= 15 else 19
    width = min(FULL_WIDTH, 250 + cell_size * len(names)) if is_labeled else WIDE
    height = 190 + cell_size * len(names) if is_labeled else 760
    with Figure(width, height) as figure:
        axes = figure.subplots()
        axes.imshow(_cell_colors(shares), interpolation="none", aspect="equal")
        axes.grid(visible=False)
        axes.set(xlabel="predicted", ylabel="drawn")
        axes.tick_params(length=0)
        if is_labeled:
            ticks = range(len(names))
            axes.set_xticks(ticks, names, rotation=90, color=TEXT)
            axes.set_yticks(ticks, names, color=TEXT)
            _annotate_cells(axes, shares, 9 if cell_size > 20 else 7)
        else:
            axes.set(xticks=[], yticks=[])
        plot = figure.plot()
    # The width is fixed and small screens scroll: a small matrix across the page would
    # have huge cells, and a large one would be unreadable on a phone.
    svg = f'<div style="width: {width}px">{plot.svg}</div>'
    return plot._replace(svg=Html(f'<div class="scroll-x" tabindex="0">{svg}</div>'))


def _cell_colors(shares: np.ndarray) -> np.ndarray:
    """Computes RGBA colors, `<float64>[drawn, predicted, 4]`.

    Correct predictions and errors have different hues. The share is the opacity, so the
    colors work on a light and on a dark page.
    """
    size = len(shares)
    colors = np.zeros((size, size, 4))
    colors[..., :3] = _to_rgb(_ERROR_COLOR)
    colors[np.arange(size), np.arange(size), :3] = _to_rgb(_CORRECT_COLOR)
    # The square root makes shares of a few percent visible.
    colors[..., 3] = np.sqrt(shares)
    return colors


def _to_rgb(color: str) -> list[float]:
    return [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]


def _annotate_cells(axes: Any, shares: np.ndarray, font_size: int) -> None:
    for row, column in zip(*np.nonzero(shares >= 0.005)):
        share = shares[row, column]
        axes.annotate(
            f"{100 * share:.0f}",
            (column, row),
            ha="center",
            va="center",
            fontsize=font_size,
            color=_TEXT_ON_CORRECT if row == column and share > 0.4 else TEXT,
        )


def plot_class_top1(names: Sequence[str], top1: Sequence[Estimate]) -> Plot:
    """Plots the top-1 of each class with its interval, best classes first."""
    order = sorted(range(len(names)), key=lambda label: -top1[label].value)
    names = [names[label] for label in order]
    values, low, high = np.array([top1[label] for label in order]).T
    if len(names) > MAX_LABELED_CLASSES:
        return _plot_class_ranks(names, values, low, high)
    with Figure(WIDE, 70 + 22 * len(names)) as figure:
        axes = figure.subplots()
        rows = np.arange(len(names))
        axes.barh(rows, values, 0.68, color=_CORRECT_COLOR, lw=0)
        axes.hlines(rows, low, high, color=TEXT, lw=1.2)
        for row, value, end in zip(rows, values, high):
            style = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
            axes.annotate(f"{value:.1%}", (max(value, end), row), **style)
        axes.set_yticks(rows, names, color=TEXT)
        axes.set(ylim=(len(names) - 0.4, -0.6), xlim=(0, 1.08), xlabel="top-1")
        _make_horizontal(axes)
        return figure.plot()


def _plot_class_ranks(
    names: Sequence[str], values: np.ndarray, low: np.ndarray, high: np.ndarray
) -> Plot:
    """Plots the top-1 of many classes by rank, with the names of nine of them."""
    with Figure(WIDE, 320) as figure:
        axes = figure.subplots()
        ranks = np.arange(1, len(names) + 1)
        axes.fill_between(ranks, low, high, color=_CORRECT_COLOR, alpha=0.25, lw=0)
        axes.plot(ranks, values, color=_CORRECT_COLOR, lw=2)
        axes.set(xlabel="rank of the class by top-1", ylabel="top-1")
        axes.set(xlim=(0, len(names) * 1.06), ylim=(-0.02, 1.25))
        axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
        axes.yaxis.set_major_formatter(format_percent)
        for rank in np.linspace(1, len(names), 9).round().astype(int):
            value = values[rank - 1]
            axes.plot([rank], [value], "o", color=_CORRECT_COLOR, ms=5)
            axes.annotate(
                names[rank - 1],
                (rank, value),
                xytext=(4, 6),
                textcoords="offset points",
                rotation=35,
                rotation_mode="anchor",
                ha="left",
            )
        return figure.plot()


def plot_reliability(runs: Mapping[str, Sequence[tuple[float, float, int]]]) -> Plot:
    """Plots a reliability diagram, with the number of drawings per bin below.

    Args:
      runs: mean confidence, top-1 and number of drawings of each bin, by run.
    """
    with Figure(WIDE, 350) as figure:
        axes, counts = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
        axes.plot([0, 1], [0, 1], color=MUTED, lw=1, ls=(0, (4, 3)))
        width = 0.05 / max(1, len(runs))
        for index, (name, bins) in enumerate(runs.items()):
            confidence, top1, drawings = np.array(bins).T
            axes.plot(confidence, top1, **_line_style(index), label=name)
            centers = confidence + (index - (len(runs) - 1) / 2) * width
            counts.bar(centers, drawings, width, color=_series_color(index), lw=0)
        axes.set(ylabel="top-1", ylim=(-0.02, 1.05), xlim=(-0.02, 1.04))
        axes.yaxis.set_major_formatter(format_percent)
        counts.set(ylabel="drawings", xlabel="confidence")
        counts.xaxis.set_major_formatter(format_percent)
        counts.locator_params(axis="y", nbins=3)
        use_thousands_separators(counts.yaxis)
        _add_legend(figure, runs)
        return figure.plot()


Series = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""x and y values of each line, by run."""


def plot_learning_curves(
    runs: Series, metric: str, dashed: Series | None = None
) -> Plot:
    """Plots a metric over the epochs.

    Args:
      runs: epochs and values of each run.
      metric: label of the y axis; all metrics but the loss are in percent.
      dashed: a second line for each run.
    """
    with Figure(*HALF) as figure:
        axes = figure.subplots()
        for index, (name, (x, y)) in enumerate(runs.items()):
            style = _line_style(index) | {"ms": 3 if len(x) > 12 else 6}
            axes.plot(x, y, **style, label=name)
            if dashed:
                axes.plot(*dashed[name], **style | _DASHED)
        axes.set(xlabel="epoch", ylabel=metric)
        if metric != "loss":
            axes.yaxis.set_major_formatter(format_percent)
        last = max(max(x) for x, _ in runs.values())
        axes.set_xlim(0, last + max(0.5, 0.03 * last))
        axes.locator_params(axis="x", integer=True)
        axes.margins(y=0.08)
        _add_legend(figure, runs)
        return figure.plot()


def plot_parts(
    parts: Sequence[float],
    top1: Mapping[str, Sequence[Estimate]],
    confidence: Mapping[str, Sequence[float]],
) -> Plot:
    """Plots top-1 and, dashed, the mean confidence on parts of the drawings.

    Args:
      parts: shares of the points.
      top1: top-1 on each part, by run.
      confidence: mean confidence on each part, by run.
    """
    with Figure(*HALF) as figure:
        axes = figure.subplots()
        for index, (name, estimates) in enumerate(top1.items()):
            values, low, high = np.array(estimates).T
            color = _series_color(index)
            axes.fill_between(parts, low, high, color=color, alpha=0.18, lw=0)
            axes.plot(parts, values, **_line_style(index), label=name)
            axes.plot(parts, confidence[name], **_line_style(index) | _DASHED)
            if len(top1) == 1:
                style = {"xytext": (0, 9), "textcoords": "offset points"}
                for part, value in zip(parts, values):
                    axes.annotate(f"{value:.1%}", (part, value), ha="center", **style)
        axes.set(xlabel="part of the points", ylabel="top-1")
        axes.set(ylim=(0, 1.09), xticks=list(parts))
        axes.margins(x=0.06)
        axes.xaxis.set_major_formatter(format_percent)
        axes.yaxis.set_major_formatter(format_percent)
        _add_legend(figure, top1)
        return figure.plot()


def plot_roc(runs: Series) -> Plot:
    """Plots ROC curves of the confidence, for drawings of unknown and known words.

    Args:
      runs: shares of the unknown and of the known drawings above each threshold.
    """
    with Figure(*HALF) as figure:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=MUTED, lw=1, ls=(0, (4, 3)))
        for index, (name, (unknown, known)) in enumerate(runs.items()):
            axes.plot(unknown, known, color=_series_color(index), lw=1.8, label=name)
        axes.set(xlabel="unknown drawings accepted", ylabel="known drawings accepted")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.xaxis.set_major_formatter(format_percent)
        axes.yaxis.set_major_formatter(format_percent)
        _add_legend(figure, runs)
        return figure.plot()


def plot_subgroups(
    names: Sequence[str], runs: Mapping[str, Sequence[Estimate]]
) -> Plot:
    """Plots the top-1 of subgroups with intervals, from top to bottom.

    Args:
      names: names of the subgroups.
      runs: top-1 of each subgroup, by run.
    """
    step = 0.62 / len(runs)
    height = 80 + len(names) * max(26, 13 * len(runs)) + (24 if len(runs) > 1 else 0)
    with Figure(HALF[0], height) as figure:
        axes = figure.subplots()
        rows = np.arange(len(names))
        for index, (name, estimates) in enumerate(runs.items()):
            values, low, high = np.array(estimates).T
            y = rows + (index - (len(runs) - 1) / 2) * step
            axes.hlines(y, low, high, color=_series_color(index), lw=2)
            axes.plot(values, y, **_line_style(index) | {"ls": "none"}, label=name)
        axes.set_yticks(rows, names, color=TEXT)
        axes.set(ylim=(len(names) - 0.4, -0.6), xlabel="top-1")
        axes.locator_params(axis="x", nbins=5)
        _make_horizontal(axes)
        _add_legend(figure, runs)
        return figure.plot()


def plot_cost(
    costs: Mapping[str, float], top1: Mapping[str, Estimate], label: str
) -> Plot:
    """Plots top-1 against a cost, one point per run.

    Args:
      costs: the cost of each run.
      top1: top-1 of each run.
      label: label of the cost axis.
    """
    with Figure(*HALF) as figure:
        axes = figure.subplots()
        max_cost = max(costs.values()) or 1
        for index, (name, cost) in enumerate(costs.items()):
            # An offset keeps runs of the same cost apart.
            x = cost + 0.015 * max_cost * (index - (len(costs) - 1) / 2)
            value, low, high = top1[name]
            axes.vlines([x], low, high, color=_series_color(index), lw=2)
            axes.plot([x], [value], **_line_style(index) | {"ls": "none"}, label=name)
        axes.set(xlabel=label, ylabel="top-1", xlim=(-0.04 * max_cost, 1.1 * max_cost))
        axes.margins(y=0.15)
        axes.locator_params(axis="x", nbins=5)
        if max_cost >= 10:
            use_thousands_separators(axes.xaxis)
        axes.yaxis.set_major_formatter(format_percent)
        _add_legend(figure, costs)
        return figure.plot()


_DASHED = {"lw": 1.2, "ls": (0, (4, 3)), "ms": 2, "alpha": 0.8}
"""Style of a second line of a run."""


def _make_horizontal(axes: Any) -> None:
    """Styles axes whose values, in percent, are on the x axis."""
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color=LINE)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)
    axes.xaxis.set_major_formatter(format_percent)


def _series_color(index: int) -> str:
    return SERIES[index % len(SERIES)]


def _line_style(index: int) -> dict[str, Any]:
    marker = MARKERS[index % len(MARKERS)]
    return {"color": _series_color(index), "marker": marker, "ms": 6, "lw": 1.8}


def _add_legend(figure: Figure, names: Mapping[str, Any]) -> None:
    if len(names) > 1:
        figure.legend(loc="outside upper left", ncols=3)
