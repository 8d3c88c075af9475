"""SVG and InkML become drawings of their strokes."""

import io

import numpy as np
import pytest

from pipeline import simplification, strokes
from pipeline.formats import registry, vector_ink
from tests.conftest import reason

STROKES = [[[0, 255, 100], [0, 10, 200]], [[40, 50], [60, 0]]]


def to_svg(drawing, head='<svg xmlns="http://www.w3.org/2000/svg">'):
    paths = ("M" + " L".join(f"{x},{y}" for x, y in zip(*stroke)) for stroke in drawing)
    return (head + "".join(f'<path d="{path}"/>' for path in paths) + "</svg>").encode()


def to_inkml(drawing, trace_format="", values=lambda x, y: f"{x} {y}"):
    traces = (", ".join(values(x, y) for x, y in zip(*stroke)) for stroke in drawing)
    return (
        f'<ink xmlns="http://www.w3.org/2003/InkML">{trace_format}'
        + "".join(f"<trace>{trace}</trace>" for trace in traces)
        + "</ink>"
    ).encode()


def to_drawing(parsed):
    return strokes.to_drawing(parsed.points)


def svg_drawing(body):
    data = f'<svg xmlns="http://www.w3.org/2000/svg">{body}</svg>'.encode()
    return to_drawing(vector_ink.parse_svg(data, "cat"))


def test_paths_are_strokes():
    drawing = vector_ink.parse_svg(to_svg(STROKES), "cat")
    assert to_drawing(drawing) == simplification.simplify(STROKES)
    assert (drawing.word, drawing.recognized, drawing.is_bitmap) == ("cat", -1, False)


def test_subpaths_are_strokes():
    path = "M0,0 L255,10 100,200 M40,60 L50,0"
    assert svg_drawing(f'<path d="{path}"/>') == simplification.simplify(STROKES)


def test_relative_commands_and_closed_paths():
    square = [[[0, 255, 255, 0, 0], [0, 0, 255, 255, 0]]]
    assert svg_drawing('<path d="m5 5h10v10h-10z"/>') == square
    assert svg_drawing('<rect width="9" height="9"/>') == square
    assert svg_drawing('<polyline points="1,1 2,1 2,2 1,2 1,1"/>') == square


def test_curves_are_sampled():
    (stroke,) = svg_drawing('<circle cx="50" cy="50" r="40"/>')
    radius = np.hypot(np.array(stroke[0]) - 127.5, np.array(stroke[1]) - 127.5)
    assert np.abs(radius - 127.5).max() < 2
    (curve,) = svg_drawing('<path d="M0,0 C0,100 100,100 100,0"/>')
    assert max(curve[1]) == pytest.approx(0.75 * 255, abs=2)


def test_transforms_are_applied():
    moved = '<g transform="translate(7 3) scale(2 4)"><path d="M0,0 L10,0 L10,10"/></g>'
    assert svg_drawing(moved) == [[[0, 128, 128], [0, 0, 255]]]


def test_traces_are_strokes():
    for data in (
        to_inkml(STROKES),
        to_inkml(STROKES).replace(b"<ink ", b'<?xml version="1.0"?>\n<!-- -->\n<ink '),
        to_inkml(
            STROKES,
            '<traceFormat><channel name="T"/><channel name="Y"/><channel name="X"/>'
            "</traceFormat>",
            lambda x, y: f"7 {y}.0 {x}e0",
        ),
    ):
        drawing = vector_ink.parse_inkml(data, "cat")
        assert to_drawing(drawing) == simplification.simplify(STROKES)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "malformed XML: "),
        (to_svg(STROKES)[:-9], "malformed XML: "),
        (b"<ink></ink>", "not SVG: the root element is 'ink'"),
        (b"<svg></svg>", "no strokes"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "no strokes"),
        (
            b'<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>',
            "malformed XML: entities are not supported",
        ),
        (b" " * (vector_ink.MAX_FILE_BYTES + 1), "file too large"),
    ],
)
def test_other_svg_files_are_rejected(data, message):
    assert reason(vector_ink.parse_svg, data, "cat").startswith(message)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<svg/>", "not InkML: the root element is 'svg'"),
        (b"<ink/>", "no strokes"),
        (b"<ink><trace> </trace></ink>", "stroke without points: stroke 1"),
        (b"<ink><trace>1 2, 3</trace></ink>", "malformed trace: '1 2, 3'"),
        (b"<ink><trace>1 2, '3 4</trace></ink>", 'malformed trace: "1 2, \'3 4"'),
        (b"<ink><trace>1 2, nan 4</trace></ink>", "coordinate is not finite"),
    ],
)
def test_other_inkml_files_are_rejected(data, message):
    assert reason(vector_ink.parse_inkml, data, "cat").startswith(message)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (to_svg(STROKES), "svg"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE svg>\n' + to_svg(STROKES), "svg"),
        (to_inkml(STROKES), "inkml"),
    ],
)
def test_files_are_recognized(data, expected):
    detected = registry.detect(io.BytesIO(data), "cat/0001.xml")
    assert (detected.format, detected.word) == (expected, "cat")
