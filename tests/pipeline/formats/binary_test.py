"""Google's binary records become drawings; damage is named with its position."""

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import strokes
from pipeline.formats import binary
from pipeline.formats.text.ndjson_lines import parse_simplified
from tests.conftest import reason

GOLDEN = Path(__file__).parent / "golden"

axes = st.lists(
    st.integers(1, 300).flatmap(
        lambda n: st.tuples(*[st.binary(min_size=n, max_size=n)] * 2)
    ),
    min_size=1,
    max_size=5,
)


def record(drawing, key_id=7, country=b"AE", recognized=1, seconds=0):
    head = struct.pack("<Q2sbIH", key_id, country, recognized, seconds, len(drawing))
    return head + b"".join(
        struct.pack("<H", len(xs)) + bytes(xs) + bytes(ys) for xs, ys in drawing
    )


ONE = record([([1, 2], [3, 4])])


def read(data):
    return list(binary.read_records(io.BytesIO(data)))


def test_golden_file_equals_the_simplified_one():
    found = read((GOLDEN / "cat.bin").read_bytes())
    texts = (GOLDEN / "simplified.ndjson").read_bytes().splitlines()
    for data, text in zip(found, texts, strict=True):
        parsed, expected = binary.parse(data, "cat"), parse_simplified(text)
        assert parsed.points.tolist() == expected.points.tolist()
        assert parsed.timestamp == expected.timestamp[:19] + " UTC"
        for name in ("word", "key_id", "countrycode", "recognized", "is_bitmap"):
            assert getattr(parsed, name) == getattr(expected, name)


@given(st.lists(axes))
def test_records_are_found_wherever_a_read_ends(drawings):
    class Slow(io.BytesIO):
        def read(self, _):
            return super().read(7)

    records = [record(drawing) for drawing in drawings]
    assert list(binary.read_records(Slow(b"".join(records)))) == records
    for data, drawing in zip(records, drawings):
        found = strokes.to_drawing(binary.parse(data, "cat").points)
        assert found == [[list(xs), list(ys)] for xs, ys in drawing]


def test_unknown_metadata_is_empty():
    drawing = binary.parse(record([([1], [2])], key_id=0, country=b"\0\0"), "cat")
    assert (drawing.countrycode, drawing.timestamp) == ("", "")
    assert len(drawing.key_id) == 16


def test_the_last_timestamp():
    drawing = binary.parse(record([([1], [2])], seconds=2**32 - 1), "cat")
    assert drawing.timestamp == "2106-02-07 06:28:15 UTC"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (record([]), "no strokes"),
        (record([([1], [2]), ([], [])]), "stroke without points: stroke 2"),
    ],
)
def test_a_record_without_points_is_rejected(data, reason):
    first, last = read(data + ONE)
    with pytest.raises(ValueError, match=f"^{reason}$"):
        binary.parse(first, "cat")
    assert binary.parse(last, "cat").key_id == "7"


def test_a_record_without_a_word_is_rejected():
    with pytest.raises(ValueError, match=r"^no word$"):
        binary.parse(ONE, "")


@pytest.mark.parametrize("cut", range(1, len(ONE)))
def test_a_truncated_record_is_named_with_its_position(cut):
    records = binary.read_records(io.BytesIO(ONE + ONE + ONE[:-cut]))
    assert [next(records), next(records)] == [ONE, ONE]
    with pytest.raises(
        ValueError, match=rf"^truncated record: record 3 at byte {2 * len(ONE)}, and"
    ):
        next(records)


@pytest.mark.parametrize(
    ("damaged", "why"),
    [
        (record([], recognized=2), "recognized is 2"),
        (record([], recognized=-1), "recognized is -1"),
        (record([], country=b"\x80A"), "countrycode is "),
        (record([], country=b"A\n"), "countrycode is "),
        (
            ONE[:15] + b"\xff\xff" + (b"\xff\xff" + bytes(2 * 65535)) * 100,
            "longer than any drawing",
        ),
    ],
)
def test_a_damaged_record_is_named_with_its_position(damaged, why):
    records = binary.read_records(io.BytesIO(ONE + damaged + ONE))
    assert next(records) == ONE
    with pytest.raises(
        ValueError, match=r"^damaged record: .*all after it: "
    ) as caught:
        next(records)
    assert f"record 2 at byte {len(ONE)}, " in str(caught.value)
    assert why in str(caught.value)


@given(st.binary(max_size=200), st.integers(0, 100), st.integers(0, 100))
def test_any_damage_gives_drawings_or_value_errors(junk, begin, length):
    whole = (GOLDEN / "cat.bin").read_bytes()
    damaged = whole[:begin] + junk + whole[begin + length :]
    message = reason(read, damaged)
    assert message.partition(":")[0] in ("", "damaged record", "truncated record")
    for data in read(damaged) if not message else ():
        message = reason(binary.parse, data, "cat")
        assert message.partition(":")[0] in ("", "no strokes", "stroke without points")
