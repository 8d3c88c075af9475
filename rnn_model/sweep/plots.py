"""The plots of a sweep, in the style of all pages."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline import cli
from pipeline.report.figures import FULL_WIDTH, HALF, SERIES, Figure, Plot
from rnn_model.sweep.results import Result
from rnn_model.sweep.space import Range, describe, short

NAMED_CURVES = 4
"""The best so many trials have a colour each; the others share one."""

_BLUE, _ORANGE, _GREEN, _PURPLE, _GREY = SERIES

_MARKS = {
    "completed": {"marker": "o", "color": _BLUE},
    "pruned": {"marker": "o", "edgecolors": _GREY, "facecolors": "none"},
    "failed": {"marker": "x", "color": _PURPLE},
}
"""How a trial is shown, by its state."""


def _drawn(size: tuple[float, float], draw: Callable[[Figure], None]) -> Plot:
    with Figure(*size) as figure:
        draw(figure)
        return figure.plot()


def by_trial(results: Sequence[Result]) -> Plot:
    """Top-1 of each trial in the order that they began, and the best so far.

    Args:
      results: in any order.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        _scatter(axes, results, [result.number for result in results])
        done = sorted(
            (each for each in results if each.state == "completed"),
            key=lambda result: result.number,
        )
        if done:
            numbers = [result.number for result in done]
            best = np.maximum.accumulate([result.top1 for result in done])
            axes.step(
                numbers, best, where="post", color=_ORANGE, lw=1.5, label="best so far"
            )
        axes.set(xlabel="trial", ylabel="validation top-1")
        axes.xaxis.get_major_locator().set_params(integer=True)
        figure.legend(loc="outside upper left", ncols=4)

    return _drawn((FULL_WIDTH, 330), draw)


def by_value(results: Sequence[Result], name: str, values: Sequence[Any]) -> Plot:
    """Top-1 of the trials by the value of a setting, with the mean of each value."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        places = [values.index(result.params[name]) for result in results]
        _scatter(axes, results, places)
        for place in range(len(values)):
            top1 = [
                result.top1
                for result, its in zip(results, places)
                if its == place and result.state == "completed"
            ]
            if top1:
                span = place - 0.3, place + 0.3
                axes.hlines(np.mean(top1), *span, color=_ORANGE, lw=2)
        axes.set_xticks(range(len(values)), [short(value) for value in values])
        axes.set(xlim=(-0.6, len(values) - 0.4), xlabel=name, ylabel="validation top-1")

    return _drawn(HALF, draw)


def by_number(results: Sequence[Result], name: str, span: Range) -> Plot:
    """Top-1 of the trials along the range of a setting."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        _scatter(axes, results, [result.params[name] for result in results])
        if span.log:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda number, _: f"{number:g}")
            axes.xaxis.set_minor_formatter(lambda number, _: "")
        axes.set(xlim=(span.low, span.high))
        axes.set(xlabel=name, ylabel="validation top-1")

    return _drawn(HALF, draw)


def pair(
    results: Sequence[Result],
    rows: tuple[str, Sequence[Any]],
    columns: tuple[str, Sequence[Any]],
) -> Plot:
    """The best top-1 of each value of a setting with each of another.

    Args:
      results: the trials.
      rows, columns: a setting each, with its values.
    """
    (row, row_values), (column, column_values) = rows, columns
    best = np.full((len(row_values), len(column_values)), np.nan)
    for result in results:
        if result.state == "completed":
            place = (
                row_values.index(result.params[row]),
                column_values.index(result.params[column]),
            )
            best[place] = np.fmax(best[place], result.top1)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        known = best[~np.isnan(best)]
        low, high = (known.min(), known.max()) if len(known) else (0, 1)
        for (y, x), top1 in np.ndenumerate(best):
            share = 0.0 if np.isnan(top1) else (top1 - low) / max(high - low, 1e-9)
            alpha = 0.0 if np.isnan(top1) else 0.08 + 0.52 * share
            patches = cli.import_extra("matplotlib.patches", "sweep")
            corner = (x - 0.48, y - 0.46)
            colour = (*patches.colors.to_rgb(_BLUE), alpha)
            axes.add_patch(patches.Rectangle(corner, 0.96, 0.92, fc=colour, lw=0))
            text = "–" if np.isnan(top1) else f"{top1:.3f}"
            axes.text(x, y, text, ha="center", va="center")
        axes.set_xticks(range(len(column_values)), list(map(short, column_values)))
        axes.set_yticks(range(len(row_values)), list(map(short, row_values)))
        axes.set(xlim=(-0.5, len(column_values) - 0.5), xlabel=column)
        axes.set(ylim=(len(row_values) - 0.5, -0.5), ylabel=row)
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(length=0)

    return _drawn((HALF[0], 110 + 40 * len(row_values)), draw)


def curves(results: Sequence[Result]) -> Plot:
    """Validation top-1 of all trials, epoch by epoch.

    Args:
      results: the best first.
    """
    trained = [result for result in results if result.history]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        # From the last on, so that the best lie on top.
        for place, result in reversed(list(enumerate(trained))):
            epochs = [row["epoch"] for row in result.history]
            top1 = [row["validation_top1"] for row in result.history]
            named = place < NAMED_CURVES
            (line,) = axes.plot(
                epochs,
                top1,
                color=SERIES[place] if named else _GREY,
                lw=2 if named else 1,
                ls="--" if result.state == "pruned" else "-",
                marker="o",
                ms=4 if named else 2.5,
            )
            if named:
                line.set_label(f"{result.number}: {describe(result.params)}")
        axes.set(xlabel="epoch", ylabel="validation top-1")
        axes.xaxis.get_major_locator().set_params(integer=True)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles[::-1], labels[::-1], loc="outside upper left", ncols=1)

    return _drawn((FULL_WIDTH, 330 + 20 * min(len(trained), NAMED_CURVES)), draw)


def _scatter(axes: Any, results: Sequence[Result], places: Sequence[float]) -> None:
    """Puts a mark for each trial; one without any epoch stands at the bottom."""
    for state, look in _MARKS.items():
        shown = [pair for pair in zip(places, results) if pair[1].state == state]
        marks = {"s": 36, "clip_on": False, **look}
        trained = [(place, result.top1) for place, result in shown if result.best]
        if trained:
            axes.scatter(*zip(*trained), label=state, **marks)
        if bare := [place for place, result in shown if not result.best]:
            at_bottom = {"transform": axes.get_xaxis_transform()}
            label = {} if trained else {"label": state}
            axes.scatter(bare, [0.0] * len(bare), **at_bottom, **label, **marks)
