"""`Drawing`, the type that every input format produces."""

import datetime
import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from tfrecords import schema


class Drawing(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One drawing of a published or saved file.

    Attributes:
      word: name of the class; empty if the source has none and none is needed.
      key_id: Google's key, or `content_key`.
      countrycode: as published, empty if unknown.
      timestamp: as published, empty if unknown.
      recognized: 1, 0, or -1 if unknown.
      packed: the bytes of the points `<uint8>[T, 3]` (see `pipeline.strokes`), or of
        the bitmap `<uint8>[28, 28]`, white ink on black.
      is_bitmap: whether `packed` holds a bitmap.
    """

    word: str
    key_id: str
    countrycode: str
    timestamp: str
    recognized: int
    packed: bytes
    is_bitmap: bool = False

    @property
    def points(self) -> np.ndarray:
        """The points, `<uint8>[T, 3]`, rows (x, y, pen)."""
        return np.frombuffer(self.packed, np.uint8).reshape(-1, 3)

    @property
    def bitmap(self) -> np.ndarray:
        """The bitmap, `<uint8>[28, 28]`, rows from top to bottom."""
        side = schema.BITMAP_SIDE
        return np.frombuffer(self.packed, np.uint8).reshape(side, side)


Parsed = Drawing | ValueError | None
"""The result for an item: a drawing, the reason why it is none, or None if blank."""


def parse_or_error(parse: Callable[..., Drawing | None], *args: Any) -> Parsed:
    """Returns the result of `parse`, or the ValueError that it raises."""
    try:
        return parse(*args)
    except ValueError as error:
        return error


def make_drawing(
    word: str | None, packed: bytes, *, is_bitmap: bool = False
) -> Drawing:
    """Makes a drawing of a format that has no metadata.

    Args:
      word: name of the class; None if none is needed, as in prediction.
      packed: see `Drawing`.
      is_bitmap: see `Drawing`.

    Raises:
      ValueError: the word is empty.
    """
    if word is None:
        return Drawing("", "", "", "", -1, packed, is_bitmap)
    if not word:
        raise ValueError("no word")
    return Drawing(word, content_key(word, packed), "", "", -1, packed, is_bitmap)


def content_key(word: str, packed: bytes) -> str:
    """Makes a key for a drawing that was published without one.

    The same drawing of the same word always gets the same key.
    """
    return hashlib.blake2b(packed, digest_size=8, key=word.encode()[:64]).hexdigest()


GOOGLE_KEYS = ("4503599627370496", "6755399441055744")
"""Google's keys are integers from the first to before the second: 2⁵² to 1.5·2⁵²."""


def unique_key(drawing: Drawing) -> str:
    """Returns a key that only copies of the same drawing share.

    Keys that are not Google's, such as row numbers, may be repeated in other files and
    for other words. The content of the drawing is added to them.
    """
    key = drawing.key_id
    if len(key) == 16 and GOOGLE_KEYS[0] <= key < GOOGLE_KEYS[1]:
        return key
    content = content_key(drawing.word, drawing.packed)
    return key if key == content else f"{key}/{content}"


def format_timestamp(seconds: float) -> str:
    """Formats Unix seconds as in the ndjson files, without their fractions.

    Empty for 0 and for times outside the years 1 to 9999.
    """
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (OverflowError, OSError, ValueError):
        return ""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if seconds else ""
