"""Published lines become drawings; of whatever else there is, the reason is said."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import formats

STROKES = [[[0, 255], [0, 10]]]
POINTS = [[0, 0, 0], [255, 10, 1]]


def line(**fields):
    return json.dumps({"word": "cat", "drawing": STROKES} | fields).encode()


def test_a_published_line():
    drawing = formats.parse_drawing(
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
    drawing = formats.parse_drawing(line(**fields))
    assert (drawing.countrycode, drawing.timestamp, drawing.recognized) == ("", "", -1)
    assert drawing.key_id == "9589ba31ab13529c"
    assert drawing.points.tolist() == POINTS


@pytest.mark.parametrize(("given", "kept"), [(True, 1), (False, 0), (None, -1)])
def test_recognized(given, kept):
    assert formats.parse_drawing(line(recognized=given)).recognized == kept


@pytest.mark.parametrize("key_id", [5891796615823360, 2**64, 10**400])
def test_a_key_may_be_an_integer(key_id):
    assert formats.parse_drawing(line(key_id=key_id)).key_id == str(key_id)


def test_content_keys_are_pinned():
    points = formats.parse_drawing(line()).points
    assert formats.content_key("cat", points) == "9589ba31ab13529c"
    assert formats.content_key("dog", points) == "366666179fa5490c"
    assert formats.content_key("w" * 100, points) == formats.content_key(
        "w" * 64, points
    )


def test_another_drawing_has_another_content_key():
    # The pen too: two strokes of a point each are not one stroke of two.
    drawings = ([[[0, 255], [0, 11]]], [[[0], [0]], [[255], [10]]], STROKES)
    keys = {formats.parse_drawing(line(drawing=drawing)).key_id for drawing in drawings}
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
def test_a_raw_line_is_simplified(drawing):
    assert formats.parse_drawing(line(drawing=drawing)).points.tolist() == POINTS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "malformed JSON: "),
        (b"{", "malformed JSON: "),
        (line()[:-1], "malformed JSON: "),
        (line() * 2, "malformed JSON: "),
        (b"\xef\xbb\xbf" + line(), "malformed JSON: "),
        (line().replace(b"255", b"NaN"), "malformed JSON: "),
        (line().replace(b"255", b"Infinity"), "malformed JSON: "),
        (line().replace(b"255", b"1e999"), "not a drawing: Number out of range"),
        (line().replace(b"255", b"1e308"), "coordinates too far apart"),
        (line(drawing=[[[10**400, 0], [0, 1]]]), "coordinate is no number: stroke 1"),
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
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        formats.parse_drawing(text)
    assert str(caught.value).startswith(reason)


@given(st.binary())
def test_no_bytes_raise_anything_but_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011
        formats.parse_drawing(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)


@given(json_values, json_values, json_values)
def test_whatever_parses_can_be_encoded(drawing, word, key_id):
    try:
        parsed = formats.parse_drawing(line(drawing=drawing, word=word, key_id=key_id))
    except ValueError:
        return
    parsed.word.encode()
    parsed.key_id.encode()
    assert parsed.points[-1, 2] == 1


def test_a_line_to_be_guessed_needs_no_word():
    assert formats.parse_line(b'{"drawing":[[[1],[2]]]}').word is None
