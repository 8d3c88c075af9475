"""Vector graphics and digital ink with one drawing per file, read as raw strokes.

    .svg     every shape is a path; every subpath is a stroke
    .inkml   every `<trace>` is a stroke

The class is in the name of the file or of its folder (see `words.word_from_path`).

Sources: https://www.w3.org/TR/SVG11/paths.html, https://www.w3.org/TR/InkML/.
"""

import io
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any, BinaryIO

from pipeline import simplification, strokes
from pipeline.formats.blocks import require_library
from pipeline.formats.drawing import Drawing, make_drawing

MAX_FILE_BYTES = 16 << 20

SAMPLES_PER_CURVE = 32
"""Points on a curve of a path; simplification drops those that are not needed."""

RawStrokes = list[list[list[float]]]


def read_svg(stream: BinaryIO) -> Iterator[bytes]:
    """Yields the single drawing of an SVG file; only the beginning if too large.

    Raises:
      UnreadableFileError: svgelements is not installed.
    """
    require_library("svgelements", "svg")
    yield stream.read(MAX_FILE_BYTES + 1)


def read_inkml(stream: BinaryIO) -> Iterator[bytes]:
    """Yields the single drawing of an InkML file; only the beginning if too large."""
    yield stream.read(MAX_FILE_BYTES + 1)


def parse_svg(data: bytes, word: str | None = "") -> Drawing:
    """Makes a drawing of the paths of an SVG file.

    Raises:
      ValueError: not such a file; the message is `kind[: detail]`.
    """
    return _to_drawing(_svg_strokes(data), word)


def parse_inkml(data: bytes, word: str | None = "") -> Drawing:
    """Makes a drawing of the traces of an InkML file.

    Raises:
      ValueError: not such a file; the message is `kind[: detail]`.
    """
    return _to_drawing(_inkml_strokes(data), word)


def _to_drawing(raw: RawStrokes, word: str | None) -> Drawing:
    points = strokes.to_points(simplification.simplify(raw))
    return make_drawing(word, points.tobytes())


def _parse_xml(data: bytes) -> ElementTree.Element:
    if len(data) > MAX_FILE_BYTES:
        raise ValueError("file too large")
    if b"<!ENTITY" in data:  # a small file may expand to gigabytes
        raise ValueError("malformed XML: entities are not supported")
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise ValueError(f"malformed XML: {error}") from None


def _svg_strokes(data: bytes) -> RawStrokes:
    import svgelements

    root = _parse_xml(data)
    if root.tag.rpartition("}")[2] != "svg":
        raise ValueError(f"not SVG: the root element is {root.tag!r}")
    try:
        svg = svgelements.SVG.parse(io.BytesIO(data))
        shapes = [e for e in svg.elements() if isinstance(e, svgelements.Shape)]
        return [
            _subpath_points(subpath)
            for shape in shapes
            for subpath in svgelements.Path(shape).as_subpaths()
        ]
    except Exception as error:  # svgelements raises many types on malformed values
        raise ValueError(f"malformed SVG: {error or type(error).__name__}") from None


def _subpath_points(subpath: Any) -> list[list[float]]:
    import svgelements

    points: list[Any] = []
    for segment in subpath:
        if isinstance(segment, svgelements.Move):
            points = [segment.end]
        elif isinstance(segment, svgelements.Line | svgelements.Close):
            points.append(segment.end)
        else:
            positions = range(1, SAMPLES_PER_CURVE + 1)
            points += [segment.point(i / SAMPLES_PER_CURVE) for i in positions]
    return [
        [float(point.x) for point in points if point is not None],
        [float(point.y) for point in points if point is not None],
    ]


def _inkml_strokes(data: bytes) -> RawStrokes:
    root = _parse_xml(data)
    if root.tag.rpartition("}")[2] != "ink":
        raise ValueError(f"not InkML: the root element is {root.tag!r}")
    channels = ["X", "Y"]
    raw: RawStrokes = []
    for element in root.iter():
        name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        if name == "traceFormat":
            channels = [
                child.get("name", "")
                for child in element
                if isinstance(child.tag, str) and child.tag.endswith("channel")
            ]
        elif name == "trace":
            raw.append(_trace_points(element.text or "", channels))
    return raw


def _trace_points(text: str, channels: list[str]) -> list[list[float]]:
    """Parses `x y, x y, …`; the channels name the values of a point."""
    try:
        x, y = channels.index("X"), channels.index("Y")
        points = [point.split() for point in text.split(",") if point.strip()]
        return [[float(point[axis]) for point in points] for axis in (x, y)]
    except (ValueError, IndexError):
        raise ValueError(f"malformed trace: {text[:40].strip()!r}") from None
