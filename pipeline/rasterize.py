"""Points → bitmap, as Google drew its 28×28 bitmaps.

The drawing's box is centred in a square of 256 units with a margin of 24 around it,
drawn with a round pen 16 units wide in white on black, and scaled to 28 pixels
(https://github.com/googlecreativelab/quickdraw-dataset/issues/19). A pixel's value
comes from its centre's distance to the nearest segment: within the pen's radius it is
white, and the edge is one pixel soft.
"""

import numpy as np

from tfrecords import schema

SIDE = schema.BITMAP_SIDE
"""Pixels along a side."""

CANVAS = 256
MARGIN = 24
PEN_RADIUS = 8.0

UNITS_PER_PIXEL = (CANVAS + 2 * MARGIN) / SIDE

PIXEL_CENTRES = (np.arange(SIDE, dtype=np.float32) + 0.5) * UNITS_PER_PIXEL
"""`<float32>[28]`: where the pixels' centres are along either axis, in units."""


def rasterize(points: np.ndarray) -> np.ndarray:
    """Draws one drawing.

    Args:
      points: `<uint8>[T, 3]`, rows (x, y, pen).

    Returns:
      `<uint8>[28, 28]`, rows from top to bottom, 255 where the pen has been.
    """
    xy = points[:, :2].astype(np.float32)
    xy += MARGIN + CANVAS / 2 - (xy.min(axis=0) + xy.max(axis=0)) / 2
    # A stroke's first point is a segment to itself; the others come from the last.
    begins = np.concatenate([[True], points[:-1, 2] == 1])
    start = np.where(begins[:, None], xy, np.roll(xy, 1, axis=0))
    return coverage(_distance(start, xy))


def coverage(distance: np.ndarray) -> np.ndarray:
    """Turns distances to the pen's path, in units, into `<uint8>` grey values."""
    white = np.clip((PEN_RADIUS - distance) / UNITS_PER_PIXEL + 0.5, 0, 1)
    return np.rint(white * 255).astype(np.uint8)


def _distance(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance of each pixel's centre to the nearest of segments `[T, 2]`."""
    along = end - start
    squared_length = np.maximum((along**2).sum(axis=1), 1e-6)[:, None, None]
    offset_x = PIXEL_CENTRES[None, None, :] - start[:, 0, None, None]  # (T, 1, 28)
    offset_y = PIXEL_CENTRES[None, :, None] - start[:, 1, None, None]  # (T, 28, 1)
    projected = (  # (T, 28, 28)
        offset_x * along[:, 0, None, None] + offset_y * along[:, 1, None, None]
    ) / squared_length
    nearest = np.clip(projected, 0, 1)
    squared = (
        offset_x**2 + offset_y**2 + squared_length * nearest * (nearest - 2 * projected)
    )
    return np.sqrt(np.maximum(squared.min(axis=0), 0))
