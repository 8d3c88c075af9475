"""Runs are merged in order, whether they are bytes or locations in a file."""

import itertools
import operator
import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.beam_job import shard_shuffle
from pipeline.beam_job.shard_shuffle import RunLocation, RunWriter, merge_runs


class Row(msgspec.Struct, array_like=True):
    key: int
    text: str


get_key = operator.attrgetter("key")
get_fields = operator.attrgetter("key", "text")
lists_of_rows = st.lists(
    st.lists(st.builds(Row, st.integers(0, 50), st.text(max_size=3)), max_size=100)
)


@pytest.fixture(autouse=True)
def max_runs_is_restored(monkeypatch):
    monkeypatch.setattr(shard_shuffle, "MAX_RUNS", shard_shuffle.MAX_RUNS)


@given(lists_of_rows)
@pytest.mark.parametrize("max_runs", [2, 256])
def test_merged_runs_are_sorted_and_complete(tmp_path_factory, max_runs, lists):
    shard_shuffle.MAX_RUNS = max_runs
    folder = str(tmp_path_factory.mktemp("runs"))
    expected = sorted(itertools.chain(*lists), key=get_fields)
    for writer in (RunWriter(None), RunWriter(folder)):
        runs = [writer.write(sorted(rows, key=get_key)) for rows in lists]
        writer.close()
        merged = list(merge_runs(runs, Row, get_key))
        assert list(map(get_key, merged)) == list(map(get_key, expected))
        assert sorted(merged, key=get_fields) == expected


def test_a_merge_reads_one_batch_of_each_run_at_a_time(tmp_path, monkeypatch):
    writer = RunWriter(str(tmp_path))
    rows = [Row(number, "") for number in range(10 * shard_shuffle.BATCH_ROWS)]
    runs = [writer.write(rows) for _ in range(3)]
    reads = []
    pread = shard_shuffle.os.pread
    monkeypatch.setattr(
        shard_shuffle.os, "pread", lambda *args: reads.append(args) or pread(*args)
    )
    merged = merge_runs(runs, Row, get_key)
    for _ in range(3):
        next(merged)
    assert len(reads) == 3 * 2  # the size and the rows of a batch


def test_large_packed_runs_are_not_held_in_memory(monkeypatch):
    monkeypatch.setattr(shard_shuffle, "MAX_MEMORY_BYTES", 1 << 20)
    rows = [Row(number, "x" * 1000) for number in range(1000)]
    write = RunWriter(None).write
    size = len(write(rows))
    tracemalloc.start()
    merged = merge_runs((write(rows) for _ in range(30)), Row, get_key)
    assert sum(1 for _ in merged) == 30 * len(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * size


def test_memory_does_not_grow_with_the_number_of_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(shard_shuffle, "MAX_RUNS", 32)
    writer = RunWriter(str(tmp_path))
    rows = [Row(number, "x" * 1000) for number in range(shard_shuffle.BATCH_ROWS)]

    def measure_peak(num_runs):
        runs = [writer.write(rows) for _ in range(num_runs)]
        tracemalloc.start()
        assert sum(1 for _ in merge_runs(runs, Row, get_key)) == num_runs * len(rows)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert measure_peak(512) < 1.5 * measure_peak(32)


def test_writers_do_not_share_a_file(tmp_path):
    first, second = (RunWriter(str(tmp_path)) for _ in range(2))
    assert first.write([Row(1, "a")]).path != second.write([Row(2, "b")]).path


def test_a_truncated_run_is_an_error(tmp_path):
    writer = RunWriter(str(tmp_path))
    path, start, size = writer.write([Row(1, "a" * 100)])
    with open(path, "r+b") as file:
        file.truncate(size - 1)
    with pytest.raises(msgspec.DecodeError):
        list(merge_runs([RunLocation(path, start, size)], Row, get_key))
