"""Published lines → `Drawing`, the one type that the rest of the job knows.

A line that is no drawing is a ValueError whose message reads `kind` or
`kind: detail`; rejected lines are counted by kind.

Source of the format: https://github.com/googlecreativelab/quickdraw-dataset.
"""

import hashlib

import msgspec
import numpy as np

from pipeline import strokes
from tfrecords import schema


class Drawing(msgspec.Struct, frozen=True, array_like=True):
    """One drawing as the job passes it on.

    Attributes:
      word: the class's name.
      key_id: Google's key, or `content_key`.
      countrycode, timestamp: as published, empty where not known.
      recognized: 1, 0, or -1 where not known.
      packed: the bytes of the points `<uint8>[T, 3]` (see `pipeline.strokes`).
    """

    word: str
    key_id: str
    countrycode: str
    timestamp: str
    recognized: int
    packed: bytes

    @property
    def points(self) -> np.ndarray:
        """The points, `<uint8>[T, 3]`, rows (x, y, pen)."""
        return np.frombuffer(self.packed, np.uint8).reshape(-1, 3)


class Line(msgspec.Struct, frozen=True):
    """A published line; `word` may be missing where a drawing is to be guessed."""

    drawing: list[list[list[int | float]]]
    word: str | None = None
    key_id: str | int | None = None
    countrycode: str | None = None
    timestamp: str | None = None
    recognized: bool | None = None


_line_decoder = msgspec.json.Decoder(Line)


def parse_line(text: bytes) -> Line:
    """Parses one line of ndjson, simplified or raw.

    Raises:
      ValueError: not JSON, or not of the published form.
    """
    try:
        return _line_decoder.decode(text)
    except msgspec.ValidationError as error:
        raise ValueError(f"not a drawing: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"malformed JSON: {error}") from None


def parse_drawing(text: bytes) -> Drawing:
    """Parses one line of ndjson into a `Drawing`.

    Raises:
      ValueError: not a drawing that can be used; the message is `kind[: detail]`.
    """
    line = parse_line(text)
    if not line.word:
        raise ValueError("no word")
    points = strokes.points_of(line.drawing)
    return Drawing(
        word=line.word,
        key_id=str(line.key_id or content_key(line.word, points)),
        countrycode=line.countrycode or "",
        timestamp=line.timestamp or "",
        recognized=schema.RECOGNIZED_VALUES[line.recognized],
        packed=points.tobytes(),
    )


def content_key(word: str, points: np.ndarray) -> str:
    """Makes a key for a drawing that was published without one.

    The same drawing gets the same key wherever and whenever it is read.
    """
    digest = hashlib.blake2b(points.tobytes(), digest_size=8, key=word.encode()[:64])
    return digest.hexdigest()
