"""Pictures of drawings for reports: SVG of strokes and PNG of bitmaps."""

import base64
import io
from dataclasses import dataclass

import numpy as np

from pipeline import cli
from pipeline.report import theme
from pipeline.report.page import Element


@dataclass(frozen=True)
class StrokePicture(Element):
    """Strokes, shaded from the first to the last.

    Attributes:
      left, top: Corner of the box of 272 × 272 pixels around the drawing.
      paths: Shade and SVG path of each stroke.
    """

    left: int
    top: int
    paths: list[tuple[int, str]]


def draw_strokes(points: np.ndarray) -> StrokePicture:
    """Draws strokes in the middle of a box.

    Args:
      points: `<uint8>[T, 3]`, rows (x, y, pen).
    """
    left, top = (points[:, :2].min(0) + points[:, :2].max(0).astype(int)) // 2 - 136
    strokes = np.split(points[:, :2], np.flatnonzero(points[:-1, 2]) + 1)
    paths = []
    for index, stroke in enumerate(strokes):
        shade = index * (theme.STROKE_SHADES - 1) // max(len(strokes) - 1, 1)
        line = "L".join(f"{x} {y}" for x, y in stroke.tolist())
        # A line of length zero is a dot because line ends are round.
        dot = "h0" if len(stroke) == 1 else ""
        paths.append((shade, f"M{line}{dot}"))
    return StrokePicture(int(left), int(top), paths)


@dataclass(frozen=True)
class BitmapPicture(Element):
    """Bitmap, embedded as PNG.

    Attributes:
      alt: Text for readers who cannot see the picture.
      png_base64: Content of the PNG file in base64.
    """

    alt: str
    png_base64: str


def draw_bitmap(pixels: np.ndarray, alt: str) -> BitmapPicture:
    """Embeds a grayscale picture.

    Args:
      pixels: `<uint8>[height, width]`, white on black.
      alt: Text for readers who cannot see the picture.

    Raises:
      ValueError: Pillow is not installed.
    """
    file = io.BytesIO()
    cli.import_extra("PIL.Image", "report").fromarray(pixels).save(file, "PNG")
    return BitmapPicture(alt, base64.b64encode(file.getvalue()).decode())
