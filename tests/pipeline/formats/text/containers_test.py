"""ndjson, JSON documents and CSV hold the same drawings."""

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.formats import registry
from pipeline.formats.blocks import UnreadableFileError
from pipeline.formats.drawing import Drawing
from pipeline.formats.text import json_documents

RECORDS = [
    {
        "word": word,
        "countrycode": "DE",
        "timestamp": "2017-03-01 20:41:36.7 UTC",
        "recognized": True,
        "key_id": str(5891796615823360 + number),
        "drawing": [[[0, 255, number], [9, 0, 7]], [[4], [5]]],
    }
    for number, word in enumerate(["cat", "zoë", 'hot, "dog"'])
]
BARE = [record["drawing"] for record in RECORDS]


def to_csv(records, separator=",", names=None):
    out = io.StringIO()
    names = names or sorted(records[0])
    writer = csv.DictWriter(out, names, delimiter=separator)
    writer.writeheader()
    for record in records:
        writer.writerow(record | {"drawing": json.dumps(record["drawing"])})
    return out.getvalue().encode()


def to_columns(records):
    """Writes records as pandas' `DataFrame.to_json` does."""
    return {
        name: {str(index): record[name] for index, record in enumerate(records)}
        for name in records[0]
    }


def dumps(value, **settings):
    return json.dumps(value, **settings).encode()


def read(data, path="drawings", input_format="auto"):
    stream = io.BytesIO(data)
    detected = registry.detect(stream, path, input_format)
    stream.seek(0)
    blocks = registry.cut(stream, path, detected)
    return [parsed for block in blocks for parsed in registry.parse(block)]


NDJSON = b"\n".join(map(dumps, RECORDS))
EXPECTED = read(NDJSON)


def test_ndjson():
    assert [drawing.word for drawing in EXPECTED] == ["cat", "zoë", 'hot, "dog"']
    assert [drawing.key_id for drawing in EXPECTED] == [r["key_id"] for r in RECORDS]


@pytest.mark.parametrize(
    "data",
    [
        NDJSON.replace(b"\n", b"\r\n") + b"\r\n",
        b"\xef\xbb\xbf" + NDJSON,
        dumps(RECORDS),
        dumps(RECORDS, indent=2),
        dumps(RECORDS, indent=2).replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + dumps(RECORDS),
        b"[" + b",\n".join(map(dumps, RECORDS)) + b"]\n",
        b"[\n" + b",\n".join(map(dumps, RECORDS)) + b"\n]\n",
        dumps({"count": 3, "drawings": RECORDS}, indent=1),
        dumps(to_columns(RECORDS)),
        dumps(to_columns(RECORDS), indent=1),
        to_csv(RECORDS),
        to_csv(RECORDS, ";"),
        to_csv(RECORDS, "\t"),
        to_csv(
            RECORDS,
            names=[
                "word",
                "key_id",
                *sorted(RECORDS[0])[:2],
                "recognized",
                "timestamp",
            ],
        ),
        b"\xef\xbb\xbf" + to_csv(RECORDS).replace(b"\r\n", b"\n"),
    ],
)
@pytest.mark.parametrize("input_format", ["auto", "simplified"])
def test_containers(data, input_format):
    assert read(data, input_format=input_format) == EXPECTED


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("value", [RECORDS[0], [RECORDS[0]]])
def test_a_single_drawing(value, indent):
    assert read(dumps(value, indent=indent)) == EXPECTED[:1]


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (BARE, 3),
        (BARE[0], 1),
        (
            [
                [{"x": 0, "y": 9}, {"x": 255, "y": 0}, {"x": 0, "y": 7}],
                [{"x": 4, "y": 5}],
            ],
            1,
        ),
        (
            [
                {"points": [{"x": 0, "y": 9}, {"x": 255, "y": 0}, {"x": 0, "y": 7}]},
                {"points": [{"x": 4, "y": 5}]},
            ],
            1,
        ),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_strokes_without_metadata(value, count, indent):
    drawings = read(dumps(value, indent=indent), "folder/cat.json")
    assert [d.packed for d in drawings] == [d.packed for d in EXPECTED[:count]]
    assert {drawing.word for drawing in drawings} == {"cat"}


def test_a_line_of_strokes_per_drawing():
    drawings = read(b"\n".join(map(dumps, BARE)), "cat.ndjson")
    assert [d.packed for d in drawings] == [d.packed for d in EXPECTED]


def test_kaggle_spells_words_with_underscores():
    records = [record | {"word": "alarm_clock"} for record in RECORDS]
    assert {drawing.word for drawing in read(to_csv(records))} == {"alarm clock"}


def test_lines_without_words_get_the_name_of_the_file():
    lines = [dumps({"drawing": drawing}) for drawing in BARE]
    named = read(b"\n".join(lines), "full_simplified_cat.ndjson")
    assert {drawing.word for drawing in named} == {"cat"}
    *good, bad = read(b"\n".join([dumps(RECORDS[0]), lines[0]]), "cat.ndjson")
    assert good == EXPECTED[:1]
    assert str(bad) == "no word"


@pytest.mark.parametrize(
    "row",
    [
        "cat,[[[1]",
        'cat,"[[[1],[2]]]",extra',
        'cat,"[[[1],[2]]],""word"":[""dog""]"',
        "cat,",
        "cat",
        'cat,"hello"',
        "\udcffat,5",
    ],
)
def test_malformed_rows_are_rejected_alone(row):
    lines = ["word,drawing", 'cat,"[[[0,255],[2,2]]]"', row, 'cat,"[[[0,255],[2,2]]]"']
    data = "\n".join(lines).encode("utf-8", "surrogateescape")
    first, rejected, last = read(data)
    assert isinstance(first, Drawing)
    assert first == last
    assert isinstance(rejected, ValueError)


def test_an_unclosed_quote_is_one_reject():
    data = (
        b'word,drawing\ncat,"[[[0,255],[2,2]]]"\ncat,"[[[0,255],[2,2]]]\n' + b"x" * 99
    )
    first, rejected = read(data)
    assert isinstance(first, Drawing)
    assert isinstance(rejected, ValueError)


def test_a_damaged_document_is_one_reject():
    (rejected,) = read(dumps(RECORDS)[:-1])
    assert str(rejected).startswith("malformed JSON: ")


@pytest.mark.parametrize(
    "data", [b"[]", b"{}", b"[1]", b'[{"a":1}]', b"[[]]", b"[[[]]]"]
)
def test_documents_without_drawings(data):
    assert not any(isinstance(parsed, Drawing) for parsed in read(data, "cat.json"))


def test_a_broken_first_line_does_not_make_lines_a_document():
    for broken in (
        dumps(RECORDS[0])[:-1],
        dumps(RECORDS[0])[1:],
        b"[" + dumps(RECORDS[0])[1:],
    ):
        rejected, *good = read(b"\n".join([broken, *map(dumps, RECORDS)]))
        assert isinstance(rejected, ValueError)
        assert good == EXPECTED


def test_a_large_document_is_refused(monkeypatch):
    monkeypatch.setattr(json_documents, "MAX_BYTES", 100)
    with pytest.raises(UnreadableFileError, match="one JSON document of more than"):
        list(json_documents.read_items(io.BytesIO(dumps(RECORDS))))


@settings(deadline=None)
@given(
    st.sampled_from([dumps(RECORDS), to_csv(RECORDS), dumps(to_columns(RECORDS))]),
    st.integers(0, 900),
    st.integers(0, 3),
    st.binary(max_size=4),
)
def test_any_damage_gives_drawings_or_named_rejects(whole, begin, length, junk):
    try:
        parsed = read(whole[:begin] + junk + whole[begin + length :], "cat.txt")
    except UnreadableFileError:
        return
    for each in parsed:
        assert isinstance(each, Drawing | ValueError | None)
