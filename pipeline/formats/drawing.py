"""`Drawing`, the one type that all formats give and the rest of the job knows."""

import hashlib
import re
import urllib.parse
from collections.abc import Callable

import msgspec
import numpy as np

from tfrecords import schema

_PREFIX = re.compile(r"full_(simplified|raw|binary|numpy_bitmap)_|sketchrnn_")
_SUFFIX = re.compile(r"(\.full)?\.(ndjson|bin|npy|npz)$")


class Drawing(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One drawing as the job passes it on.

    Attributes:
      word: the class's name.
      key_id: Google's key, or `content_key`.
      countrycode, timestamp: as published, empty where not known.
      recognized: 1, 0, or -1 where not known.
      packed: the bytes of the points `<uint8>[T, 3]` (see `pipeline.strokes`), or of
        the bitmap `<uint8>[28, 28]`, white ink on black.
      is_bitmap: says which.
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
"""What an item of a file is: a drawing, none and why, or a blank line."""


def parse_or_reason(
    parse: Callable[..., Drawing | None], *arguments: bytes | str
) -> Parsed:
    """Gives what `parse` gives, or the ValueError that it raises."""
    try:
        return parse(*arguments)
    except ValueError as error:
        return error


def keyless(word: str, packed: bytes, *, is_bitmap: bool = False) -> Drawing:
    """Makes a drawing of a format that publishes nothing but what was drawn.

    Raises:
      ValueError: it has no word.
    """
    if not word:
        raise ValueError("no word")
    key_id = content_key(word, packed)
    return Drawing(word, key_id, "", "", -1, packed, is_bitmap)


def content_key(word: str, packed: bytes) -> str:
    """Makes a key for a drawing that was published without one.

    The same drawing gets the same key wherever and whenever it is read.
    """
    return hashlib.blake2b(packed, digest_size=8, key=word.encode()[:64]).hexdigest()


def word_of(path: str) -> str:
    """The word that a file's name says, where the file itself does not.

    `aircraft carrier.bin`, as in Google's bucket; also as its web page names what is
    downloaded there: `full_binary_aircraft%20carrier.bin`.
    """
    name = path.rpartition("/")[2].removesuffix(".gz")
    return _PREFIX.sub("", _SUFFIX.sub("", urllib.parse.unquote(name)), count=1)
