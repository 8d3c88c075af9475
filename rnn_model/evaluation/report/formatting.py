"""Numbers, plots and drawings in the form that the report's sections share."""

import re
from collections.abc import Sequence
from typing import Any

from pipeline.report import thumbnails
from pipeline.report.figures import Plot
from pipeline.report.page import Cell, Chart, Element, Guess
from rnn_model.evaluation.example_gallery import ExampleDrawing, TopPredictions
from rnn_model.evaluation.report.plots import Estimate


class PlotCollection:
    """Adds plots to the page and collects them as PNG files.

    Attributes:
      png_files: content of the PNG files by name.
    """

    def __init__(self) -> None:
        self.png_files: dict[str, bytes] = {}

    def add(self, name: str, title: str, plot: Plot, *, wide: bool = False) -> Chart:
        """Adds a plot.

        Args:
          name: name of the PNG file; characters that are unsafe in file names are
            replaced.
          title: title on the page.
          plot: the plot.
          wide: whether to scroll the plot on small screens instead of shrinking it.
        """
        safe_name = re.sub(r"[^\w.-]+", "-", name)
        self.png_files[f"{safe_name}.png"] = plot.png
        return Chart(title, plot.svg, wide=wide)


def get_estimate(row: dict[str, Any], metric: str = "top1") -> Estimate:
    """Returns a metric with its interval from a dict of `metrics.json`."""
    return Estimate(row[metric], *row["intervals"][metric])


def format_interval(row: dict[str, Any], metric: str = "top1") -> Cell:
    """Formats a metric and its interval; all but the loss in percent."""
    value, low, high = get_estimate(row, metric)
    if metric == "loss":
        return Cell(f"{value:.3f}", f"{low:.3f} to {high:.3f}")
    return Cell(f"{value:.1%}", f"{100 * low:.1f} to {100 * high:.1f}")


def format_difference(row: dict[str, Any]) -> Cell:
    """Formats a difference and its interval in percentage points."""
    low, high = (100 * end for end in row["interval"])
    difference = 100 * row["difference"]
    return Cell(f"{difference:+.2f}", f"{low:+.2f} to {high:+.2f}")


def make_guesses(
    example: ExampleDrawing,
    predictions: TopPredictions,
    classes: Sequence[str],
    run: str = "",
) -> list[Guess]:
    """Lists predictions of a drawing, with the name of the run if there are several."""
    prefix = f"{run}: " if run else ""
    return [
        Guess(f"{prefix}{classes[index]}", probability, index == example.label)
        for index, probability in predictions
    ]


def make_thumbnail(example: ExampleDrawing, classes: Sequence[str]) -> Element:
    """Draws a drawing, as strokes or as a bitmap."""
    if example.is_bitmap:
        return thumbnails.draw_bitmap(example.pixels(), classes[example.label])
    return thumbnails.draw_strokes(example.points())
