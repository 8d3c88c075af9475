"""Published lines → `Drawing`, the one type that the rest of the job knows.

A line that is no drawing is a ValueError whose message reads `kind` or
`kind: detail`; rejected lines are counted by kind.

Source of the format: https://github.com/googlecreativelab/quickdraw-dataset.
"""

import hashlib

import msgspec
import numpy as np

from pipeline import strokes
from pipeline.blocks import MAX_LINE_BYTES
from tfrecords import schema


class Drawing(msgspec.Struct, frozen=True, array_like=True, gc=False):
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


class _Meta(msgspec.Struct, frozen=True, kw_only=True):
    word: str | None = None
    key_id: str | int | None = None
    countrycode: str | None = None
    timestamp: str | None = None
    recognized: bool | None = None


class Line(_Meta, frozen=True):
    """A published line; `word` may be missing where a drawing is to be guessed."""

    drawing: list[list[list[int | float]]]


class _UnreadLine(_Meta, frozen=True):
    """A line whose drawing is JSON as yet."""

    drawing: msgspec.Raw


_line_decoder = msgspec.json.Decoder(Line)
_lines_decoder = msgspec.json.Decoder(_UnreadLine)


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
    return _drawing(line, strokes.points_of(line.drawing).tobytes())


def parse_lines(text: bytes) -> list[Drawing | ValueError | None]:
    """Parses whole lines of ndjson, much faster than one by one.

    Returns:
      For each line what `parse_drawing` gives or raises; None for a blank line.
    """
    texts = text.removesuffix(b"\n").split(b"\n")
    lines = _decode_lines(text, len(texts))
    if lines is None:
        return list(map(_parse_any, texts))
    packed = strokes.pack_json([bytes(line.drawing) for line in lines])
    return [
        _drawing(line, points) if points and line.word else _parse_any(text)
        for line, points, text in zip(lines, packed, texts)
    ]


def _decode_lines(text: bytes, count: int) -> list[_UnreadLine] | None:
    """Decodes lines that hold a JSON object each, but for their drawings.

    Gives None if a line needs a closer look.
    """
    text = text.removesuffix(b"\n")
    # msgspec takes any white space for the end of a line. Where each line starts and
    # ends with a brace no object spans two, as there is no comma between them.
    if (
        text[:1] != b"{"
        or text[-1:] != b"}"
        or text.count(b"}\n{") != count - 1
        or len(text) > MAX_LINE_BYTES
    ):
        return None
    try:
        lines = _lines_decoder.decode_lines(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return lines if len(lines) == count else None


def _parse_any(text: bytes) -> Drawing | ValueError | None:
    if not text.strip():
        return None
    try:
        if len(text) > MAX_LINE_BYTES:
            raise ValueError("line too long")
        return parse_drawing(text)
    except ValueError as error:
        return error


def _drawing(line: _Meta, packed: bytes) -> Drawing:
    """Makes the drawing of a line whose points are laid out already."""
    return Drawing(
        word=line.word,
        key_id=str(line.key_id or content_key(line.word, packed)),
        countrycode=line.countrycode or "",
        timestamp=line.timestamp or "",
        recognized=schema.RECOGNIZED_VALUES[line.recognized],
        packed=packed,
    )


def content_key(word: str, points: np.ndarray | bytes) -> str:
    """Makes a key for a drawing that was published without one.

    The same drawing gets the same key wherever and whenever it is read.

    Args:
      word: the class's name.
      points: `<uint8>[T, 3]`, or their bytes.
    """
    digest = hashlib.blake2b(points, digest_size=8, key=word.encode()[:64])
    return digest.hexdigest()
