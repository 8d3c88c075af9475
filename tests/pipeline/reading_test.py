"""Shares cover a file, each block once; a file that changed is noticed."""

import functools
import gzip
import itertools

import pytest

from pipeline import blocks, reading
from pipeline.progress import Meter
from pipeline.reading import Share

LINES = b"".join(b"line %d\n" % number for number in range(500))


@pytest.fixture(params=["plain", "gz"])
def path(request, tmp_path):
    plain = request.param == "plain"
    path = tmp_path / ("lines.ndjson" if plain else "lines.ndjson.gz")
    path.write_bytes(LINES if plain else gzip.compress(LINES))
    return path


def test_many_files_are_dealt_out_by_size():
    sizes = {str(n): n for n in range(40)}
    shares = reading.share_out(sizes, 2)
    assert [share.size for share in shares] == list(range(39, -1, -1))
    assert {(share.number, share.of) for share in shares} == {(0, 1)}


def test_each_worker_has_a_part_of_each_of_few_files(path, monkeypatch):
    small = functools.partial(blocks.read_blocks, block_bytes=50)
    monkeypatch.setattr(reading, "read_blocks", small)
    size = path.stat().st_size
    shares = reading.share_out({str(path): size}, 3)
    assert shares == [Share(str(path), size, number, 3) for number in range(3)]
    found = []
    for share in shares:
        read = reading.read_file(share.path, share.size, Meter(None))
        found.append(list(itertools.islice(read, share.number, None, share.of)))
    merged = sorted(itertools.chain(*found), key=lambda block: block.first_line)
    assert b"".join(block.text for block in merged) == LINES
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_what_is_read_is_metered(path, tmp_path):
    (tmp_path / "scratch").mkdir()
    meter = Meter(str(tmp_path / "scratch"))
    list(reading.read_file(str(path), 0, meter))
    from pipeline import progress

    assert progress.total(str(tmp_path / "scratch")).bytes == path.stat().st_size


def test_a_file_that_has_shrunk_is_an_error_and_one_that_grew_is_not(path):
    size = path.stat().st_size
    assert list(reading.read_file(str(path), size - 1, Meter(None)))
    message = f"it had {size + 7} bytes, and {size} when it was read"
    with pytest.raises(EOFError, match=message):
        list(reading.read_file(str(path), size + 7, Meter(None)))


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path, monkeypatch):
    small = functools.partial(blocks.read_blocks, block_bytes=50)
    monkeypatch.setattr(reading, "read_blocks", small)
    path = tmp_path / "lines.ndjson"
    path.write_bytes(LINES * 50)
    read = reading.read_file(str(path), len(LINES) * 50, Meter(None))
    next(read)
    with path.open("r+b") as file:
        file.truncate(100)
    with pytest.raises(EOFError, match="it had"):
        list(read)
