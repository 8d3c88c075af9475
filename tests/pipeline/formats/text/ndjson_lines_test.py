"""Published lines become drawings; of whatever else there is, the reason is said."""

import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import simplification, strokes
from pipeline.formats import drawing as drawings
from pipeline.formats import ndjson_lines

GOLDEN = Path(__file__).parent / "golden"
PARSERS = (
    ndjson_lines.parse_simplified,
    ndjson_lines.parse_raw,
    ndjson_lines.parse_raw_with_times,
)

STROKES = [[[0, 255], [0, 10]]]
POINTS = [[0, 0, 0], [255, 10, 1]]


def line(**fields):
    return json.dumps({"word": "cat", "drawing": STROKES} | fields).encode()


def test_a_published_line():
    drawing = ndjson_lines.parse_simplified(
        b'{"word":"zo\xc3\xab","countrycode":"AE",'
        b'"timestamp":"2017-03-01 20:41:36.7 UTC","recognized":true,'
        b'"key_id":"5152802093400064",'
        b'"drawing":[[[167,109],[140,194]],[[3],[4]]]}\r\n'
    )
    assert drawing.word == "zoë"
    assert drawing.countrycode == "AE"
    assert drawing.timestamp == "2017-03-01 20:41:36.7 UTC"
    assert drawing.recognized == 1
    assert drawing.key_id == "5152802093400064"
    assert drawing.points.tolist() == [[167, 140, 0], [109, 194, 1], [3, 4, 1]]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        dict.fromkeys(("key_id", "countrycode", "timestamp", "recognized")),
        {"key_id": "", "something": {"else": [1]}},
        {"key_id": 0},
    ],
)
def test_what_is_missing_or_null_is_empty(fields):
    drawing = ndjson_lines.parse_simplified(line(**fields))
    assert (drawing.countrycode, drawing.timestamp, drawing.recognized) == ("", "", -1)
    assert drawing.key_id == "9589ba31ab13529c"
    assert drawing.points.tolist() == POINTS


@pytest.mark.parametrize(("given", "kept"), [(True, 1), (False, 0), (None, -1)])
def test_recognized(given, kept):
    assert ndjson_lines.parse_simplified(line(recognized=given)).recognized == kept


@pytest.mark.parametrize("key_id", [5891796615823360, 2**64, 10**400])
def test_a_key_may_be_an_integer(key_id):
    assert ndjson_lines.parse_simplified(line(key_id=key_id)).key_id == str(key_id)


def test_content_keys_are_pinned():
    points = ndjson_lines.parse_simplified(line()).packed
    assert drawings.content_key("cat", points) == "9589ba31ab13529c"
    assert drawings.content_key("dog", points) == "366666179fa5490c"
    assert drawings.content_key("w" * 100, points) == drawings.content_key(
        "w" * 64, points
    )


def test_another_drawing_has_another_content_key():
    # The pen too: two strokes of a point each are not one stroke of two.
    drawings = ([[[0, 255], [0, 11]]], [[[0], [0]], [[255], [10]]], STROKES)
    keys = {
        ndjson_lines.parse_simplified(line(drawing=drawing)).key_id
        for drawing in drawings
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    "drawing",
    [
        [[[10, 520], [0, 20], [0, 33]]],
        [[[0.5, 1.5], [0, 1 / 25.5]]],
        [[[-1, 0], [0, 1 / 25.5]]],
        [[[0, 510], [0, 20]]],
        [[[10**25, 2 * 10**25], [0, 10**25 / 25.5]]],
    ],
)
def test_a_raw_line_is_simplified_in_a_raw_file_alone(drawing):
    text = line(drawing=drawing)
    for parse in (ndjson_lines.parse_raw, ndjson_lines.parse_raw_with_times):
        assert parse(text).points.tolist() == POINTS
    with pytest.raises(ValueError, match=r"^not simplified, as its file is: Expected"):
        ndjson_lines.parse_simplified(text)


def test_what_fits_the_box_is_as_its_file_is():
    text = line(drawing=[[[0, 100], [0, 0]]])
    assert ndjson_lines.parse_simplified(text).points[:, 0].tolist() == [0, 100]
    assert ndjson_lines.parse_raw(text).points[:, 0].tolist() == [0, 255]
    with pytest.raises(ValueError, match=r"^simplified, its file is raw: --input_for"):
        ndjson_lines.parse_raw_with_times(text)


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("text", [b"", b" ", b"\r", b"\t\n", b" " * (9 << 20)])
def test_a_blank_line_is_no_drawing_and_no_error(parse, text):
    assert parse(text) is None


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("text", [line() + b" " * (8 << 20), b"x" * (9 << 20)])
def test_a_line_over_the_limit_is_refused(parse, text):
    with pytest.raises(ValueError, match=r"^line too long$"):
        parse(text)


TIMED = [[[10, 20], [5, 6], [0, 33]]]


@pytest.mark.parametrize(
    ("lines_of_file", "expected"),
    [
        ([], ndjson_lines.SIMPLIFIED),
        ([b"", b"broken"], ndjson_lines.SIMPLIFIED),
        ([line()] * 3, ndjson_lines.SIMPLIFIED),
        ([line(), b"broken", b"", line(drawing=TIMED)], ndjson_lines.RAW_WITH_TIMES),
        ([line(), line(drawing=[[[1.0], [2]]])], ndjson_lines.RAW),
        ([line(), line(drawing=[[[1, 256], [2, 3]]])], ndjson_lines.RAW),
        ([line(), line(drawing=[[[-1, 25], [2, 3]]])], ndjson_lines.RAW),
        (
            [line(drawing=[[[1.5], [2]]]), line(drawing=TIMED)],
            ndjson_lines.RAW_WITH_TIMES,
        ),
        (
            [line()] * ndjson_lines.LOOK_LINES + [line(drawing=TIMED)],
            ndjson_lines.SIMPLIFIED,
        ),
        ([line(drawing=[[[300] * 500_000] * 2])], ndjson_lines.RAW),
        ([line(drawing=[[[300] * 500_000] * 2]), line()], ndjson_lines.RAW),
    ],
)
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_the_first_lines_tell_the_format_of_a_file(lines_of_file, expected, end):
    stream = io.BytesIO(b"\n".join(lines_of_file) + end)
    assert ndjson_lines.find_format(stream) == expected


def test_golden_files():
    simplified = (GOLDEN / "simplified.ndjson").read_bytes()
    raw = (GOLDEN / "raw.ndjson").read_bytes()
    assert ndjson_lines.find_format(io.BytesIO(simplified)) == ndjson_lines.SIMPLIFIED
    assert ndjson_lines.find_format(io.BytesIO(raw)) == ndjson_lines.RAW_WITH_TIMES
    one, two = map(ndjson_lines.parse_simplified, simplified.splitlines())
    assert (one.word, one.key_id, one.recognized) == ("cat", "5891796615823360", 1)
    assert (two.word, two.timestamp) == ("cat", "2017-03-02 21:00:00 UTC")
    assert [ndjson_lines.parse_raw(text) for text in raw.splitlines()] == [one, two]


def test_real_raw_files_are_raw_and_simplified_ones_are_not(quickdraw_dir):
    for kind, expected in (
        ("raw", ndjson_lines.RAW_WITH_TIMES),
        ("simplified", ndjson_lines.SIMPLIFIED),
    ):
        for path in sorted(quickdraw_dir.glob(f"pairs/{kind}/*.gz")):
            with gzip.open(path) as file:
                assert ndjson_lines.find_format(file) == expected


def test_real_raw_drawings_in_the_box_are_simplified_with_their_file(quickdraw_dir):
    """Those that fit it by chance, without the times that tell them apart."""
    found = 0
    for path in sorted(quickdraw_dir.glob("pairs/raw/*.gz")):
        with gzip.open(path) as file:
            texts = [json.loads(text) for text in file]
        for record in texts:
            record["drawing"] = [stroke[:2] for stroke in record["drawing"]]
        inside = [r for r in texts if strokes.is_simplified(r["drawing"])]
        found += len(inside)
        head = "\n".join(map(json.dumps, texts)).encode()
        assert ndjson_lines.find_format(io.BytesIO(head)) == ndjson_lines.RAW
        for record in inside:
            drawing = ndjson_lines.parse_raw(json.dumps(record).encode())
            assert strokes.to_drawing(drawing.points) == simplification.simplify(
                record["drawing"]
            )
    assert found == 12


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "malformed JSON: "),
        (line()[:-1], "malformed JSON: "),
        (line() * 2, "malformed JSON: "),
        (b"\xef\xbb\xbf" + line(), "malformed JSON: "),
        (line().replace(b"255", b"NaN"), "malformed JSON: "),
        (line().replace(b"255", b"Infinity"), "malformed JSON: "),
        (line().replace(b"255", b"1e999"), "not a drawing: Number out of range"),
        (line().replace(b"255", b"1e308"), "coordinates too far apart"),
        (
            line(drawing=[[[10**400, 0], [0, 1]]]),
            "coordinate is not a number: stroke 1",
        ),
        (line().replace(b"255", b"9" * 5000), "not a drawing: Integer value out of"),
        (line(word="\ud800"), "malformed JSON: "),
        (line(key_id="\udfff"), "malformed JSON: "),
        (line().replace(b"cat", b"\xed\xa0\x80"), "malformed JSON: "),
        (line().replace(b"cat", b"\xff"), "malformed JSON: "),
        (b"[" * 100_000, "not a drawing: Expected `object`, got `array`"),
        (b'{"x":' * 100_000, "malformed JSON: maximum recursion depth"),
        (line(drawing=1).replace(b"1", b"[" * 100_000), "not a drawing: Expected `int"),
        (b"5", "not a drawing: Expected `object`, got `int`"),
        (b"null", "not a drawing: Expected `object`, got `null`"),
        (b'{"word":"cat"}', "not a drawing: Object missing required field `drawing`"),
        (line(drawing=None), "not a drawing: Expected `array`, got `null`"),
        (line(drawing=[[["1"], [1]]]), "not a drawing: Expected `int | float`"),
        (line(drawing=[[[True], [1]]]), "not a drawing: Expected `int | float`"),
        (line(drawing=[[[None], [1]]]), "not a drawing: Expected `int | float`"),
        (line(recognized="true"), "not a drawing: Expected `bool | null`"),
        (line(key_id=1.5), "not a drawing: Expected `int | str | null`"),
        (line(countrycode=7), "not a drawing: Expected `str | null`"),
        (line(timestamp=7), "not a drawing: Expected `str | null`"),
        (line(word=7), "not a drawing: Expected `str | null`"),
        (line(word=None), "no word"),
        (line(word=""), "no word"),
        (b'{"drawing":[[[1],[1]]]}', "no word"),
        (line(drawing=[]), "no strokes"),
        (line(drawing=[[]]), "stroke without x and y: stroke 1"),
        (line(drawing=[[[], []]]), "stroke without points: stroke 1"),
        (line(drawing=[[[1, 2], [1]]]), "unequal x and y: stroke 1 has 2 x but 1 y"),
    ],
)
def test_what_is_no_drawing_is_refused_with_the_reason(text, reason):
    for parse in PARSERS:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            parse(text)
        told = str(caught.value)
        assert told.startswith((reason, "not simplified, as its file is: Expected"))
        assert told.startswith(reason) or parse is ndjson_lines.parse_simplified


@given(st.binary())
def test_no_bytes_raise_anything_but_value_error(text):
    for parse in PARSERS:
        if text.strip():
            with pytest.raises(ValueError):  # noqa: PT011
                parse(text)
        else:
            assert parse(text) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)


@given(json_values, json_values, json_values)
def test_whatever_parses_can_be_encoded(drawing, word, key_id):
    text = line(drawing=drawing, word=word, key_id=key_id)
    for parse in PARSERS:
        try:
            parsed = parse(text)
        except ValueError:
            continue
        parsed.word.encode()
        parsed.key_id.encode()
        assert parsed.points[-1, 2] == 1


def test_a_line_to_be_guessed_needs_no_word():
    assert ndjson_lines.parse_line(b'{"drawing":[[[1],[2]]]}').word is None
