"""A figure in the style of the report pages: as inline SVG, and as PNG.

It is drawn in the colours that the page has by day. In SVG each gives way to the CSS
variable that it stands for, so that plots follow the page; PNG keeps them.
"""

import io
import re
import warnings
from typing import IO, Any, NamedTuple

from pipeline import cli
from pipeline.report.page import LIGHT, Html

TEXT, MUTED, LINE, CARD = (LIGHT[name] for name in ("text", "muted", "line", "card"))
SERIES = tuple(LIGHT[f"series-{number}"] for number in range(1, 6))
_VARIABLES = {
    colour: name
    for name, colour in LIGHT.items()
    if colour in {TEXT, MUTED, LINE, CARD, *SERIES}
}

_SETTINGS = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "quickdraw",  # else the ids differ from run to run
    "font.family": "DejaVu Sans",  # to measure with; the page has its own
    "font.size": 11,
    "text.color": TEXT,
    "text.parse_math": False,  # names may hold any sign
    "axes.labelcolor": MUTED,
    "axes.edgecolor": LINE,
    "axes.labelsize": 11,
    "axes.labelpad": 6,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 11,
}

_POINTS_PER_INCH = 72

FULL_WIDTH = 1080
"""Pixels across a page."""

HALF = (540, 270)
"""Width and height of a plot that shares the page's width with another."""


class Plot(NamedTuple):
    """A plot as markup, and as the content of a PNG file."""

    svg: Html
    png: bytes


class Figure:
    """A matplotlib figure of so many pixels, in the style of the pages."""

    def __init__(self, width: float, height: float):
        self._matplotlib = cli.import_extra("matplotlib", "report")
        self._context = self._matplotlib.rc_context(_SETTINGS)
        self._size = (width / _POINTS_PER_INCH, height / _POINTS_PER_INCH)

    def __enter__(self) -> "Figure":
        self._context.__enter__()
        module = cli.import_extra("matplotlib.figure", "report")
        self._figure = module.Figure(figsize=self._size, layout="constrained")
        self.subplots, self.legend = self._figure.subplots, self._figure.legend
        return self

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)

    def plot(self) -> Plot:
        return Plot(self.svg(), self.png())

    def png(self) -> bytes:
        """The figure as a picture in the colours of the day."""
        file = io.BytesIO()
        unsaid = {"Software": None}
        self._save(file, "png", dpi=2 * _POINTS_PER_INCH, metadata=unsaid)
        return file.getvalue()

    def svg(self) -> Html:
        """The figure as markup that takes its size and colours from the page."""
        file = io.StringIO()
        unsaid = {"Date": None, "Creator": None, "Format": None, "Type": None}
        self._save(file, "svg", transparent=True, metadata=unsaid)
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

    def _save(self, file: IO, form: str, **settings: Any) -> None:
        with warnings.catch_warnings():
            # The reader's fonts count, not those of this machine.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            self._figure.savefig(file, format=form, **settings)


def thousands(axis: Any) -> None:
    """Writes an axis's numbers with thousands separators."""
    axis.set_major_formatter(lambda number, _: f"{number:,.0f}")


def percent(share: float, _: int) -> str:
    """Writes a share of an axis in per cent."""
    return f"{100 * share:g} %"
