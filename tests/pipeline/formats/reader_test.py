"""Shares cover a file, each block once; a file that has changed is noticed."""

import functools
import gzip
import itertools

import numpy as np
import pytest

from pipeline.formats import blocks, reader, registry
from pipeline.formats.reader import Share
from pipeline.formats.text import containers

LINES = b"".join(b"line %d\n" % number for number in range(500))


@pytest.fixture(params=["plain", "gz"])
def path(request, tmp_path):
    plain = request.param == "plain"
    path = tmp_path / ("lines.ndjson" if plain else "lines.ndjson.gz")
    path.write_bytes(LINES if plain else gzip.compress(LINES))
    return path


def test_the_largest_files_come_first():
    sizes = {str(n): n for n in range(40)}
    shares = reader.divide_files(sizes, 1)
    assert [share.size for share in shares] == list(range(39, -1, -1))
    assert {(share.number, share.of) for share in shares} == {(0, 1)}


def test_the_parts_of_a_file_depend_on_its_size_or_on_the_passes_over_it():
    size = 10 * blocks.BLOCK_BYTES

    def count(name, readers, max_passes=None):
        return len(reader.divide_files({name: size}, readers, max_passes))

    assert count("cat.ndjson", 8, max_passes=4) == 8
    assert count("cat.ndjson", 400, max_passes=4) == 10
    assert count("cat.ndjson.gz", 8) == 8
    assert count("cat.ndjson.gz", 8, max_passes=4) == 4


@pytest.fixture
def small_blocks(monkeypatch):
    cut = functools.partial(blocks.cut_lines, block_bytes=50)
    monkeypatch.setattr(containers, "cut_lines", cut)
    monkeypatch.setattr(registry, "cut_lines", cut)


def test_each_worker_reads_a_part_of_a_file(path, small_blocks):
    size = path.stat().st_size
    found, counts = [], []
    for number in range(3):
        share = Share(str(path), size, number, 3)
        found.append(list(reader.read_file(share, on_bytes_read=counts.append)))
    by_position = sorted(
        itertools.chain(*found), key=lambda block: (block.offset, block.first)
    )
    assert b"".join(block.data for block in by_position) == LINES
    assert [block.is_first for block in by_position] == [True] + [False] * (
        len(by_position) - 1
    )
    assert max(map(len, found)) - min(map(len, found)) <= 1
    assert size - 3 < sum(counts) <= size
    if path.suffix != ".gz":
        assert sum(counts) == size
        assert {block.offset for block in by_position} == {
            0,
            LINES.index(b"\n", size // 3 - 1) + 1,
            LINES.index(b"\n", size * 2 // 3 - 1) + 1,
        }


def test_a_reader_of_a_part_reads_no_more_than_the_beginning_and_its_part(
    tmp_path, monkeypatch
):
    """The beginning tells the format."""
    path = tmp_path / "lines.ndjson"
    path.write_bytes(LINES * 4000)
    size = path.stat().st_size
    read = []
    original = reader._CountingStream.read

    def spy(self, *arguments):
        data = original(self, *arguments)
        read.append(len(data))
        return data

    monkeypatch.setattr(reader._CountingStream, "read", spy)
    list(reader.read_file(Share(str(path), size, 7, 10)))
    assert sum(read) < size / 10 + 1e6


@pytest.mark.parametrize(
    "content", [b'[{"drawing": []},\n' + LINES, b"word,drawing\n" + LINES]
)
def test_other_text_is_not_read_by_ranges(tmp_path, content):
    path = tmp_path / "cat.ndjson"
    path.write_bytes(content)
    found = [
        list(reader.read_file(Share(str(path), len(content), number, 2)))
        for number in range(2)
    ]
    assert found[0]
    assert not found[1]


def test_every_byte_is_reported_once(path):
    counts = []
    list(reader.read_file(Share(str(path), 0), on_bytes_read=counts.append))
    assert sum(counts) == path.stat().st_size


def test_a_file_that_has_shrunk_is_an_error_and_one_that_grew_is_not(path):
    size = path.stat().st_size
    assert list(reader.read_file(Share(str(path), size - 1)))
    message = f"it had {size + 7} bytes, and {size} when it was read"
    with pytest.raises(EOFError, match=message):
        list(reader.read_file(Share(str(path), size + 7)))


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path, monkeypatch):
    small_blocks = functools.partial(blocks.cut_lines, block_bytes=50)
    monkeypatch.setattr(containers, "cut_lines", small_blocks)
    path = tmp_path / "lines.ndjson"
    path.write_bytes(LINES * 50)
    read = reader.read_file(Share(str(path), len(LINES) * 50))
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
    read = reader.read_file(Share(str(path), size), on_bytes_read=counts.append)
    next(read)
    assert sum(counts) < size
    list(read)
    assert sum(counts) == size


def test_damage_is_not_mistaken_for_a_file_that_has_shrunk(tmp_path):
    path = tmp_path / "cat.bin"
    path.write_bytes(b"\xff" * 100)
    (block,) = reader.read_file(Share(str(path), 100))
    assert block.damage.startswith("damaged record: record 1 at byte 0")
