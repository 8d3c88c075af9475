"""Any bytes as lines: no crash, and each line is counted once."""

import collections
import gzip
import json
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.formats.text import ndjson_lines as published
from tfrecords.dataset_info import DatasetInfo

LINE = b'{"word":"cat","key_id":"5","drawing":[[[0,255],[0,10]],[[3],[4]]]}'
PIECES = [LINE, b"{}", b"{", b"}", b"\r", b" ", b"\x00", b"\xff", b'{"a":', b"[[", b"1"]
INSERTED = [b"[", b"]", b",", b"-", b".5", b"99", b"\n"]
lines = st.lists(st.sampled_from(PIECES), max_size=4).map(b"".join) | st.binary()
lines = lines.map(lambda text: text.replace(b"\n", b""))


def mutate(line, rng):
    """Changes a few random bytes of a line."""
    changed = bytearray(line)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 5])):
        position = rng.randrange(len(changed) + 1)
        what = rng.randrange(4)
        if what == 0:
            del changed[position : position + rng.choice([1, 1, 3, 40])]
        elif what == 1:
            changed[position:position] = rng.choice(INSERTED)
        elif what == 2 and position < len(changed):
            changed[position] = rng.randrange(256)
        else:
            changed[position:position] = bytes(changed[: rng.randrange(60)])
    return bytes(changed)


@pytest.fixture(scope="module")
def mutated(doodles):
    rng = random.Random(0)
    good = b"".join(path.read_bytes() for path in doodles.glob("*")).split(b"\n")
    return [mutate(rng.choice(good), rng) for _ in range(2000)]


def one_by_one(text):
    try:
        return published.parse_simplified(text)
    except ValueError as error:
        return str(error)


def assert_as_one_by_one(texts):
    parsed = published.parse_all_simplified(b"".join(text + b"\n" for text in texts))
    results = [str(f) if isinstance(f, ValueError) else f for f in parsed]
    assert results == list(map(one_by_one, texts))


@given(st.lists(lines, min_size=1))
@example([LINE + LINE, b""])
@example([LINE + b" " + LINE, LINE[:20], LINE[20:]])
@example([b'{"word":"cat","drawing":[[[1],[2]]],"x":{}', b"}"])
@example([LINE, LINE + b"\r", b" ", LINE])
@example([b'{"word":"cat","drawing":[[[1],[256]]]}', LINE])
@example([b'{"word":"cat","drawing":[[[1],[2],[3]]]}', LINE])
@example([b'{"word":"cat","drawing":[[[1.0],[2]]]}', b'{"word":"","drawing":[]}'])
@example([b'{"word":"cat","drawing":[[[1,2],[2]]]}', b'{"drawing":[[[],[]]]}'])
@example([b'{"word":"cat","drawing":[]}', b'{"word":"cat","drawing":[[]]}'])
@example([b'{"word":"cat","drawing":[[[-1],[0]]]}', b"[" * 5000])
@example([b'{"word":"cat","drawing":[[[1],[2]],5]}', LINE])
@example([b'{"word":"cat","drawing":[[[1],3,[2]]]}', LINE])
@example([b'{"word":"cat","drawing":[7,[[1],[2]]]}', LINE])
@example([b'{"word":"cat","drawing":[[[1],[]],[[],[2]]]}', LINE])
@example([b'{"word":"cat","drawing":[[[1,2],[1]],[[1],[1,2]]]}', LINE])
@example([b'{"word":"cat","drawing":[[[1000],[2]]]}', LINE])
@example([b'{"word":"cat","drawing":[[[1099],[20045]]]}', LINE])
@example([b'{"word":"cat","drawing":[[[01],[2]]]}', LINE])
@example([b'{"word":"cat","drawing":[[[1,],[2]]]}', LINE])
@example([b'{"word":"cat","drawing":[[[1] ,[2]]]}', LINE])
@example([b'{"word":"cat","drawing":[[[1]],[[2]]]}', LINE])
@example([b'{"word":"cat","drawing":"[[[1],[2]]]"}', LINE])
@example([b'{"word":"cat","drawing":null}', LINE])
def test_many_lines_parse_as_each_alone(texts):
    assert_as_one_by_one(texts)


def test_mutated_lines_parse_as_each_alone(mutated):
    texts = b"\n".join(mutated).split(b"\n")
    for start in range(0, len(texts), 3):
        assert_as_one_by_one(texts[start : start + 3])


def test_real_lines_parse_as_each_alone(quickdraw_dir):
    for path in sorted(quickdraw_dir.glob("*/*.ndjson.gz"))[::40]:
        assert_as_one_by_one(gzip.decompress(path.read_bytes()).splitlines()[:200])


@pytest.mark.parametrize("keep", [False, True])
def test_every_mutated_line_is_counted_once(build, mutated, tmp_path, keep):
    (tmp_path / "in").write_bytes(b"\n".join(mutated))
    build(
        [tmp_path / "in"],
        tmp_path / "out",
        input_format="simplified",
        max_rejected=1,
        max_per_class=20,
        keep_duplicates=keep,
        recognized_only=True,
    )
    info = DatasetInfo.from_json((tmp_path / "out/dataset_info.json").read_text(), "")
    counts = info.counts
    lines = b"\n".join(mutated).split(b"\n")
    while not lines[-1]:
        lines.pop()
    assert counts["read"] == len(lines)
    assert counts["blank"] == sum(not line.strip() for line in lines)
    rejected = sum(counts["rejected"].values())
    kept = (tmp_path / "out/rejected-00000.ndjson").read_text().splitlines()
    assert rejected == len(kept) > 300
    kinds = collections.Counter(json.loads(r)["reason"].partition(":")[0] for r in kept)
    assert dict(kinds) == counts["rejected"]
    filtered = sum(counts["filtered"].values())
    assert set(counts["filtered"]) == {"not recognized", "over max_per_class"}
    assert (counts["duplicates"] > 20) != keep
    assert counts["read"] == (
        counts["blank"] + rejected + filtered + counts["duplicates"] + counts["written"]
    )
