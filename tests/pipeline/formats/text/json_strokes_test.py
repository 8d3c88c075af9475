"""Strokes that are packed together equal those packed one by one."""

import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline import strokes
from pipeline.formats.text.json_strokes import pack_json

coordinates = st.integers(0, 255)
one_stroke = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=5).map(
    lambda points: list(map(list, zip(*points)))
)
drawings = st.lists(one_stroke, min_size=1, max_size=4)


def compact(drawing):
    return json.dumps(drawing, separators=(",", ":")).encode()


@given(st.lists(drawings, min_size=1, max_size=6))
def test_any_drawings_are_packed_as_points(batch):
    expected = [strokes.to_points(drawing).tobytes() for drawing in batch]
    assert pack_json(list(map(compact, batch))) == expected


@given(
    st.lists(drawings, max_size=4),
    st.lists(drawings, max_size=4),
    st.sampled_from(
        [b"[]", b"[[[256],[0]]]", b"[[[1,2],[3]]]", b"[[[1], [2]]]", b"[[[-1],[2]]]"]
    ),
)
def test_a_drawing_that_is_not_simplified_affects_no_other(before, after, odd):
    texts = [*map(compact, before), odd, *map(compact, after)]
    packed = pack_json(texts)
    assert packed.pop(len(before)) is None
    assert packed == [
        strokes.to_points(drawing).tobytes() for drawing in before + after
    ]


def test_no_drawings():
    assert pack_json([]) == []
