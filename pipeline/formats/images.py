"""Pictures of one drawing each, in a folder per class: `…/<word>/<any name>.png`.

PNG, JPEG, GIF (the first frame) and WebP are read. A picture becomes 28×28 gray values,
white ink on black, as Google's bitmaps are:

    transparent → on white, or on black if what is opaque is mostly light
    color      → gray (ITU-R 601-2 luma)
    dark ink on a light border → inverted
    not square  → centered on a square
    other size  → 28×28, each pixel the mean of the area it covers

A picture that is such a bitmap already does not change.
"""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from pipeline.formats.blocks import require_library
from pipeline.formats.drawing import Drawing, make_drawing
from tfrecords import schema

PNG_MAGIC = b"\x89PNG"
MAGIC = {
    "PNG": (PNG_MAGIC,),
    "JPEG": (b"\xff\xd8\xff",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "WEBP": (b"RIFF",),
}
"""Pillow's name of each format to the first bytes of its files."""

MAX_FILE_BYTES = 16 << 20
MAX_PIXELS = 4096 * 4096
"""Of a whole picture; a larger one is rejected."""

MAX_SIDE = 8192
"""Pixels of the longer side, which is the side of the square; see above."""

_LIGHT = 128


def is_picture(head: bytes) -> bool:
    """Returns whether a file that begins so is a picture of a supported format."""
    if head.startswith(MAGIC["WEBP"]):
        return head[8:12] == b"WEBP"
    return head.startswith(
        tuple(magic for magics in MAGIC.values() for magic in magics)
    )


def read_pictures(stream: BinaryIO) -> Iterator[bytes]:
    """Yields the single picture of a file; only the beginning if it is too large.

    Raises:
      UnreadableFileError: Pillow is not installed.
    """
    require_library("PIL.Image", "png")
    yield stream.read(MAX_FILE_BYTES + 1)


def parse(data: bytes, word: str | None = "") -> Drawing:
    """Makes a drawing of the bytes of a picture file.

    Raises:
      ValueError: not a picture, or an empty one; the message is `kind[: detail]`.
    """
    bitmap = read_bitmap(data)
    if not bitmap.any():
        raise ValueError("no ink")
    return make_drawing(word, bitmap.tobytes(), is_bitmap=True)


def read_bitmap(data: bytes) -> np.ndarray:
    """Converts the bytes of a picture file to `<uint8>[28, 28]`.

    Raises:
      ValueError: not a picture, or too large; the message is `kind[: detail]`.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ValueError("picture too large")
    return _to_bitmap(_open(data))


def _open(data: bytes) -> Any:
    """Returns a `PIL.Image.Image` whose pixels are loaded."""
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data), formats=list(MAGIC))
        small = image.width * image.height <= MAX_PIXELS and max(image.size) <= MAX_SIDE
        if small:
            image.load()
    except Exception as error:  # Pillow raises many types on damaged files
        detail = str(error).partition(" <")[0]
        raise ValueError(f"not a picture: {detail or type(error).__name__}")
    if not small:
        raise ValueError(f"picture too large: {image.width} × {image.height} pixels")
    return image


def _to_bitmap(image: Any) -> np.ndarray:
    """Converts a picture to `<uint8>[28, 28]` by the rules at the top of this file."""
    from PIL import Image

    gray = _to_gray(image)
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    if border.mean() >= _LIGHT:
        gray = 255 - gray
    height, width = gray.shape
    side = max(height, width)
    square = np.zeros((side, side), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = gray
    size = (schema.BITMAP_SIDE, schema.BITMAP_SIDE)
    return np.asarray(Image.fromarray(square).resize(size, Image.Resampling.BOX))


def _to_gray(image: Any) -> np.ndarray:
    """Converts a picture to `<uint8>[height, width]` without transparency."""
    if image.mode.startswith("I"):  # 16 bits, which Pillow would clip
        wide = np.asarray(image).astype(np.uint32)
        return np.right_shift(wide, 8).astype(np.uint8)
    both = np.asarray(image.convert("RGBA").convert("LA"), np.float32)
    gray, opaque = both[..., 0], both[..., 1] / 255
    light = (gray * opaque).sum() >= _LIGHT * opaque.sum()
    background = 0 if light and opaque.min() < 1 else 255
    flattened = np.rint(gray * opaque + background * (1 - opaque))
    return np.asarray(flattened, np.uint8)
