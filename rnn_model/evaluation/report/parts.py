"""What the sections of the page about runs share."""

import re
from collections.abc import Sequence
from typing import Any

from pipeline.report import thumbnails
from pipeline.report.figures import Plot
from pipeline.report.page import Cell, Chart, Element, Guess
from rnn_model.evaluation.example_gallery import Answer, Shown
from rnn_model.evaluation.report.plots import Point


class Plots:
    """Frames plots, and keeps them as PNG.

    Attributes:
      files: the PNG files by name.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def frame(
        self,
        name: str,
        title: str,
        plot: Plot,
        caption: str = "",
        *,
        wide: bool = False,
    ) -> Chart:
        """Frames a plot; `name`, in which any sign may be, names its PNG file."""
        plain = re.sub(r"[^\w.-]+", "-", name)
        self.files[f"{plain}.png"] = plot.png
        return Chart(title, plot.svg, caption, wide)


def point(told: dict[str, Any], name: str = "top1") -> Point:
    """A metric as `evaluation_report` tells it, for a plot."""
    return Point(told[name], *told["intervals"][name])


def told_points(rows: Sequence[dict[str, Any]], name: str = "top1") -> list[Point]:
    return [point(row, name) for row in rows]


def with_interval(value: float, interval: Sequence[float], share: bool = True) -> Cell:
    """Writes a number with its interval, a share in per cent."""
    if share:
        low, high = (f"{100 * end:.1f}" for end in interval)
        text = f"{value:.1%}"
    else:
        low, high = (f"{end:.3f}" for end in interval)
        text = f"{value:.3f}"
    return Cell(text, f"{low} to {high}")


def guesses(
    shown: Shown, answer: Answer, classes: Sequence[str], run: str = ""
) -> list[Guess]:
    """A run's guesses of a drawing, for a card."""
    prefix = f"{run}: " if run else ""
    return [
        Guess(f"{prefix}{classes[guess]}", share, guess == shown.label)
        for guess, share in answer
    ]


def picture(shown: Shown, classes: Sequence[str]) -> Element:
    """A drawing as it was drawn, or as its bitmap."""
    if shown.is_bitmap:
        return thumbnails.draw_bitmap(shown.pixels(), classes[shown.label])
    return thumbnails.draw_strokes(shown.points())
