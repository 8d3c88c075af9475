"""JSON objects with a drawing each: Google's simplified and raw ndjson.

    simplified   [[xs, ys], …], integers in 0..255
    raw          [[xs, ys, ts], …], pixels of any canvas and milliseconds; others
                 publish it without the times

A single line does not always tell which form it has: a raw drawing on a small canvas
may fit the box. So a whole file has one form (see `stroke_form`), and a line that
cannot have the form of its file is rejected. A simplified drawing is never simplified
again.

Metadata never rejects a drawing: what is not understood is left out.

Source: https://github.com/googlecreativelab/quickdraw-dataset#the-raw-moderated-dataset
"""

import contextlib
import math
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from pipeline import simplification, strokes
from pipeline.class_names import normalize_word
from pipeline.formats.blocks import MAX_LINE_BYTES
from pipeline.formats.drawing import (
    Drawing,
    Parsed,
    content_key,
    format_timestamp,
    parse_or_error,
)
from pipeline.formats.text.json_strokes import pack_json
from pipeline.strokes import AXES
from tfrecords import schema

_Strokes = TypeVar("_Strokes")


class Line(msgspec.Struct, Generic[_Strokes], frozen=True):
    """A published object; `word` is missing where a drawing is to be classified."""

    drawing: _Strokes
    word: str | None = None
    key_id: str | int | None = None
    countrycode: str | None = None
    country_code: str | None = None
    timestamp: str | None = None
    recognized: bool | None = None


_RawStrokes = list[list[list[int | float]]]
_Axis = list[Annotated[int, msgspec.Meta(ge=0, le=strokes.BOX)]]
_decode = msgspec.json.Decoder(Line[_RawStrokes]).decode
_decode_simplified = msgspec.json.Decoder(Line[list[tuple[_Axis, _Axis]]]).decode
_decode_lines = msgspec.json.Decoder(Line[msgspec.Raw]).decode_lines
_decode_any = msgspec.json.Decoder().decode
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def parse_simplified(
    text: bytes, word: str | None = "", layout: str = AXES
) -> Drawing | None:
    """Parses a line of a simplified file.

    Args:
      text: one JSON object.
      word: class name of lines that have none; None if none is needed.
      layout: layout of the strokes, see `strokes.find_layout`.

    Returns:
      The drawing, or None if the line is blank.

    Raises:
      ValueError: not a simplified drawing; the message is `kind[: detail]`.
    """
    if not text.strip():
        return None
    _check_length(text)
    if layout == AXES:
        try:
            line = _decode_simplified(text)
            return _to_drawing(line, strokes.to_points(line.drawing).tobytes(), word)
        except _NOT_JSON:
            pass  # parse_line accepts more, or has the plainer reason
    loose = parse_line(text, layout)
    strokes.check_strokes(loose.drawing)
    drawing = [[list(map(_to_integer, axis)) for axis in s] for s in loose.drawing]
    if not strokes.is_simplified(drawing):
        raise ValueError(
            "not simplified: other drawings of the file have two axes of integers in "
            f"0..{strokes.BOX}"
        )
    return _to_drawing(loose, strokes.to_points(drawing).tobytes(), word)


def parse_all_simplified(text: bytes, word: str | None = "") -> list[Parsed]:
    """Parses lines of a simplified file at once, much faster than one by one.

    Returns:
      For each line what `parse_simplified` returns or raises.
    """
    texts = text.removesuffix(b"\n").split(b"\n")
    lines = _decode_all(text, len(texts))
    if lines is None:
        return [parse_or_error(parse_simplified, text, word) for text in texts]
    packed = pack_json([bytes(line.drawing) for line in lines])
    words = {line.word: _normalize_or_empty(line.word) for line in lines}
    return [
        _make_drawing(line, points, words[line.word], word is not None)
        if points and words[line.word]
        else parse_or_error(parse_simplified, text, word)
        for line, points, text in zip(lines, packed, texts)
    ]


def parse_raw(text: bytes, word: str | None = "", layout: str = AXES) -> Drawing | None:
    """Parses and simplifies a line of a raw file.

    Args:
      text: one JSON object.
      word: class name of lines that have none; None if none is needed.
      layout: layout of the strokes, see `strokes.find_layout`.

    Returns:
      The drawing, or None if the line is blank.

    Raises:
      ValueError: not a drawing; the message is `kind[: detail]`.
    """
    if not text.strip():
        return None
    _check_length(text)
    line = parse_line(text, layout)
    points = strokes.to_points(simplification.simplify(line.drawing))
    return _to_drawing(line, points.tobytes(), word)


def parse_raw_with_times(
    text: bytes, word: str | None = "", layout: str = AXES
) -> Drawing | None:
    """Parses a line of a raw file with times; like `parse_raw`, but stricter.

    Raises:
      ValueError: not a drawing, or a simplified one; the message is `kind[: detail]`.
    """
    drawing = parse_raw(text, word, layout)
    if drawing and strokes.is_simplified(parse_line(text, layout).drawing):
        raise ValueError(
            "simplified: other drawings of the file are raw; --input_format=raw "
            "accepts both"
        )
    return drawing


def parse_line(text: bytes, layout: str = AXES) -> Line[_RawStrokes]:
    """Parses one JSON object, simplified or raw, and returns its strokes as axes.

    Raises:
      ValueError: not JSON, or not a drawing.
    """
    line = parse_object(text)
    axes = strokes.to_axes(line.drawing, layout)
    if axes is line.drawing:
        return line
    return msgspec.structs.replace(line, drawing=axes)


def parse_object(text: bytes) -> Line[_RawStrokes]:
    """Parses one JSON object; its strokes may be axes or points.

    Raises:
      ValueError: not JSON, or not a drawing.
    """
    try:
        return _decode(text)
    except msgspec.ValidationError as error:
        return _parse_loosely(text, error)
    except _NOT_JSON as error:
        raise ValueError(f"malformed JSON: {error}") from None


# --- Objects in other than the published form -----------------------------------------


def _parse_loosely(text: bytes, reason: msgspec.ValidationError) -> Line[_RawStrokes]:
    """Parses an object whose metadata or strokes have other types than published.

    Args:
      text: valid JSON.
      reason: why it does not have the published form.

    Raises:
      ValueError: not a drawing.
    """
    try:
        content = _decode_any(text)
    except _NOT_JSON as error:
        raise ValueError(f"malformed JSON: {error}") from None
    if isinstance(content, list):
        content = {"drawing": content}
    if not isinstance(content, dict) or "drawing" not in content:
        raise ValueError(f"not a drawing: {reason}")
    word = content.get("word")
    if not isinstance(word, str | None):
        raise ValueError(f"invalid word: not text. Received: {word!r}"[:200])
    return Line(
        drawing=_to_strokes(content["drawing"]),
        word=word,
        key_id=_to_key(content.get("key_id")),
        countrycode=_to_text(content.get("countrycode", content.get("country_code"))),
        timestamp=_to_timestamp(content.get("timestamp")),
        recognized=_to_recognized(content.get("recognized")),
    )


def _to_strokes(value: Any) -> _RawStrokes:
    """Converts strokes, or JSON text of strokes, of any layout.

    Besides lists of numbers these are `{"x": [[…], …], "y": …}` as Hugging Face has it,
    and points `{"x": …, "y": …, "time": …}` as signature_pad writes them.
    """
    with contextlib.suppress(*_NOT_JSON, TypeError, ValueError, KeyError):
        if isinstance(value, str):
            value = _decode_any(value)
        if isinstance(value, dict):
            value = list(
                zip(*(value[name] for name in _axis_names(value)), strict=True)
            )
        value = [_to_stroke(stroke) for stroke in value]
    try:
        return msgspec.convert(value, _RawStrokes)
    except msgspec.ValidationError as error:
        raise ValueError(f"not a drawing: {error}") from None


def _to_stroke(stroke: Any) -> Any:
    if isinstance(stroke, dict):
        if "points" not in stroke:
            return [list(stroke[name]) for name in _axis_names(stroke)]
        stroke = stroke["points"]
    if stroke and all(isinstance(point, dict) for point in stroke):
        return [[point[name] for point in stroke] for name in _axis_names(stroke[0])]
    return stroke


def _axis_names(fields: dict[str, Any]) -> list[str]:
    return ["x", "y", *(name for name in ("t", "time") if name in fields)]


def _to_integer(value: float) -> float:
    """Converts a whole number to int; JSON of numpy and pandas often has floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _to_key(value: Any) -> str | int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str | int) and value is not True else None


def _to_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _to_timestamp(value: Any) -> str | None:
    """Converts Unix seconds or milliseconds to the published form."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _to_text(value)
    if not math.isfinite(value):
        return None
    return format_timestamp(value if abs(value) < 1e11 else value / 1000)


_RECOGNIZED = {
    **dict.fromkeys(("true", "1", "1.0"), True),
    **dict.fromkeys(("false", "0", "0.0"), False),
}


def _to_recognized(value: Any) -> bool | None:
    return _RECOGNIZED.get(str(value).lower())


# --- From object to drawing -----------------------------------------------------------


def _check_length(text: bytes) -> None:
    if len(text) > MAX_LINE_BYTES:
        raise ValueError("line too long")


def _decode_all(text: bytes, count: int) -> list[Line[msgspec.Raw]] | None:
    """Decodes lines that hold one JSON object each, except for their drawings.

    Returns:
      None if the lines must be parsed one by one.
    """
    text = text.removesuffix(b"\n")
    # msgspec accepts any white space between objects. If each line starts and ends with
    # a brace, no object spans two lines, as there is no comma between them.
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


def _normalize_or_empty(word: str | None) -> str:
    """Returns a normalized word, or nothing if the line needs a closer look."""
    try:
        return normalize_word(word or "")
    except ValueError:
        return ""


def _to_drawing(line: Line[Any], packed: bytes, default_word: str | None) -> Drawing:
    """Makes the drawing of a line.

    Args:
      line: the line, whose strokes are packed already.
      packed: the bytes of its points.
      default_word: class name if the line has none; None if none is needed.
    """
    word = normalize_word(line.word or "") or default_word
    if word == "":
        raise ValueError("no word")
    return _make_drawing(line, packed, word or "", default_word is not None)


def _make_drawing(
    line: Line[Any], packed: bytes, word: str, needs_key: bool
) -> Drawing:
    return Drawing(
        word=word,
        key_id=str(line.key_id or (content_key(word, packed) if needs_key else "")),
        countrycode=line.countrycode or line.country_code or "",
        timestamp=line.timestamp or "",
        recognized=schema.RECOGNIZED_VALUES[line.recognized],
        packed=packed,
    )
