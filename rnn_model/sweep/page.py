"""The HTML report of a sweep, and its plots as PNG files."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.report.figures import Plot
from pipeline.report.page import (
    Chart,
    Code,
    Columns,
    Section,
    Table,
    Tile,
    render_page,
)
from rnn_model.sweep import plots, results
from rnn_model.sweep.results import TrialResult
from rnn_model.sweep.space import SearchSpace, describe, format_value

MAX_PAIRED_SETTINGS = 3
"""Settings whose pairs have a plot each; the first ones if there are more."""


def build_page(
    ranked: Sequence[TrialResult],
    search_space: SearchSpace,
    data_dir: str,
    name: str,
    best_command: str,
) -> str:
    """Builds the page of a sweep.

    Args:
      ranked: the trials, best first.
      search_space: the settings that were tried.
      data_dir: the data set.
      name: title of the page.
      best_command: command that repeats the best trial; empty if none was completed.

    Returns:
      The content of an HTML file.
    """
    rows = [results.table_row(trial, search_space) for trial in ranked]
    fixed = [
        (f"--{setting}", format_value(value) or "–")
        for setting, value in search_space.fixed.items()
    ]
    sections = [
        Section(
            "Trials",
            [Table(results.column_names(search_space), rows)],
            "Top-1 is the best on the validation split.",
        ),
        Section("Progress", [_wide_chart("Top-1 by trial", plots.plot_trials(ranked))]),
        Section(
            "Settings",
            [Columns(list(_setting_charts(ranked, search_space)))],
            "Dots are trials, lines are means of completed trials.",
        ),
        Section(
            "Learning curves",
            [_wide_chart("Top-1 by epoch", plots.plot_learning_curves(ranked))],
            "On the validation split. Pruned trials are dashed.",
        ),
        Section("Fixed settings", [Table((), fixed)]),
    ]
    if best_command:
        note = f"{describe(ranked[0].params)}. To train it again:"
        sections.insert(0, Section("Best trial", [Code(best_command)], note))
    trials = f"{len(ranked):,} {'trial' if len(ranked) == 1 else 'trials'}"
    lead = f"{trials} of {', '.join(search_space.names)}, on {data_dir}"
    return render_page(name, lead, _make_tiles(ranked), sections)


def write_pngs(
    ranked: Sequence[TrialResult], search_space: SearchSpace, workdir: str
) -> None:
    """Writes the plots of the page as PNG files."""
    for name, plot in {
        "trials": plots.plot_trials(ranked),
        "curves": plots.plot_learning_curves(ranked),
        **{f"by_{name}": plot for name, plot in _setting_plots(ranked, search_space)},
        **{f"{a}_{b}": plot for (a, b), plot in _pair_plots(ranked, search_space)},
    }.items():
        Path(workdir, f"{name}.png").write_bytes(plot.png)


def _make_tiles(ranked: Sequence[TrialResult]) -> list[Tile]:
    tiles = []
    if (best := ranked[0]).state == "completed":
        hint = f"trial {best.number}, epoch {best.best_epoch['epoch']}"
        tiles.append(Tile(f"{best.top1:.1%}", "best validation top-1", hint))
    tiles.append(Tile(f"{len(ranked):,}", "trials"))
    for state in ("pruned", "failed"):
        if count := sum(trial.state == state for trial in ranked):
            tiles.append(Tile(f"{count:,}", state))
    minutes = sum(trial.train_seconds for trial in ranked) / 60
    tiles.append(Tile(f"{minutes:,.1f}", "minutes of training"))
    return tiles


def _setting_charts(
    ranked: Sequence[TrialResult], search_space: SearchSpace
) -> Iterator[Chart]:
    for name, plot in _setting_plots(ranked, search_space):
        yield Chart(name, plot.svg)
    for (row, column), plot in _pair_plots(ranked, search_space):
        yield Chart(f"{row} × {column}", plot.svg, "Best top-1 of each combination.")


def _setting_plots(
    ranked: Sequence[TrialResult], search_space: SearchSpace
) -> Iterator[tuple[str, Plot]]:
    for name, values in search_space.choices.items():
        yield name, plots.plot_choices(ranked, name, values)
    for name, span in search_space.ranges.items():
        yield name, plots.plot_range(ranked, name, span)


def _pair_plots(
    ranked: Sequence[TrialResult], search_space: SearchSpace
) -> Iterator[tuple[tuple[str, str], Plot]]:
    several = [item for item in search_space.choices.items() if len(item[1]) > 1]
    for rows, columns in itertools.combinations(several[:MAX_PAIRED_SETTINGS], 2):
        yield (rows[0], columns[0]), plots.plot_pair(ranked, rows, columns)


def _wide_chart(title: str, plot: Plot) -> Chart:
    return Chart(title, plot.svg, wide=True)
