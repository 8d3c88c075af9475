"""Drawings on a report page: inline SVG of strokes, PNG of bitmaps, in galleries."""

import base64
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from pipeline import cli
from pipeline.report import page
from pipeline.report.page import Html

GUESSED_WIDTH = 128
"""Pixels of a drawing that stands above its guesses, at least."""


class Guess(NamedTuple):
    """A line under a drawing: whose or which guess, its share, and if it is right."""

    text: str
    share: float
    right: bool


def gallery(groups: Iterable[tuple[str, Sequence[Html]]], per_group: int) -> Html:
    """Lays out groups of pictures, each under its caption."""
    width = f"--width: {78 * per_group + 8 * (per_group - 1)}px"
    figures = page.join(
        f'<figure><figcaption title="{page.markup(caption)}">{page.markup(caption)}'
        f'</figcaption><div class="strip">{page.join(pictures)}</div></figure>\n'
        for caption, pictures in groups
    )
    return Html(f'<div class="gallery card" style="{width}">\n{figures}</div>')


def answered(
    cards: Iterable[tuple[str, Html, Sequence[Guess]]], width: int = GUESSED_WIDTH
) -> Html:
    """Lays out pictures, each under its caption and above its guesses."""
    figures = page.join(
        f'<figure><figcaption title="{page.markup(caption)}">{page.markup(caption)}'
        f'</figcaption><div class="strip">{picture}</div>'
        f'<ul class="guesses">{page.join(map(_guess, guesses))}</ul></figure>\n'
        for caption, picture, guesses in cards
    )
    style = f"--width: {width}px"
    return Html(f'<div class="gallery answered card" style="{style}">\n{figures}</div>')


def _guess(guess: Guess) -> Html:
    kind = ' class="right"' if guess.right else ""
    text = page.markup(guess.text)
    return Html(f"<li{kind}><span>{text}</span>{guess.share:.0%}</li>")


def strokes_svg(points: np.ndarray) -> Html:
    """Draws a drawing's strokes, in shades from the first to the last.

    Args:
      points: `<uint8>[T, 3]`, rows (x, y, pen).
    """
    left, top = (points[:, :2].min(0) + points[:, :2].max(0).astype(int)) // 2 - 136
    paths = []
    strokes = np.split(points[:, :2], np.flatnonzero(points[:-1, 2]) + 1)
    for number, stroke in enumerate(strokes):
        shade = number * (page.STROKE_SHADES - 1) // max(len(strokes) - 1, 1)
        line = "L".join(f"{x} {y}" for x, y in stroke.tolist())
        # A line of no length is a dot, as its ends are round.
        dot = "h0" if len(stroke) == 1 else ""
        paths.append(f'<path class="s{shade}" d="M{line}{dot}"/>')
    return Html(f'<svg viewBox="{left} {top} 272 272">{page.join(paths)}</svg>')


def image(pixels: np.ndarray, name: str) -> Html:
    """Embeds a greyscale picture `<uint8>[height, width]`, white ink on black.

    Raises:
      ValueError: Pillow is not installed.
    """
    file = io.BytesIO()
    cli.import_extra("PIL.Image", "report").fromarray(pixels).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return Html(f'<img alt="{page.markup(name)}" src="data:image/png;base64,{data}">')
