"""The plots of report pages: inline SVG in the page's own colours and type.

matplotlib writes colours as numbers. Each one here stands for a CSS variable of
`pipeline.report` and is replaced by it.
"""

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline import command
from pipeline.report import Html

_TEXT, _MUTED, _LINE = "#010101", "#010102", "#010103"
_SERIES = ("#020201", "#020202", "#020203", "#020204", "#020205")
_VARIABLES = {_TEXT: "text", _MUTED: "muted", _LINE: "line"} | {
    colour: f"series-{number}" for number, colour in enumerate(_SERIES, 1)
}

_SETTINGS = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "quickdraw",  # else the ids differ from run to run
    "font.family": "DejaVu Sans",  # to measure with; the page has its own
    "font.size": 11,
    "text.color": _TEXT,
    "text.parse_math": False,  # names may hold any sign
    "axes.labelcolor": _MUTED,
    "axes.edgecolor": _LINE,
    "axes.labelsize": 11,
    "axes.labelpad": 6,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": _LINE,
    "grid.linewidth": 0.8,
    "xtick.color": _LINE,
    "ytick.color": _LINE,
    "xtick.labelcolor": _MUTED,
    "ytick.labelcolor": _MUTED,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 11,
}

_POINTS_PER_INCH = 72

FULL_WIDTH = 1080
"""Pixels across a page."""

HALF = (540, 270)
"""Width and height of a plot that shares the page's width with another."""

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
    with _Figure(*HALF) as figure:
        axes = figure.subplots()
        width = 0.9 * (edges[1] - edges[0])
        axes.bar(edges[:-1], heights, width, align="edge", color=_SERIES[0], lw=0)
        axes.set(xlabel=label, ylabel="drawings", xlim=(-0.5, edges[-1]))
        axes.set_ylim(0, heights.max() * 1.24)
        _thousands(axes.xaxis)
        _thousands(axes.yaxis)
        for row, (name, number) in enumerate(marks.items()):
            height = 0.99 - 0.09 * row
            axes.axvline(number, 0, height, color=_TEXT, lw=1, ls=(0, (4, 3)))
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
    with _Figure(*HALF) as figure:
        axes = figure.subplots()
        lefts = np.arange(0, 256, 8)
        axes.bar(lefts, heights, 7.2, align="edge", color=_SERIES[0], lw=0, log=True)
        axes.set(xlabel="grey value, 255 is ink", ylabel="share of the pixels")
        axes.set(xlim=(0, 256), xticks=[0, 64, 128, 192, 255])
        smallest = heights[heights > 0].min()
        axes.set_ylim(bottom=10 ** np.floor(np.log10(smallest)))
        axes.yaxis.set_major_formatter(_percent)
        axes.minorticks_off()
        return figure.svg()


def bars(names: Sequence[str], series: Mapping[str, Sequence[int]]) -> Html:
    """Shows a bar for each name, from top to bottom, in parts side by side."""
    with _Figure(FULL_WIDTH, 70 + 24 * len(names)) as figure:
        axes = figure.subplots()
        rows = np.arange(len(names))
        left = np.zeros(len(names))
        for number, (part, counts) in enumerate(series.items()):
            colour = _SERIES[number % len(_SERIES)]
            axes.barh(rows, counts, 0.68, left, color=colour, lw=0, label=part)
            left += counts
        for row, total in zip(rows, left):
            text = f"{round(total):,}"
            place = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
            axes.annotate(text, (total, row), **place)
        axes.set_yticks(rows, names, color=_TEXT)
        axes.set(ylim=(len(names) - 0.4, -0.6), xlim=(0, left.max() * 1.07 or 1))
        axes.set_xlabel("drawings")
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="x", length=0)
        _thousands(axes.xaxis)
        if len(series) > 1:
            figure.legend(loc="outside upper left", ncols=len(series))
        return figure.svg()


def ranks(names: Sequence[str], counts: Sequence[int]) -> Html:
    """Shows many counts, from the largest to the smallest, with some of the names."""
    order = np.argsort(-np.asarray(counts), kind="stable")
    heights = np.asarray(counts)[order]
    with _Figure(FULL_WIDTH, 330) as figure:
        axes = figure.subplots()
        places = np.arange(1, len(heights) + 1)
        axes.bar(places, heights, 0.8, color=_SERIES[0], lw=0)
        if heights[0] > 20 * heights[-1]:
            lowest = 10 ** np.floor(np.log10(heights[-1]))
            axes.set(yscale="log", ylim=(lowest / 2, heights[0] * 4))
        else:
            axes.set_ylim(0, heights[0] * 1.35)
        axes.set(xlabel="place of the class by its size", ylabel="drawings")
        axes.set_xlim(0, len(heights) + 1)
        _thousands(axes.yaxis)
        axes.yaxis.set_minor_locator(_ticker().NullLocator())
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


class _Figure:
    """A matplotlib figure of so many pixels, in the style of the pages."""

    def __init__(self, width: float, height: float):
        self._matplotlib = command.import_extra("matplotlib", "report")
        self._context = self._matplotlib.rc_context(_SETTINGS)
        self._size = (width / _POINTS_PER_INCH, height / _POINTS_PER_INCH)

    def __enter__(self) -> "_Figure":
        self._context.__enter__()
        module = command.import_extra("matplotlib.figure", "report")
        self._figure = module.Figure(figsize=self._size, layout="constrained")
        self.subplots, self.legend = self._figure.subplots, self._figure.legend
        return self

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)

    def svg(self) -> Html:
        """The figure as markup that takes its size and colours from the page."""
        file = io.StringIO()
        unsaid = {"Date": None, "Creator": None, "Format": None, "Type": None}
        with warnings.catch_warnings():
            # The reader's fonts count, not those of this machine.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            self._figure.savefig(file, format="svg", transparent=True, metadata=unsaid)
        text = file.getvalue()
        text = text[text.index("<svg") :]
        text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text)
        text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text)
        text = re.sub(r'<g id="[^"]*"', "<g", text)
        # It would hold for all of the page.
        text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
        for colour, name in _VARIABLES.items():
            text = text.replace(colour, f"var(--{name})")
        return Html(text)


def _ticker() -> Any:
    return command.import_extra("matplotlib.ticker", "report")


def _thousands(axis: Any) -> None:
    axis.set_major_formatter(lambda number, _: f"{number:,.0f}")


def _percent(share: float, _: int) -> str:
    return f"{100 * share:g} %"
