"""Matplotlib figures in the style of the reports, as inline SVG and as PNG.

Figures are drawn in the colors of the light theme. In the SVG, each color is replaced
by its CSS variable, so that plots follow the theme of the page.
"""

import io
import re
import warnings
from typing import IO, Any, NamedTuple

from pipeline import cli
from pipeline.report.page import Html
from pipeline.report.theme import LIGHT

TEXT, MUTED, LINE, CARD = (LIGHT[name] for name in ("text", "muted", "line", "card"))
SERIES = tuple(LIGHT[f"series-{number}"] for number in range(1, 6))

_SETTINGS = {
    "svg.fonttype": "none",  # keep text as text
    "svg.hashsalt": "quickdraw",  # makes element ids reproducible
    "font.family": "DejaVu Sans",  # for measuring; the page sets the font
    "font.size": 11,
    "text.color": TEXT,
    "text.parse_math": False,  # class names may contain "$"
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
"""Width in pixels of a plot that spans the page."""

HALF = (540, 270)
"""Width and height in pixels of a plot in one of two columns."""


class Plot(NamedTuple):
    """Plot as markup and as the content of a PNG file."""

    svg: Html
    png: bytes


class Figure:
    """Context manager around a matplotlib figure in the style of the reports.

    with Figure(*HALF) as figure:
        figure.subplots().plot([1, 2, 3])
        svg = figure.svg()
    """

    def __init__(self, width: float, height: float):
        """Creates a figure.

        Args:
          width: Width in pixels.
          height: Height in pixels.

        Raises:
          ValueError: Matplotlib is not installed.
        """
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
        """Returns the figure in both formats."""
        return Plot(self.svg(), self.png())

    def png(self) -> bytes:
        """Returns a PNG file in the colors of the light theme."""
        file = io.BytesIO()
        metadata = {"Software": None}
        self._save(file, "png", dpi=2 * _POINTS_PER_INCH, metadata=metadata)
        return file.getvalue()

    def svg(self) -> Html:
        """Returns markup that takes its size and colors from the page."""
        file = io.StringIO()
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        self._save(file, "svg", transparent=True, metadata=metadata)
        text = file.getvalue()
        text = text[text.index("<svg") :]
        text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text)
        text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text)
        text = re.sub(r'<g id="[^"]*"', "<g", text)
        # Inline styles apply to the whole page.
        text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
        for name, color in LIGHT.items():
            text = text.replace(color, f"var(--{name})")
        return Html(text)

    def _save(self, file: IO, file_format: str, **settings: Any) -> None:
        with warnings.catch_warnings():
            # The browser has the missing glyphs.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            self._figure.savefig(file, format=file_format, **settings)


def use_thousands_separators(axis: Any) -> None:
    """Formats the numbers of an axis with thousands separators."""
    axis.set_major_formatter(lambda number, _: f"{number:,.0f}")


def format_percent(share: float, _: int) -> str:
    """Formats a tick of an axis of shares as a percentage."""
    return f"{100 * share:g} %"
