"""Chunks come back merged, whether they are bytes or references."""

import itertools
import operator
import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.beam_job import sorted_runs


class Row(msgspec.Struct, array_like=True):
    order: int
    text: str


order = operator.attrgetter("order")
fields = operator.attrgetter("order", "text")
runs_of_rows = st.lists(
    st.lists(st.builds(Row, st.integers(0, 50), st.text(max_size=3)), max_size=100)
)


@given(runs_of_rows)
def test_merge_sorts_what_was_put(tmp_path_factory, runs):
    folder = str(tmp_path_factory.mktemp("chunks"))
    for writer in (sorted_runs.ChunkWriter(None), sorted_runs.ChunkWriter(folder)):
        found = [writer.put(sorted(rows, key=order)) for rows in runs]
        writer.close()
        merged = list(sorted_runs.merge(found, Row, order))
        assert list(map(order, merged)) == sorted(map(order, itertools.chain(*runs)))
        assert sorted(merged, key=fields) == sorted(itertools.chain(*runs), key=fields)


def test_a_merge_holds_a_piece_of_each_chunk(tmp_path, monkeypatch):
    writer = sorted_runs.ChunkWriter(str(tmp_path))
    rows = [Row(number, "") for number in range(10 * sorted_runs.PIECE_ROWS)]
    references = [writer.put(rows) for _ in range(3)]
    read = []
    monkeypatch.setattr(
        sorted_runs.os, "pread", lambda *args: read.append(args) or pread(*args)
    )
    merged = sorted_runs.merge(references, Row, order)
    for _ in range(3):
        next(merged)
    assert len(read) == 3 * 2  # a size and a piece of each


pread = sorted_runs.os.pread


def test_chunks_without_files_are_not_held_either(monkeypatch):
    monkeypatch.setattr(sorted_runs, "SPILL_BYTES", 1 << 20)
    rows = [Row(number, "x" * 1000) for number in range(1000)]
    put = sorted_runs.ChunkWriter(None).put
    size = len(put(rows))
    tracemalloc.start()
    merged = sorted_runs.merge((put(rows) for _ in range(30)), Row, order)
    assert sum(1 for _ in merged) == 30 * len(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * size


def test_writers_never_share_a_file(tmp_path):
    one, other = (sorted_runs.ChunkWriter(str(tmp_path)) for _ in range(2))
    assert one.put([Row(1, "a")]).path != other.put([Row(2, "b")]).path


def test_a_chunk_that_is_cut_off_is_an_error(tmp_path):
    writer = sorted_runs.ChunkWriter(str(tmp_path))
    path, start, size = writer.put([Row(1, "a" * 100)])
    with open(path, "r+b") as file:
        file.truncate(size - 1)
    with pytest.raises(msgspec.DecodeError):
        list(sorted_runs.merge([sorted_runs.Reference(path, start, size)], Row, order))
