"""A drawing as SVG that draws itself, stroke by stroke."""

import itertools
import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

MARGIN = 16
PIXELS_PER_SECOND = 400.0
PAUSE = 0.15
"""Seconds between two strokes."""

_STYLE = """\
path{fill:none;stroke:currentColor;stroke-width:6;stroke-linecap:round;\
stroke-linejoin:round;stroke-dasharray:1 1;stroke-dashoffset:1;\
animation:draw linear both}
@keyframes draw{from{stroke-dashoffset:1}to{stroke-dashoffset:0}}
@media(prefers-reduced-motion:reduce){path{animation:none;stroke-dashoffset:0}}"""


def animated_svg(
    drawing: Sequence[Sequence[Sequence[int]]], title: str, attribution: str
) -> str:
    """Makes a picture of simplified strokes `[[xs, ys], …]` within 0..255.

    Each path counts as 1 long, so that its one dash hides or shows it
    (https://www.w3.org/TR/SVG2/paths.html#PathLengthAttribute).
    """
    side = 255 + 2 * MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="{-MARGIN} {-MARGIN} {side} {side}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(attribution)}</desc>",
        f"<style>{_STYLE}</style>",
    ]
    begin = 0.0
    for xs, ys in drawing:
        points = list(zip(xs, ys))
        seconds = _length(points) / PIXELS_PER_SECOND + 0.05
        path = "M" + " ".join(f"{x} {y}" for x, y in points)
        if len(set(points)) == 1:  # a dot has no length to draw
            path += "h0.1"
        lines.append(
            f'<path pathLength="1" d="{path}" '
            f'style="animation-duration:{seconds:.2f}s;animation-delay:{begin:.2f}s"/>'
        )
        begin += seconds + PAUSE
    return "\n".join([*lines, "</svg>"]) + "\n"


def _length(points: Sequence[tuple[int, int]]) -> float:
    return sum(math.dist(*pair) for pair in itertools.pairwise(points))
