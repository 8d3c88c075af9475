"""The page of a sweep, and its plots as files."""

import itertools
from collections.abc import Iterator
from pathlib import Path

from pipeline.report import page
from pipeline.report.figures import Plot
from pipeline.report.page import Chart, Code, Columns, Section, Table, Tile
from rnn_model.sweep import plots, results
from rnn_model.sweep.results import Result
from rnn_model.sweep.space import Space, describe, short

PAIRS = 3
"""Settings that are shown each with each; of more, the first ones."""


def build_page(
    ranked: list[Result], tried: Space, data_dir: str, name: str, command: str
) -> str:
    """Lays out what came of a sweep.

    Args:
      ranked: its trials, the best first.
      tried: what it tried.
      data_dir: what it trained on.
      name: what the page is called.
      command: the best run's; empty where none was completed.

    Returns:
      The content of an HTML file.
    """
    sections = [
        *([_best(ranked[0], command)] if command else []),
        Section(
            "Trials",
            [Table(results.head(tried), [results.row(each, tried) for each in ranked])],
            "The best validation top-1 of each, and the epoch it came in.",
        ),
        Section("In order", [_wide("Top-1 by trial", plots.by_trial(ranked))]),
        _settings(ranked, tried),
        Section(
            "Learning curves",
            [_wide("Top-1 by epoch", plots.curves(ranked))],
            "On the validation split. Dashed: pruned.",
        ),
        Section("Held for all", [Table((), _fixed(tried))]),
    ]
    trials = f"{len(ranked):,} {'trial' if len(ranked) == 1 else 'trials'}"
    lead = f"{trials} of {', '.join(tried.names)}, on {data_dir}"
    return page.render_page(name, lead, _tiles(ranked), sections)


def write_pngs(ranked: list[Result], tried: Space, workdir: str) -> None:
    """Writes each plot of the page into a folder."""
    for name, plot in {
        "trials": plots.by_trial(ranked),
        "curves": plots.curves(ranked),
        **{f"by_{name}": plot for name, plot in _each(ranked, tried)},
        **{f"{a}_{b}": plot for (a, b), plot in _pairs(ranked, tried)},
    }.items():
        Path(workdir, f"{name}.png").write_bytes(plot.png)


def _tiles(ranked: list[Result]) -> list[Tile]:
    tiles = [Tile(f"{len(ranked):,}", "trials")]
    if (best := ranked[0]).state == "completed":
        hint = f"trial {best.number}, epoch {best.best['epoch']}"
        tiles.insert(0, Tile(f"{best.top1:.1%}", "best validation top-1", hint))
    for state in ("pruned", "failed"):
        if count := sum(result.state == state for result in ranked):
            tiles.append(Tile(f"{count:,}", state))
    seconds = sum(row["seconds"] for result in ranked for row in result.history)
    tiles.append(Tile(f"{seconds / 60:,.1f}", "minutes of training"))
    return tiles


def _best(best: Result, command: str) -> Section:
    return Section("Best run", [Code(command)], f"{describe(best.params)}; again:")


def _settings(ranked: list[Result], tried: Space) -> Section:
    parts = [Chart(name, plot.svg) for name, plot in _each(ranked, tried)]
    parts += [
        Chart(f"{row} × {column}", plot.svg, "The best top-1 of each pair.")
        for (row, column), plot in _pairs(ranked, tried)
    ]
    note = "A dot is a trial; the line is the mean of those that were completed."
    return Section("By setting", [Columns(parts)], note)


def _each(ranked: list[Result], tried: Space) -> Iterator[tuple[str, Plot]]:
    for name, values in tried.choices.items():
        yield name, plots.by_value(ranked, name, values)
    for name, span in tried.ranges.items():
        yield name, plots.by_number(ranked, name, span)


def _pairs(
    ranked: list[Result], tried: Space
) -> Iterator[tuple[tuple[str, str], Plot]]:
    several = [each for each in tried.choices.items() if len(each[1]) > 1]
    for one, other in itertools.combinations(several[:PAIRS], 2):
        yield (one[0], other[0]), plots.pair(ranked, one, other)


def _fixed(tried: Space) -> list[tuple[str, str]]:
    return [(f"--{name}", short(value) or "–") for name, value in tried.fixed.items()]


def _wide(title: str, plot: Plot) -> Chart:
    return Chart(title, plot.svg, wide=True)
