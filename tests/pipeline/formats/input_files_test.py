"""Paths, globs and folders become files of drawings; other files are left out."""

import io
import sys

import pytest

from pipeline.formats import input_files, reader
from tests.object_store import ObjectStore

LINE = '{"word":"cat","key_id":"5","drawing":[[[0,255],[0,10]]]}\n'


def match(*patterns):
    return input_files.match_files(list(map(str, patterns)))


@pytest.fixture
def folder(tmp_path):
    for name in ("cat.ndjson", "dog.ndjson.gz", "sub/ant.NDJSON", "noname"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(LINE)
    for name, content in (
        ("categories.txt", "cat\ndog\n"),
        ("clock.ndjson.part", LINE),
        ("README.md", "# Drawings"),
        (".hidden.ndjson", LINE),
        ("photo.heic", "\0\0\0\x20ftypheic"),
        ("lines.txt", LINE),
    ):
        (tmp_path / name).write_text(content)
    return tmp_path


def names(matched, folder):
    return [path.removeprefix(f"{folder}/") for path in matched]


def test_a_folder_stands_for_its_files(folder, capsys):
    assert names(match(folder), folder) == [
        "cat.ndjson",
        "dog.ndjson.gz",
        "lines.txt",
        "noname",
        "sub/ant.NDJSON",
    ]
    message = capsys.readouterr().err
    assert message.startswith("skipped 4 files without drawings: ")
    for name in ("README.md", "categories.txt", "clock.ndjson.part", "photo.heic"):
        assert name in message


def test_a_glob(folder):
    assert names(match(folder / "*.ndjson*"), folder) == ["cat.ndjson", "dog.ndjson.gz"]


def test_a_named_file_is_never_left_out(folder):
    assert names(match(folder / "categories.txt"), folder) == ["categories.txt"]


def test_each_file_is_read_once(folder):
    matched = match(folder / "c*.ndjson", folder / "cat.ndjson")
    assert matched == {str(folder / "cat.ndjson"): len(LINE)}


def test_a_remote_folder(monkeypatch):
    objects = {"shelf://in/data/cat.ndjson": b"{}", "shelf://in/data/a.md": b"#"}
    monkeypatch.setattr(ObjectStore, "objects", objects)
    assert match("shelf://in/data") == {"shelf://in/data/cat.ndjson": 2}


@pytest.mark.parametrize("pattern", ["missing.ndjson", "*.png"])
def test_a_pattern_without_match_is_an_error(folder, pattern):
    with pytest.raises(ValueError, match="there is no such file"):
        match(folder / pattern)


def test_a_folder_without_drawings_is_an_error(tmp_path):
    (tmp_path / "notes.md").write_text("# Notes")
    with pytest.raises(ValueError, match=r"no file holds drawings\. Received: notes"):
        match(tmp_path)


def test_standard_input(monkeypatch):
    data = io.BytesIO(LINE.replace('"word":"cat",', "").encode() + LINE.encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    sizes = input_files.match_files(["-"], allow_stdin=True)
    items = list(reader.read_drawings(sizes, needs_words=False))
    assert [(item.path, item.number) for item in items] == [("-", 1), ("-", 2)]
    assert [item.parsed.word for item in items] == ["", "cat"]


def test_blank_lines_keep_the_numbers_of_others(tmp_path):
    (tmp_path / "a.ndjson").write_text(f"\n{LINE}\nbroken\n{LINE}")
    items = list(reader.read_drawings(match(tmp_path)))
    assert [item.number for item in items] == [2, 4, 5]
    assert isinstance(items[1].parsed, ValueError)


@pytest.mark.parametrize(
    ("content", "description"),
    [
        (LINE.encode("utf-16"), "UTF-16 text; save it as UTF-8"),
        (b"PK\5\6" + bytes(18), "a zip archive; unpack it"),
        (b"%PDF-1.7", "a PDF file"),
        (b"<!DOCTYPE html><html>", "an HTML page; the download has probably failed"),
        (b"BM" + bytes(60), "a BMP picture; save it as PNG"),
        (b"\x80\x04\x95", "a Python pickle; save it as .npz or ndjson"),
    ],
)
def test_foreign_files_are_recognized(tmp_path, content, description):
    path = tmp_path / "cat.ndjson"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^cannot read .*: looks like {description}"):
        list(reader.read_drawings(match(path)))
