"""ndjson, one drawing a line: Google's simplified and raw formats.

    simplified   [[xs, ys], …], integers within 0..255
    raw          [[xs, ys, ts], …], pixels of any canvas and milliseconds; others
                 publish it without the times

One line alone does not always say which it is: a raw drawing on a small canvas may fit
the box. So a file is one or the other, as its first lines say, and a line that cannot
be of its file's format is rejected: a simplified drawing is never simplified again.

Source: https://github.com/googlecreativelab/quickdraw-dataset#the-raw-moderated-dataset
"""

from typing import Annotated, BinaryIO, Generic, TypeVar

import msgspec

from pipeline import simplification, strokes
from pipeline.formats.blocks import MAX_LINE_BYTES
from pipeline.formats.drawing import Drawing, Parsed, content_key, parse_or_reason
from pipeline.formats.json_strokes import pack_json
from tfrecords import schema

SIMPLIFIED, RAW = "simplified", "raw"
RAW_WITH_TIMES = "raw with times"
"""Raw as Google publishes it: a line of two axes in the box is none of these."""

LOOK_BYTES = 1 << 20
LOOK_LINES = 100
"""How much of a file is looked at to tell its format."""

_Strokes = TypeVar("_Strokes")


class Line(msgspec.Struct, Generic[_Strokes], frozen=True):
    """A published line; `word` may be missing where a drawing is to be guessed."""

    drawing: _Strokes
    word: str | None = None
    key_id: str | int | None = None
    countrycode: str | None = None
    timestamp: str | None = None
    recognized: bool | None = None


_Axis = list[Annotated[int, msgspec.Meta(ge=0, le=strokes.BOX)]]
_decode = msgspec.json.Decoder(Line[list[list[list[int | float]]]]).decode
_decode_simplified = msgspec.json.Decoder(Line[list[tuple[_Axis, _Axis]]]).decode
_decode_lines = msgspec.json.Decoder(Line[msgspec.Raw]).decode_lines
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def parse_line(text: bytes) -> Line[list[list[list[int | float]]]]:
    """Parses one line of ndjson, simplified or raw.

    Raises:
      ValueError: not JSON, or not of the published form.
    """
    try:
        return _decode(text)
    except msgspec.ValidationError as error:
        raise ValueError(f"not a drawing: {error}") from None
    except _NOT_JSON as error:
        raise ValueError(f"malformed JSON: {error}") from None


def parse_simplified(text: bytes, _: str = "") -> Drawing | None:
    """Parses a line of a simplified file; None where it is blank.

    Raises:
      ValueError: no simplified drawing; the message is `kind[: detail]`.
    """
    try:
        line = _decode_simplified(text)
    except _NOT_JSON as error:
        if not text.strip():
            return None
        _check_length(text)
        strokes.check_strokes(parse_line(text).drawing)  # has the plainer reason
        raise ValueError(f"not simplified, as its file is: {error}")
    _check_length(text)
    return _drawing(line, strokes.to_points(line.drawing).tobytes())


def parse_all_simplified(text: bytes) -> list[Parsed]:
    """Parses lines of a simplified file at once, much faster than one by one.

    Returns:
      For each line what `parse_simplified` gives or raises.
    """
    texts = text.removesuffix(b"\n").split(b"\n")
    lines = _decode_all(text, len(texts))
    if lines is None:
        return [parse_or_reason(parse_simplified, text) for text in texts]
    packed = pack_json([bytes(line.drawing) for line in lines])
    return [
        _drawing(line, points)
        if points and line.word
        else parse_or_reason(parse_simplified, text)
        for line, points, text in zip(lines, packed, texts)
    ]


def parse_raw(text: bytes, _: str = "") -> Drawing | None:
    """Parses and simplifies a line of a raw file; None where it is blank.

    Raises:
      ValueError: no drawing; the message is `kind[: detail]`.
    """
    if not text.strip():
        return None
    _check_length(text)
    line = parse_line(text)
    points = strokes.to_points(simplification.simplify(line.drawing))
    return _drawing(line, points.tobytes())


def parse_raw_with_times(text: bytes, _: str = "") -> Drawing | None:
    """Like `parse_raw`, but leaves no doubt that the line is raw.

    Raises:
      ValueError: no drawing, or a simplified one; the message is `kind[: detail]`.
    """
    drawing = parse_raw(text)
    if drawing is not None and strokes.is_simplified(parse_line(text).drawing):
        raise ValueError("simplified, its file is raw: --input_format=raw takes it")
    return drawing


def find_format(stream: BinaryIO) -> str:
    """Tells a file's format from the first lines of a stream.

    A third axis, a real number or one outside the box, anywhere in them, means raw.
    """
    head = b""
    while len(head) < LOOK_BYTES or (b"\n" not in head and len(head) <= MAX_LINE_BYTES):
        more = stream.read(LOOK_BYTES)
        head += more or b"\n"
        if not more:
            break
    texts = head[: head.rfind(b"\n") + 1].split(b"\n", LOOK_LINES)[:LOOK_LINES]
    if all(isinstance(d, Drawing) for d in parse_all_simplified(b"\n".join(texts))):
        return SIMPLIFIED  # what the rest would find, several times faster
    drawings = []
    for text in texts:
        try:
            drawings.append(parse_line(text).drawing)
        except ValueError:
            continue  # it will be rejected
    if any(len(stroke) > 2 for drawing in drawings for stroke in drawing):
        return RAW_WITH_TIMES
    return SIMPLIFIED if all(map(strokes.is_simplified, drawings)) else RAW


def _check_length(text: bytes) -> None:
    if len(text) > MAX_LINE_BYTES:
        raise ValueError("line too long")


def _decode_all(text: bytes, count: int) -> list[Line[msgspec.Raw]] | None:
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
        lines = _decode_lines(text)
    except _NOT_JSON:
        return None
    return lines if len(lines) == count else None


def _drawing(line: Line, packed: bytes) -> Drawing:
    """Makes the drawing of a line whose points are laid out already."""
    if not line.word:
        raise ValueError("no word")
    return Drawing(
        word=line.word,
        key_id=str(line.key_id or content_key(line.word, packed)),
        countrycode=line.countrycode or "",
        timestamp=line.timestamp or "",
        recognized=schema.RECOGNIZED_VALUES[line.recognized],
        packed=packed,
    )
