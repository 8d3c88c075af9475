"""Lines and items of JSON become drawings, or are rejected with a reason."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import strokes
from pipeline.formats import drawing as drawings
from pipeline.formats.text import ndjson_lines

GOLDEN = Path(__file__).parents[1] / "golden"
PARSERS = (
    ndjson_lines.parse_simplified,
    ndjson_lines.parse_raw,
    ndjson_lines.parse_raw_with_times,
)

STROKES = [[[0, 255], [0, 10]]]
POINTS = [[0, 0, 0], [255, 10, 1]]
TIMED = b'{"drawing":[[[1],[2],[3]]]}'


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
def test_missing_metadata_is_empty(fields):
    drawing = ndjson_lines.parse_simplified(line(**fields))
    assert (drawing.countrycode, drawing.timestamp, drawing.recognized) == ("", "", -1)
    assert drawing.key_id == "9589ba31ab13529c"
    assert drawing.points.tolist() == POINTS


@pytest.mark.parametrize(
    ("published", "recognized"),
    [
        *((True, 1), (1, 1), (1.0, 1), ("true", 1), ("True", 1)),
        *((False, 0), (0, 0), (0.0, 0), ("false", 0)),
        *((None, -1), ("maybe", -1), ([], -1), (7, -1)),
    ],
)
def test_recognized(published, recognized):
    drawing = ndjson_lines.parse_simplified(line(recognized=published))
    assert drawing.recognized == recognized


@pytest.mark.parametrize(
    ("published", "timestamp"),
    [
        ("2017-03-01 20:41:36.7 UTC", "2017-03-01 20:41:36.7 UTC"),
        (1485553794, "2017-01-27 21:49:54 UTC"),
        (1485553794.5, "2017-01-27 21:49:54 UTC"),
        (1485553794000, "2017-01-27 21:49:54 UTC"),
        *((0, ""), (True, ""), (1e300, ""), (-1e14, ""), ({}, "")),
    ],
)
def test_timestamp(published, timestamp):
    drawing = ndjson_lines.parse_simplified(line(timestamp=published))
    assert drawing.timestamp == timestamp


@pytest.mark.parametrize("name", ["countrycode", "country_code"])
@pytest.mark.parametrize("recognized", [True, 1])
def test_country_code(name, recognized):
    text = line(**{name: "DE"}, recognized=recognized)
    assert ndjson_lines.parse_simplified(text).countrycode == "DE"
    (drawing,) = ndjson_lines.parse_all_simplified(text)
    assert drawing.countrycode == "DE"


@pytest.mark.parametrize("key_id", [5891796615823360, 2**64, 10**400])
def test_a_key_may_be_an_integer(key_id):
    assert ndjson_lines.parse_simplified(line(key_id=key_id)).key_id == str(key_id)


def test_a_key_may_be_a_whole_float():
    text = line().replace(b"{", b'{"key_id":5.891796615823360e15,')
    assert ndjson_lines.parse_simplified(text).key_id == "5891796615823360"


@pytest.mark.parametrize("key_id", [1.5, True, [1], {"a": 1}])
def test_another_key_is_replaced_by_the_content_key(key_id):
    drawing = ndjson_lines.parse_simplified(line(key_id=key_id))
    assert drawing.key_id == "9589ba31ab13529c"


def test_content_keys_do_not_change():
    points = ndjson_lines.parse_simplified(line()).packed
    assert drawings.content_key("cat", points) == "9589ba31ab13529c"
    assert drawings.content_key("dog", points) == "366666179fa5490c"
    assert drawings.content_key("w" * 100, points) == drawings.content_key(
        "w" * 64, points
    )


def test_different_drawings_have_different_content_keys():
    # Two strokes of one point each differ from one stroke of two points.
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
def test_raw_lines_are_simplified_only_in_raw_files(drawing):
    text = line(drawing=drawing)
    for parse in (ndjson_lines.parse_raw, ndjson_lines.parse_raw_with_times):
        assert parse(text).points.tolist() == POINTS
    with pytest.raises(ValueError, match=r"^not simplified: other drawings"):
        ndjson_lines.parse_simplified(text)


def test_a_line_within_the_box_has_the_form_of_its_file():
    text = line(drawing=[[[0, 100], [0, 0]]])
    assert ndjson_lines.parse_simplified(text).points[:, 0].tolist() == [0, 100]
    assert ndjson_lines.parse_raw(text).points[:, 0].tolist() == [0, 255]
    with pytest.raises(
        ValueError, match=r"^simplified: other drawings of the file are"
    ):
        ndjson_lines.parse_raw_with_times(text)


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("text", [b"", b" ", b"\r", b"\t\n", b" " * (9 << 20)])
def test_a_blank_line_is_neither_a_drawing_nor_an_error(parse, text):
    assert parse(text) is None


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("text", [line() + b" " * (8 << 20), b"x" * (9 << 20)])
def test_a_line_over_the_limit_is_rejected(parse, text):
    with pytest.raises(ValueError, match=r"^line too long$"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "malformed JSON: "),
        (line()[:-1], "malformed JSON: "),
        (line() * 2, "malformed JSON: "),
        (line().replace(b"255", b"NaN"), "malformed JSON: "),
        (line().replace(b"255", b"Infinity"), "malformed JSON: "),
        (line().replace(b"255", b"1e999"), "malformed JSON: Number out of range"),
        (line().replace(b"255", b"1e308"), "coordinates too far apart"),
        (
            line(drawing=[[[10**400, 0], [0, 1]]]),
            "coordinate is not a number: stroke 1",
        ),
        (line().replace(b"255", b"9" * 5000), "malformed JSON: Integer value out of"),
        (line(word="\ud800"), "malformed JSON: "),
        (line(key_id="\udfff"), "malformed JSON: "),
        (line().replace(b"cat", b"\xed\xa0\x80"), "malformed JSON: "),
        (line().replace(b"cat", b"\xff"), "malformed JSON: "),
        (b"[" * 100_000, "malformed JSON: maximum recursion depth"),
        (b'{"x":' * 100_000, "malformed JSON: maximum recursion depth"),
        (
            line(drawing=1).replace(b"1", b"[" * 100_000),
            "malformed JSON: maximum recurs",
        ),
        (b"5", "not a drawing: Expected `object`, got `int`"),
        (b"null", "not a drawing: Expected `object`, got `null`"),
        (b'{"word":"cat"}', "not a drawing: Object missing required field `drawing`"),
        (line(drawing=None), "not a drawing: Expected `array`, got `null`"),
        (line(drawing=[[["1"], [1]]]), "not a drawing: Expected `int | float`"),
        (line(drawing=[[[True], [1]]]), "not a drawing: Expected `int | float`"),
        (line(drawing=[[[None], [1]]]), "not a drawing: Expected `int | float`"),
        (line(drawing="[[[1],[1]]"), "not a drawing: Expected `array`, got `str`"),
        (line(drawing={"x": [[1]]}), "not a drawing: Expected `array`, got `object`"),
        (line(word=7), "invalid word: not text. Received: 7"),
        (line(word="a\nb"), "invalid word: control character in 'a\\nb'"),
        (line(word=" "), "no word"),
        (line(word=None), "no word"),
        (line(word=""), "no word"),
        (b'{"drawing":[[[1],[1]]]}', "no word"),
        (line(drawing=[]), "no strokes"),
        (line(drawing=[[]]), "stroke without x and y: stroke 1"),
        (line(drawing=[[[], []]]), "stroke without points: stroke 1"),
        (line(drawing=[[[1, 2], [1]]]), "unequal x and y: stroke 1 has 2 x but 1 y"),
    ],
)
def test_other_lines_are_rejected_with_a_reason(text, reason):
    for parse in PARSERS:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            parse(text)
        message = str(caught.value)
        assert message.startswith((reason, "not simplified: other drawings"))
        assert message.startswith(reason) or parse is ndjson_lines.parse_simplified


@given(st.binary())
def test_bytes_raise_nothing_but_value_error(text):
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
def test_parsed_lines_can_be_encoded(drawing, word, key_id):
    text = line(drawing=drawing, word=word, key_id=key_id)
    for parse in PARSERS:
        try:
            parsed = parse(text)
        except ValueError:
            continue
        parsed.word.encode()
        parsed.key_id.encode()
        assert parsed.points[-1, 2] == 1


def test_a_line_to_be_classified_needs_no_word():
    text = b'{"drawing":[[[1],[2]]]}'
    assert ndjson_lines.parse_line(text).word is None
    for parse in (*PARSERS[:2], lambda text, word: PARSERS[2](TIMED, word)):
        drawing = parse(text, None)
        assert (drawing.word, drawing.key_id) == ("", "")
    (drawing,) = ndjson_lines.parse_all_simplified(line(key_id=5), None)
    assert (drawing.word, drawing.key_id) == ("cat", "5")


def test_a_line_without_a_word_has_the_default_word():
    text = b'{"drawing":[[[1],[2]]]}'
    assert ndjson_lines.parse_simplified(text, "dog").word == "dog"
    assert ndjson_lines.parse_all_simplified(text, "dog")[0].word == "dog"
    assert ndjson_lines.parse_simplified(line(), "dog").word == "cat"


@pytest.mark.parametrize(
    "drawing",
    [
        json.dumps(STROKES),
        [[[0.0, 255.0], [0, 10]]],
        {"x": [[0, 255]], "y": [[0, 10]]},
        [{"x": [0, 255], "y": [0, 10]}],
        [[{"x": 0, "y": 0}, {"x": 255, "y": 10}]],
        [{"penColor": "black", "points": [{"x": 0, "y": 0}, {"x": 255, "y": 10}]}],
    ],
)
def test_other_ways_to_write_strokes(drawing):
    text = line(drawing=drawing)
    expected = ndjson_lines.parse_simplified(line())
    assert ndjson_lines.parse_simplified(text) == expected
    assert ndjson_lines.parse_all_simplified(text) == [expected]


def test_a_line_may_be_strokes_alone():
    drawing = ndjson_lines.parse_simplified(json.dumps(STROKES).encode(), "cat")
    assert drawing == ndjson_lines.parse_simplified(line())


def test_times_are_kept_as_a_third_axis():
    points = [[{"x": 0, "y": 0, "time": 7}, {"x": 255, "y": 10, "time": 9}]]
    assert ndjson_lines.parse_line(line(drawing=points)).drawing == [
        [[0, 255], [0, 10], [7, 9]]
    ]


@pytest.mark.parametrize(
    ("drawing", "reason"),
    [
        ([[[1], [1], []]], "unequal axes: stroke 1"),
        ([[[1]] * 6], "too many axes: stroke 1 has 6, at most 5"),
    ],
)
def test_axes_that_do_not_fit_are_rejected(drawing, reason):
    for parse in PARSERS:
        with pytest.raises(ValueError, match=f"^{reason}"):
            parse(line(drawing=drawing))


def test_points_are_read_in_a_file_of_points_only():
    text = line(drawing=[[[0, 0], [255, 10]], [[3, 4]]])
    drawing = ndjson_lines.parse_simplified(text, layout=strokes.POINTS)
    assert drawing.points.tolist() == [[0, 0, 0], [255, 10, 1], [3, 4, 1]]
    with pytest.raises(ValueError, match=r"^stroke without x and y: stroke 2"):
        ndjson_lines.parse_simplified(text)
    with pytest.raises(ValueError, match=r"^not points: "):
        ndjson_lines.parse_simplified(
            line(drawing=[[[1, 2, 3], [4, 5]]]), layout=strokes.POINTS
        )
