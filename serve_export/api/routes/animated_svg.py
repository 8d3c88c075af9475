"""Renders a drawing as an SVG that animates stroke by stroke."""

import itertools
import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

MARGIN = 16
PIXELS_PER_SECOND = 400.0
PAUSE_SECONDS = 0.15
"""Between two strokes."""

_STYLE = """\
path{fill:none;stroke:currentColor;stroke-width:6;stroke-linecap:round;\
stroke-linejoin:round;stroke-dasharray:1 1;stroke-dashoffset:1;\
animation:draw linear both}
@keyframes draw{from{stroke-dashoffset:1}to{stroke-dashoffset:0}}
@media(prefers-reduced-motion:reduce){path{animation:none;stroke-dashoffset:0}}"""


def animated_svg(
    drawing: Sequence[Sequence[Sequence[int]]], title: str, attribution: str
) -> str:
    """Renders simplified strokes as animated SVG.

    With `pathLength` 1 the single dash of a path hides or shows all of it
    (https://www.w3.org/TR/SVG2/paths.html#PathLengthAttribute).

    Args:
      drawing: strokes `[[xs, ys], …]` within 0..255.
      title: title of the image.
      attribution: author and license of the drawing.

    Returns:
      The SVG document.
    """
    side = 255 + 2 * MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="{-MARGIN} {-MARGIN} {side} {side}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(attribution)}</desc>",
        f"<style>{_STYLE}</style>",
    ]
    start = 0.0
    for xs, ys in drawing:
        points = list(zip(xs, ys))
        seconds = _length(points) / PIXELS_PER_SECOND + 0.05
        path = "M" + " ".join(f"{x} {y}" for x, y in points)
        if len(set(points)) == 1:  # a path without length is not painted
            path += "h0.1"
        lines.append(
            f'<path pathLength="1" d="{path}" '
            f'style="animation-duration:{seconds:.2f}s;animation-delay:{start:.2f}s"/>'
        )
        start += seconds + PAUSE_SECONDS
    return "\n".join([*lines, "</svg>"]) + "\n"


def _length(points: Sequence[tuple[int, int]]) -> float:
    return sum(math.dist(*pair) for pair in itertools.pairwise(points))
