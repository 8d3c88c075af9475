"""Points → bitmap, as in Google's 28×28 bitmaps.

The drawing's box is centered in a square of 256 units with a margin of 24 around it,
drawn with a round pen 16 units wide in white on black, and scaled to 28 pixels
(https://github.com/googlecreativelab/quickdraw-dataset/issues/19). The value of a pixel
depends on the distance of its center to the nearest segment: within the pen's radius it
is white, with a soft edge of one pixel.
"""

import numpy as np

from tfrecords import schema

SIDE = schema.BITMAP_SIDE
"""Side of a bitmap in pixels."""

CANVAS = 256
MARGIN = 24
PEN_RADIUS = 8.0

UNITS_PER_PIXEL = (CANVAS + 2 * MARGIN) / SIDE

PIXEL_CENTERS = (np.arange(SIDE, dtype=np.float32) + 0.5) * UNITS_PER_PIXEL
"""`<float32>[28]`: positions of the pixels' centers along either axis, in units."""


def rasterize(points: np.ndarray) -> np.ndarray:
    """Draws a drawing as a bitmap.

    Args:
      points: `<uint8>[T, 3]`, rows (x, y, pen).

    Returns:
      `<uint8>[28, 28]`, rows from top to bottom, 255 on the path of the pen.
    """
    xy = points[:, :2].astype(np.float32)
    xy += MARGIN + CANVAS / 2 - (xy.min(axis=0) + xy.max(axis=0)) / 2
    # The first point of a stroke is a segment to itself.
    begins = np.concatenate([[True], points[:-1, 2] == 1])
    start = np.where(begins[:, None], xy, np.roll(xy, 1, axis=0))
    return coverage(_distance(start, xy))


def coverage(distance: np.ndarray) -> np.ndarray:
    """Converts distances to the pen's path, in units, to `<uint8>` gray values."""
    white = np.clip((PEN_RADIUS - distance) / UNITS_PER_PIXEL + 0.5, 0, 1)
    return np.rint(white * 255).astype(np.uint8)


def _distance(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Returns the distance of each pixel's center to the nearest of T segments.

    Args:
      start: `<float32>[T, 2]`.
      end: `<float32>[T, 2]`.

    Returns:
      `<float32>[28, 28]`.
    """
    along = end - start
    squared_length = np.maximum((along**2).sum(axis=1), 1e-6)[:, None, None]
    offset_x = PIXEL_CENTERS[None, None, :] - start[:, 0, None, None]  # (T, 1, 28)
    offset_y = PIXEL_CENTERS[None, :, None] - start[:, 1, None, None]  # (T, 28, 1)
    projected = (  # (T, 28, 28)
        offset_x * along[:, 0, None, None] + offset_y * along[:, 1, None, None]
    ) / squared_length
    nearest = np.clip(projected, 0, 1)
    squared = (
        offset_x**2 + offset_y**2 + squared_length * nearest * (nearest - 2 * projected)
    )
    return np.sqrt(np.maximum(squared.min(axis=0), 0))
