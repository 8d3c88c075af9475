"""Shares cover a file, each block once; a file that has changed is noticed."""

import functools
import gzip
import itertools

import numpy as np
import pytest

from pipeline.formats import blocks, reader
from pipeline.formats.reader import Share
from pipeline.formats.text import containers

LINES = b"".join(b"line %d\n" % number for number in range(500))


@pytest.fixture(params=["plain", "gz"])
def path(request, tmp_path):
    plain = request.param == "plain"
    path = tmp_path / ("lines.ndjson" if plain else "lines.ndjson.gz")
    path.write_bytes(LINES if plain else gzip.compress(LINES))
    return path


def test_many_files_are_distributed_by_size():
    sizes = {str(n): n for n in range(40)}
    shares = reader.divide_files(sizes, 2)
    assert [share.size for share in shares] == list(range(39, -1, -1))
    assert {(share.number, share.of) for share in shares} == {(0, 1)}


def test_each_worker_reads_a_part_of_each_of_few_files(path, monkeypatch):
    small_blocks = functools.partial(blocks.cut_lines, block_bytes=50)
    monkeypatch.setattr(containers, "cut_lines", small_blocks)
    size = path.stat().st_size
    shares = reader.divide_files({str(path): size}, 3)
    assert shares == [Share(str(path), size, number, 3) for number in range(3)]
    found = []
    for share in shares:
        read = reader.read_file(share.path, share.size)
        found.append(list(itertools.islice(read, share.number, None, share.of)))
    merged = sorted(itertools.chain(*found), key=lambda block: block.first)
    assert b"".join(block.data for block in merged) == LINES
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_every_byte_is_reported_once(path):
    counts = []
    list(reader.read_file(str(path), 0, on_bytes_read=counts.append))
    assert sum(counts) == path.stat().st_size


def test_a_file_that_has_shrunk_is_an_error_and_one_that_grew_is_not(path):
    size = path.stat().st_size
    assert list(reader.read_file(str(path), size - 1))
    message = f"it had {size + 7} bytes, and {size} when it was read"
    with pytest.raises(EOFError, match=message):
        list(reader.read_file(str(path), size + 7))


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path, monkeypatch):
    small_blocks = functools.partial(blocks.cut_lines, block_bytes=50)
    monkeypatch.setattr(containers, "cut_lines", small_blocks)
    path = tmp_path / "lines.ndjson"
    path.write_bytes(LINES * 50)
    read = reader.read_file(str(path), len(LINES) * 50)
    next(read)
    with path.open("r+b") as file:
        file.truncate(100)
    with pytest.raises(EOFError, match="it had"):
        list(read)


def test_bytes_of_an_archive_are_reported_while_it_is_read(tmp_path):
    path = tmp_path / "many.npz"
    np.savez(path, np.eye(4000, 784, dtype=np.uint8), np.array(["cat"] * 4000))
    size = path.stat().st_size
    counts = []
    read = reader.read_file(str(path), size, on_bytes_read=counts.append)
    next(read)
    assert sum(counts) < size
    list(read)
    assert sum(counts) == size


def test_damage_is_not_mistaken_for_a_file_that_has_shrunk(tmp_path):
    path = tmp_path / "cat.bin"
    path.write_bytes(b"\xff" * 100)
    (block,) = reader.read_file(str(path), 100)
    assert block.damage.startswith("damaged record: record 1 at byte 0")
