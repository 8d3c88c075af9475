"""The plots of the page about runs."""

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
"""Of each run, beside its colour: not all people tell colours apart."""

WIDE = 820
"""Pixels across; on a page it is larger, so that a phone can show it smaller."""

HALF = (430, 245)
"""Width and height of a plot that shares the page's width with another."""

NAMED = 40
"""More classes than these are shown without all of their names."""

_RIGHT, _WRONG = SERIES[0], SERIES[1]
_ON_RIGHT = "#fefefe"
"""Text on the first of them, which in a matrix is the same by day and by night."""


class Point(NamedTuple):
    """A value with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def confusion(names: Sequence[str], shares: np.ndarray) -> Plot:
    """Shows which class was taken for which.

    Args:
      names: the classes, as many as can be read.
      shares: `<float64>[drawn, guessed]`, of each class's drawings.
    """
    few = len(names) <= NAMED
    side = 30 if len(names) <= 15 else 19
    width = min(FULL_WIDTH, 250 + side * len(names)) if few else WIDE
    height = 190 + side * len(names) if few else 760
    with Figure(width, height) as figure:
        axes = figure.subplots()
        axes.imshow(_cells(shares), interpolation="none", aspect="equal")
        axes.grid(visible=False)
        axes.set(xlabel="guessed", ylabel="drawn")
        axes.tick_params(length=0)
        if few:
            places = range(len(names))
            axes.set_xticks(places, names, rotation=90, color=TEXT)
            axes.set_yticks(places, names, color=TEXT)
            _write_shares(axes, shares, 9 if side > 20 else 7)
        else:
            axes.set(xticks=[], yticks=[])
        plot = figure.plot()
    # Not as wide as the page, as its cells would be huge, nor shrunk on a phone.
    return plot._replace(svg=Html(f'<div style="width: {width}px">{plot.svg}</div>'))


def _cells(shares: np.ndarray) -> np.ndarray:
    """Colours for shares, as strong as they are large: `<float64>[…, 4]`.

    What is wrong has another colour than what is right. They are laid over the page, so
    they do for light and dark.
    """
    size = len(shares)
    cells = np.zeros((size, size, 4))
    cells[..., :3] = _rgb(_WRONG)
    cells[np.arange(size), np.arange(size), :3] = _rgb(_RIGHT)
    # The root, as most of what is wrong is a few in a hundred.
    cells[..., 3] = np.sqrt(shares)
    return cells


def _rgb(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def _write_shares(axes: Any, shares: np.ndarray, size: int) -> None:
    for row, column in zip(*np.nonzero(shares >= 0.005)):
        share = shares[row, column]
        axes.annotate(
            f"{100 * share:.0f}",
            (column, row),
            ha="center",
            va="center",
            fontsize=size,
            color=_ON_RIGHT if row == column and share > 0.4 else TEXT,
        )


def class_accuracy(names: Sequence[str], points: Sequence[Point]) -> Plot:
    """Shows each class's top-1, the best first, with intervals."""
    order = sorted(range(len(names)), key=lambda place: -points[place].value)
    names = [names[place] for place in order]
    values, low, high = np.array([points[place] for place in order]).T
    if len(names) > NAMED:
        return _class_ranks(names, values, low, high)
    with Figure(WIDE, 70 + 22 * len(names)) as figure:
        axes = figure.subplots()
        rows = np.arange(len(names))
        axes.barh(rows, values, 0.68, color=_RIGHT, lw=0)
        axes.hlines(rows, low, high, color=TEXT, lw=1.2)
        for row, value, end in zip(rows, values, high):
            place = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
            axes.annotate(f"{value:.1%}", (max(value, end), row), **place)
        axes.set_yticks(rows, names, color=TEXT)
        axes.set(ylim=(len(names) - 0.4, -0.6), xlim=(0, 1.08), xlabel="top-1")
        _across(axes)
        return figure.plot()


def _class_ranks(
    names: Sequence[str], values: np.ndarray, low: np.ndarray, high: np.ndarray
) -> Plot:
    with Figure(WIDE, 320) as figure:
        axes = figure.subplots()
        places = np.arange(1, len(names) + 1)
        axes.fill_between(places, low, high, color=_RIGHT, alpha=0.25, lw=0)
        axes.plot(places, values, color=_RIGHT, lw=2)
        axes.set(xlabel="place of the class by its top-1", ylabel="top-1")
        axes.set(xlim=(0, len(names) * 1.06), ylim=(-0.02, 1.25))
        axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
        axes.yaxis.set_major_formatter(format_percent)
        for place in np.linspace(1, len(names), 9).round().astype(int):
            value = values[place - 1]
            axes.plot([place], [value], "o", color=_RIGHT, ms=5)
            axes.annotate(
                names[place - 1],
                (place, value),
                xytext=(4, 6),
                textcoords="offset points",
                rotation=35,
                rotation_mode="anchor",
                ha="left",
            )
        return figure.plot()


def reliability(runs: Mapping[str, Sequence[tuple[float, float, int]]]) -> Plot:
    """Shows how often guesses of each confidence are right.

    Args:
      runs: mean confidence, share that is right, and drawings of each bin, by run.
    """
    with Figure(WIDE, 350) as figure:
        axes, below = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
        axes.plot([0, 1], [0, 1], color=MUTED, lw=1, ls=(0, (4, 3)))
        bins = max(1, len(runs))
        for number, (name, points) in enumerate(runs.items()):
            confidence, right, drawings = np.array(points).T
            axes.plot(confidence, right, **_line(number), label=name)
            width = 0.05 / bins
            places = confidence + (number - (bins - 1) / 2) * width
            below.bar(places, drawings, width, color=_colour(number), lw=0)
        axes.set(ylabel="right", ylim=(-0.02, 1.05), xlim=(-0.02, 1.04))
        axes.yaxis.set_major_formatter(format_percent)
        below.set(ylabel="drawings", xlabel="probability of the first guess")
        below.xaxis.set_major_formatter(format_percent)
        below.locator_params(axis="y", nbins=3)
        use_thousands_separators(below.yaxis)
        _legend(figure, runs)
        return figure.plot()


Series = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""Lines by name: x and y of each."""


def curves(runs: Series, label: str, dashed: Series | None = None) -> Plot:
    """Shows a line a run over its epochs; a label of loss is no share.

    Args:
      runs: the lines.
      label: what they are of.
      dashed: more of the same runs, told apart by the dash.
    """
    with Figure(*HALF) as figure:
        axes = figure.subplots()
        for number, (name, (x, y)) in enumerate(runs.items()):
            style = _line(number) | {"ms": 3 if len(x) > 12 else 6}
            axes.plot(x, y, **style, label=name)
            if dashed:
                style |= {"lw": 1.2, "ls": (0, (4, 3)), "ms": 2, "alpha": 0.8}
                axes.plot(*dashed[name], **style)
        axes.set(xlabel="epoch", ylabel=label)
        if label != "loss":
            axes.yaxis.set_major_formatter(format_percent)
        last = max(max(x) for x, _ in runs.values())
        axes.set_xlim(0, last + max(0.5, 0.03 * last))
        axes.locator_params(axis="x", integer=True)
        axes.margins(y=0.08)
        _legend(figure, runs)
        return figure.plot()


def by_part(runs: Mapping[str, tuple[Sequence[float], Sequence[Point]]]) -> Plot:
    """Shows top-1 against the part of a drawing that is seen, by run."""
    with Figure(*HALF) as figure:
        axes = figure.subplots()
        for number, (name, (parts, points)) in enumerate(runs.items()):
            values, low, high = np.array(points).T
            axes.fill_between(parts, low, high, color=_colour(number), alpha=0.18, lw=0)
            axes.plot(parts, values, **_line(number), label=name)
            if len(runs) == 1:
                for part, value in zip(parts, values):
                    place = {"xytext": (0, 9), "textcoords": "offset points"}
                    text = f"{value:.1%}"
                    axes.annotate(text, (part, value), ha="center", **place)
        axes.set(xlabel="part of the points that is seen", ylabel="top-1")
        axes.set(ylim=(0, 1.09), xticks=list(parts))
        axes.margins(x=0.06)
        axes.xaxis.set_major_formatter(format_percent)
        axes.yaxis.set_major_formatter(format_percent)
        _legend(figure, runs)
        return figure.plot()


def groups(names: Sequence[str], runs: Mapping[str, Sequence[Point]]) -> Plot:
    """Shows top-1 of groups of drawings, with intervals, from top to bottom."""
    step = 0.62 / len(runs)
    height = 80 + len(names) * max(26, 13 * len(runs)) + (24 if len(runs) > 1 else 0)
    with Figure(HALF[0], height) as figure:
        axes = figure.subplots()
        rows = np.arange(len(names))
        for number, (name, points) in enumerate(runs.items()):
            values, low, high = np.array(points).T
            places = rows + (number - (len(runs) - 1) / 2) * step
            axes.hlines(places, low, high, color=_colour(number), lw=2)
            style = _line(number) | {"ls": "none"}
            axes.plot(values, places, **style, label=name)
        axes.set_yticks(rows, names, color=TEXT)
        axes.set(ylim=(len(names) - 0.4, -0.6), xlabel="top-1")
        axes.locator_params(axis="x", nbins=5)
        _across(axes)
        _legend(figure, runs)
        return figure.plot()


def trade(runs: Mapping[str, tuple[float, Point]], x_label: str) -> Plot:
    """Shows top-1 against what it costs, a point a run."""
    with Figure(*HALF) as figure:
        axes = figure.subplots()
        highest = max(x for x, _ in runs.values()) or 1
        for number, (name, (x, point)) in enumerate(runs.items()):
            # Runs of one size are to be seen beside each other.
            x += 0.015 * highest * (number - (len(runs) - 1) / 2)
            axes.vlines([x], point.low, point.high, color=_colour(number), lw=2)
            style = _line(number) | {"ls": "none"}
            axes.plot([x], [point.value], **style, label=name)
        axes.set(xlabel=x_label, ylabel="top-1", xlim=(-0.04 * highest, 1.1 * highest))
        axes.margins(y=0.15)
        axes.locator_params(axis="x", nbins=5)
        use_thousands_separators(axes.xaxis)
        axes.yaxis.set_major_formatter(format_percent)
        _legend(figure, runs)
        return figure.plot()


def _across(axes: Any) -> None:
    """Lets the values run from left to right, in per cent."""
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color=LINE)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)
    axes.xaxis.set_major_formatter(format_percent)


def _colour(number: int) -> str:
    return SERIES[number % len(SERIES)]


def _line(number: int) -> dict[str, Any]:
    marker = MARKERS[number % len(MARKERS)]
    return {"color": _colour(number), "marker": marker, "ms": 6, "lw": 1.8}


def _legend(figure: Figure, names: Mapping[str, Any]) -> None:
    if len(names) > 1:
        figure.legend(loc="outside upper left", ncols=3)
