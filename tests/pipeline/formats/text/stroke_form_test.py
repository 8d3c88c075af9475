"""Files are found to be simplified or raw, axes or points, by their first lines."""

import gzip
import io
import json
from pathlib import Path

import pytest

from pipeline import simplification, strokes
from pipeline.formats.blocks import UnreadableFileError
from pipeline.formats.text import containers, ndjson_lines
from pipeline.formats.text.stroke_form import RAW, RAW_WITH_TIMES, SIMPLIFIED

GOLDEN = Path(__file__).parents[1] / "golden"

FULL = [[[0, 255], [0, 10]]]
SMALL = [[[70, 140, 90], [60, 66, 150]]]
TIMED = [[[10, 20], [5, 6], [0, 33]]]


def line(drawing=FULL, **fields):
    return json.dumps({"word": "cat", "drawing": drawing} | fields).encode()


def find_form(lines, end=b"\n", input_format="auto"):
    stream = io.BytesIO(b"\n".join(lines) + end)
    return containers.find_form(stream, input_format)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], SIMPLIFIED),
        ([b"", b"broken"], SIMPLIFIED),
        ([line()] * 3, SIMPLIFIED),
        ([line()] * 9 + [line(SMALL)], SIMPLIFIED),
        ([line([[[0.0, 255.0], [0.0, 1.0]]])], SIMPLIFIED),
        ([line(TIMED), b"broken", b"", line(TIMED), line(SMALL)], RAW_WITH_TIMES),
        ([line([[[1.5], [2]]]), line(TIMED), line(TIMED)], RAW_WITH_TIMES),
        ([line([[[1.5], [2]]])], RAW),
        ([line(SMALL), line([[[1, 256], [2, 3]]])], RAW),
        ([line(SMALL), line([[[-1, 25], [2, 3]]])], RAW),
        ([line()] * 4 + [line([[[1.5], [2]]])], SIMPLIFIED),
        ([line()] * 4 + [line(TIMED)], SIMPLIFIED),
        ([line(TIMED)] * 4 + [line()], RAW_WITH_TIMES),
        ([line()] * containers.SAMPLE_ITEMS + [line(TIMED)], SIMPLIFIED),
        ([line([[[300] * 500_000] * 2])], RAW),
        ([line([[[300] * 500_000] * 2])] * 2, RAW),
        ([line(SMALL)], RAW),
        ([line(SMALL)] * 30, RAW),
        ([line(SMALL)] * 9 + [line()], RAW),
    ],
)
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_form_of_a_file(lines, expected, end):
    assert find_form(lines, end).format == expected


def test_the_reason_is_given():
    reason = find_form([line(SMALL)] * 3).reason
    assert reason == "0 of the first 3 drawings fill the box of 255 px"


@pytest.mark.parametrize("small", [30, 50, 70])
def test_a_file_that_is_neither_names_the_flag(small):
    lines = [line(SMALL)] * small + [line()] * (100 - small)
    with pytest.raises(UnreadableFileError, match="--input_format=simplified or"):
        find_form(lines)
    assert find_form(lines, input_format="simplified").format == SIMPLIFIED
    assert find_form(lines, input_format="raw").format == RAW


def to_points(drawing):
    return [list(map(list, zip(*stroke))) for stroke in drawing]


@pytest.mark.parametrize(
    ("drawing", "expected"),
    [(FULL, SIMPLIFIED), (SMALL, RAW), (TIMED, RAW_WITH_TIMES)],
)
def test_files_of_points(drawing, expected):
    many = [*drawing, [[number] * 7 for number in range(len(drawing[0]))]]
    lines = [line(to_points(drawing)), line(to_points(many))]
    assert find_form(lines).format == f"{expected} points"


def test_lines_of_two_points_are_read_as_axes():
    assert find_form([line([[[0, 255], [3, 9]]])]).format == SIMPLIFIED


def test_whether_lines_have_words():
    assert find_form([line(word=None), line()]).has_words
    assert not find_form([line(word=None), line(word=" ")]).has_words
    assert not find_form([b'{"drawing":[[[0,255],[0,9]]]}']).has_words


def test_golden_files():
    simplified = (GOLDEN / "simplified.ndjson").read_bytes().splitlines()
    raw = (GOLDEN / "raw.ndjson").read_bytes().splitlines()
    assert find_form(simplified).format == SIMPLIFIED
    assert find_form(raw).format == RAW_WITH_TIMES
    one, two = map(ndjson_lines.parse_simplified, simplified)
    assert (one.word, one.key_id, one.recognized) == ("cat", "5891796615823360", 1)
    assert (two.word, two.timestamp) == ("cat", "2017-03-02 21:00:00 UTC")
    assert [ndjson_lines.parse_raw(text) for text in raw] == [one, two]


def test_real_files(quickdraw_dir):
    patterns = {
        "pairs/raw/*.gz": RAW_WITH_TIMES,
        "pairs/simplified/*.gz": SIMPLIFIED,
        "simplified/*.gz": SIMPLIFIED,
    }
    for pattern, expected in patterns.items():
        for path in sorted(quickdraw_dir.glob(pattern))[::3]:
            with gzip.open(path) as file:
                assert containers.find_form(file).format == expected


def test_real_raw_drawings_without_times(quickdraw_dir):
    """A few of them fit the box by chance."""
    inside_count = 0
    for path in sorted(quickdraw_dir.glob("pairs/raw/*.gz")):
        with gzip.open(path) as file:
            records = [json.loads(text) for text in file]
        for record in records:
            record["drawing"] = [stroke[:2] for stroke in record["drawing"]]
        assert find_form([json.dumps(each).encode() for each in records]).format == RAW
        inside = [r for r in records if strokes.is_simplified(r["drawing"])]
        inside_count += len(inside)
        for record in inside:
            drawing = ndjson_lines.parse_raw(json.dumps(record).encode())
            expected = simplification.simplify(record["drawing"])
            assert strokes.to_drawing(drawing.points) == expected
    assert inside_count == 12
