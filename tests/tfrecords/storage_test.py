"""Every storage function does the same on each kind of storage."""

import contextlib
import subprocess
import sys

import pytest
import tensorflow as tf
from apache_beam.io.filesystems import FileSystems

from tests.object_store import ObjectStore
from tfrecords import storage

LINES = "cat\nzoë\n"


@pytest.fixture(params=["local", "tensorflow", "beam"])
def folder(request, tmp_path, monkeypatch):
    """An empty folder on one kind of storage."""
    if request.param == "local":
        yield str(tmp_path)
    elif request.param == "tensorflow":
        yield f"ram://{tmp_path.name}"
        with contextlib.suppress(tf.errors.NotFoundError):
            tf.io.gfile.rmtree(f"ram://{tmp_path.name}")
    else:
        monkeypatch.setattr(ObjectStore, "objects", {})
        yield "shelf://bucket/data"


def test_text_and_bytes_are_read_as_written(folder):
    path = storage.join(folder, "words.txt")
    storage.make_dirs(folder)
    storage.write(path, LINES)
    assert storage.exists(path)
    assert storage.read_text(path) == LINES
    assert storage.read_bytes(path) == LINES.encode()
    assert storage.size(path) == len(LINES.encode())


def test_an_empty_file_exists(folder):
    storage.make_dirs(folder)
    storage.write(storage.join(folder, "empty"), b"")
    assert storage.size(storage.join(folder, "empty")) == 0


def test_a_byte_order_mark_is_dropped(folder):
    storage.make_dirs(folder)
    storage.write(storage.join(folder, "words.txt"), b"\xef\xbb\xbfcat\n")
    assert storage.read_text(storage.join(folder, "words.txt")) == "cat\n"


def test_text_in_another_encoding_is_refused(folder):
    path = storage.join(folder, "words.txt")
    storage.make_dirs(folder)
    storage.write(path, LINES.encode("utf-16"))
    with pytest.raises(ValueError, match=r"words\.txt is not UTF-8 text"):
        storage.read_text(path)


def test_files_are_seekable_streams(folder):
    path = storage.join(folder, "data")
    storage.make_dirs(folder)
    with storage.open_write(path) as file:
        file.write(b"0123")
        file.write(b"456789")
    with storage.open_read(path) as file:
        assert file.read(3) == b"012"
        assert file.seek(-2, 2) == 8
        assert file.read() == b"89"
        file.seek(1)
        assert file.read(2) == b"12"


def test_a_missing_file_is_reported_by_every_storage(folder):
    path = storage.join(folder, "missing")
    assert not storage.exists(path)
    assert storage.size(path) is None
    with pytest.raises(FileNotFoundError):
        storage.read_bytes(path)


def test_atomic_write_replaces_and_leaves_no_temporary_file(folder):
    storage.make_dirs(folder)
    for content in ("old", "new"):
        storage.write_atomic(storage.join(folder, "config.json"), content)
    assert storage.read_text(storage.join(folder, "config.json")) == "new"
    assert storage.list_dir(folder) == ["config.json"]


def test_rename_and_copy_replace_the_target(folder):
    source, target = (storage.join(folder, name) for name in ("source", "target"))
    storage.make_dirs(folder)
    storage.write(target, "old")
    storage.write(source, "new")
    storage.copy(source, target)
    assert storage.read_text(source) == storage.read_text(target) == "new"
    storage.write(source, "newer")
    storage.rename(source, target)
    assert storage.list_dir(folder) == ["target"]
    assert storage.read_text(target) == "newer"


def test_copy_to_other_storage(folder, tmp_path):
    (tmp_path / "here").write_bytes(b"\0\xff" * 3)
    storage.make_dirs(folder)
    storage.copy(str(tmp_path / "here"), storage.join(folder, "there"))
    assert storage.read_bytes(storage.join(folder, "there")) == b"\0\xff" * 3


def test_match_gives_sizes_in_order_of_paths(folder):
    storage.make_dirs(storage.join(folder, "sub"))
    for name, content in (("b.txt", "12"), ("a.txt", "1"), ("c.bin", "")):
        storage.write(storage.join(folder, name), content)
    matched = storage.match(storage.join(folder, "*.txt"))
    assert list(matched.items()) == [
        (storage.join(folder, "a.txt"), 1),
        (storage.join(folder, "b.txt"), 2),
    ]
    assert storage.match(storage.join(folder, "*.png")) == {}


def test_delete_removes_the_named_files_only(folder):
    storage.make_dirs(folder)
    for name in "abc":
        storage.write(storage.join(folder, name), name)
    storage.delete([storage.join(folder, "a"), storage.join(folder, "b")])
    assert storage.list_dir(folder) == ["c"]
    storage.delete([])


def test_delete_tree(folder):
    storage.make_dirs(storage.join(folder, "run", "deep"))
    storage.write(storage.join(folder, "run", "deep", "file"), "1")
    storage.write(storage.join(folder, "run", "file"), "1")
    storage.delete_tree(storage.join(folder, "run"))
    storage.delete_tree(storage.join(folder, "run"))
    assert storage.list_dir(storage.join(folder, "run")) == []
    assert not storage.exists(storage.join(folder, "run", "deep", "file"))


def test_a_local_name_with_brackets_is_no_pattern(tmp_path):
    (tmp_path / "cat[1].ndjson").write_text("1")
    path = str(tmp_path / "cat[1].ndjson")
    assert storage.match(path) == {path: 1}


def test_relative_names_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    storage.write_atomic("config.json", "{}")
    assert storage.list_dir(".") == ["config.json"]


@pytest.mark.parametrize("path", ["gs://b/f", "ram://f", "s3+x.y-z://b"])
def test_a_scheme_makes_a_path_remote(path):
    assert storage.is_remote(path)


@pytest.mark.parametrize("path", ["/a/b", "a:b/c", "a//b", "1s://b", "://b", ""])
def test_other_paths_are_local(path):
    assert not storage.is_remote(path)


def test_beam_reads_the_object_store():
    assert FileSystems.get_scheme("shelf://in/cat.ndjson") == "shelf"


def test_local_files_need_neither_beam_nor_tensorflow(tmp_path):
    code = (
        "import sys; from tfrecords import storage; path = sys.argv[1] + '/file';"
        "storage.write_atomic(path, 'text'); assert storage.read_text(path) == 'text';"
        "assert not {'tensorflow', 'apache_beam'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
