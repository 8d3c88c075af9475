"""Pictures of one drawing each, in a folder per word: `…/<word>/<anything>.png`.

A picture becomes 28×28 grey values, white ink on black, as Google's bitmaps are:

    transparent → paper: white, or black where what is opaque is mostly light
    colour      → grey (ITU-R 601-2 luma)
    dark ink on a light border → inverted
    not square  → centred on a square of paper
    other size  → 28×28, each pixel the mean of what it covers

So one that is such a bitmap already stays as it is.
"""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from pipeline import cli
from pipeline.formats.blocks import Unreadable
from pipeline.formats.drawing import Drawing, keyless
from tfrecords import schema

MAGIC = b"\x89PNG"

MAX_FILE_BYTES = 16 << 20
MAX_PIXELS = 4096 * 4096
"""Of a whole picture; a larger one is no drawing."""

_LIGHT = 128


def read_pictures(stream: BinaryIO) -> Iterator[bytes]:
    """Yields the one picture of a file; of one too large only the beginning.

    Raises:
      Unreadable: Pillow is not installed.
    """
    try:
        cli.import_extra("PIL.Image", "png")
    except ValueError as error:
        raise Unreadable(str(error)) from None
    yield stream.read(MAX_FILE_BYTES + 1)


def word_of(path: str) -> str:
    """The name of the folder that a picture is in."""
    return path.rpartition("/")[0].rpartition("/")[2]


def parse(data: bytes, word: str) -> Drawing:
    """Makes a drawing of the bytes of a PNG file.

    Raises:
      ValueError: no picture, or an empty one; the message is `kind[: detail]`.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ValueError("picture too large")
    bitmap = _to_bitmap(_open(data))
    if not bitmap.any():
        raise ValueError("no ink")
    return keyless(word, bitmap.tobytes(), is_bitmap=True)


def _open(data: bytes) -> Any:
    """Gives a `PIL.Image.Image`, all of it read."""
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data), formats=["PNG"])
        small = image.width * image.height <= MAX_PIXELS
        if small:
            image.load()
    except Exception as error:  # Pillow raises about anything on damaged files
        detail = str(error).partition(" <")[0]
        raise ValueError(f"not a PNG: {detail or type(error).__name__}")
    if not small:
        raise ValueError(f"picture too large: {image.width} × {image.height} pixels")
    return image


def _to_bitmap(image: Any) -> np.ndarray:
    """Gives `<uint8>[28, 28]` by the rules at the top of this file."""
    from PIL import Image

    grey = _to_grey(image)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if border.mean() >= _LIGHT:
        grey = 255 - grey
    height, width = grey.shape
    side = max(height, width)
    square = np.zeros((side, side), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = grey
    size = (schema.BITMAP_SIDE, schema.BITMAP_SIDE)
    return np.asarray(Image.fromarray(square).resize(size, Image.Resampling.BOX))


def _to_grey(image: Any) -> np.ndarray:
    """Gives `<uint8>[height, width]`, on paper where it is transparent."""
    if image.mode.startswith("I"):  # 16 bits, which Pillow would clip
        return (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
    both = np.asarray(image.convert("RGBA").convert("LA"), np.float32)
    grey, opaque = both[..., 0], both[..., 1] / 255
    light = (grey * opaque).sum() >= _LIGHT * opaque.sum()
    paper = 0 if light and opaque.min() < 1 else 255
    return np.rint(grey * opaque + paper * (1 - opaque)).astype(np.uint8)
