"""The plots of a sweep's report."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline import cli
from pipeline.report.figures import FULL_WIDTH, HALF, SERIES, Figure, Plot
from rnn_model.sweep.results import TrialResult
from rnn_model.sweep.space import Range, describe, format_value

MAX_NAMED_CURVES = 4
"""Learning curves with a color and a legend of their own, those of the best trials."""

_BLUE, _ORANGE, _GREEN, _PURPLE, _GRAY = SERIES

_MARKERS = {
    "completed": {"marker": "o", "color": _BLUE},
    "pruned": {"marker": "o", "edgecolors": _GRAY, "facecolors": "none"},
    "failed": {"marker": "x", "color": _PURPLE},
}
"""Style of a trial's marker, by state."""

_Y_LABEL = "validation top-1"


def plot_trials(trials: Sequence[TrialResult]) -> Plot:
    """Plots the top-1 of trials by number, and the best so far."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        _draw_markers(axes, trials, [trial.number for trial in trials])
        completed = sorted(
            (trial for trial in trials if trial.state == "completed"),
            key=lambda trial: trial.number,
        )
        if completed:
            numbers = [trial.number for trial in completed]
            best = np.maximum.accumulate([trial.top1 for trial in completed])
            style = {"where": "post", "color": _ORANGE, "lw": 1.5}
            axes.step(numbers, best, label="best so far", **style)
        axes.set(xlabel="trial", ylabel=_Y_LABEL)
        axes.xaxis.get_major_locator().set_params(integer=True)
        figure.legend(loc="outside upper left", ncols=4)

    return _draw_plot((FULL_WIDTH, 330), draw)


def plot_choices(
    trials: Sequence[TrialResult], name: str, values: Sequence[Any]
) -> Plot:
    """Plots the top-1 of trials by the value of a setting, with means."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        indices = [values.index(trial.params[name]) for trial in trials]
        _draw_markers(axes, trials, indices)
        for value_index in range(len(values)):
            top1 = [
                trial.top1
                for trial, index in zip(trials, indices)
                if index == value_index and trial.state == "completed"
            ]
            if top1:
                span = value_index - 0.3, value_index + 0.3
                axes.hlines(np.mean(top1), *span, color=_ORANGE, lw=2)
        axes.set_xticks(range(len(values)), [format_value(value) for value in values])
        axes.set(xlim=(-0.6, len(values) - 0.4), xlabel=name, ylabel=_Y_LABEL)

    return _draw_plot(HALF, draw)


def plot_range(trials: Sequence[TrialResult], name: str, span: Range) -> Plot:
    """Plots the top-1 of trials over the range of a setting."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        _draw_markers(axes, trials, [trial.params[name] for trial in trials])
        if span.log:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda number, _: f"{number:g}")
            axes.xaxis.set_minor_formatter(lambda number, _: "")
        axes.set(xlim=(span.low, span.high), xlabel=name, ylabel=_Y_LABEL)

    return _draw_plot(HALF, draw)


def plot_pair(
    trials: Sequence[TrialResult],
    rows: tuple[str, Sequence[Any]],
    columns: tuple[str, Sequence[Any]],
) -> Plot:
    """Plots the best top-1 of each combination of two settings.

    Args:
      trials: the trials.
      rows: name and values of the setting on the y axis.
      columns: name and values of the setting on the x axis.
    """
    (row_name, row_values), (column_name, column_values) = rows, columns
    best = np.full((len(row_values), len(column_values)), np.nan)
    for trial in trials:
        if trial.state == "completed":
            cell = (
                row_values.index(trial.params[row_name]),
                column_values.index(trial.params[column_name]),
            )
            best[cell] = np.fmax(best[cell], trial.top1)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        known = best[~np.isnan(best)]
        low, high = (known.min(), known.max()) if len(known) else (0, 1)
        patches = cli.import_extra("matplotlib.patches", "sweep")
        for (y, x), top1 in np.ndenumerate(best):
            is_known = not np.isnan(top1)
            share = (top1 - low) / max(high - low, 1e-9) if is_known else 0.0
            color = patches.colors.to_rgb(_BLUE)
            alpha = 0.08 + 0.52 * share if is_known else 0.0
            style = {"fc": (*color, alpha), "lw": 0}
            axes.add_patch(patches.Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, **style))
            text = f"{top1:.3f}" if is_known else "–"
            axes.text(x, y, text, ha="center", va="center")
        axes.set_xticks(
            range(len(column_values)), list(map(format_value, column_values))
        )
        axes.set_yticks(range(len(row_values)), list(map(format_value, row_values)))
        axes.set(xlim=(-0.5, len(column_values) - 0.5), xlabel=column_name)
        axes.set(ylim=(len(row_values) - 0.5, -0.5), ylabel=row_name)
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(length=0)

    return _draw_plot((HALF[0], 110 + 40 * len(row_values)), draw)


def plot_learning_curves(ranked: Sequence[TrialResult]) -> Plot:
    """Plots the validation top-1 of trials by epoch.

    Args:
      ranked: the trials, best first.
    """
    trained = [trial for trial in ranked if trial.history]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        # In reverse order, so that the best trials are drawn on top.
        for rank, trial in reversed(list(enumerate(trained))):
            is_named = rank < MAX_NAMED_CURVES
            (line,) = axes.plot(
                [row["epoch"] for row in trial.history],
                [row["validation_top1"] for row in trial.history],
                color=SERIES[rank] if is_named else _GRAY,
                lw=2 if is_named else 1,
                ls="--" if trial.state == "pruned" else "-",
                marker="o",
                ms=4 if is_named else 2.5,
            )
            if is_named:
                line.set_label(f"{trial.number}: {describe(trial.params)}")
        axes.set(xlabel="epoch", ylabel=_Y_LABEL)
        axes.xaxis.get_major_locator().set_params(integer=True)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles[::-1], labels[::-1], loc="outside upper left", ncols=1)

    height = 330 + 20 * min(len(trained), MAX_NAMED_CURVES)
    return _draw_plot((FULL_WIDTH, height), draw)


def _draw_plot(size: tuple[float, float], draw: Callable[[Figure], None]) -> Plot:
    with Figure(*size) as figure:
        draw(figure)
        return figure.plot()


def _draw_markers(axes: Any, trials: Sequence[TrialResult], x: Sequence[float]) -> None:
    """Draws a marker per trial; one without an epoch is at the bottom of the axes."""
    for state, style in _MARKERS.items():
        marks = {"s": 36, "clip_on": False, **style}
        in_state = [pair for pair in zip(x, trials) if pair[1].state == state]
        trained = [
            (position, trial.top1) for position, trial in in_state if trial.history
        ]
        if trained:
            axes.scatter(*zip(*trained), label=state, **marks)
        untrained = [position for position, trial in in_state if not trial.history]
        if untrained:
            at_bottom = {"transform": axes.get_xaxis_transform()}
            label = {} if trained else {"label": state}
            zeros = [0.0] * len(untrained)
            axes.scatter(untrained, zeros, **at_bottom, **label, **marks)
