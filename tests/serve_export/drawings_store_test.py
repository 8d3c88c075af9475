"""The store: what it keeps can be trained on, and nothing is lost or kept too long."""

import json
import threading

import pytest

from serve_export import layout
from serve_export.drawings_store import DrawingsStore, Full

DRAWING = [[[0, 255], [3, 4]], [[7], [9]]]
CAP = 10**6


def lines_of(folder):
    return [
        json.loads(line)
        for path in sorted(folder.glob("*/*.ndjson"))
        for line in path.read_bytes().splitlines()
    ]


def test_create_dataset_takes_it_as_it_is(tmp_path, build):
    store = DrawingsStore(str(tmp_path / "kept"), CAP)
    keys = {
        store.add(word, DRAWING, True)[0] for word in ("cat", "dog") for _ in range(9)
    }
    build([f"{tmp_path}/kept/*/*.ndjson"], tmp_path / "data", keep_duplicates=True)
    info = json.loads((tmp_path / "data" / "dataset_info.json").read_text())
    assert info["counts"]["written"] == len(keys) == 18
    assert info["counts"]["rejected"] == {}
    assert info["classes"] == ["cat", "dog"]


def test_the_secret_holds_after_a_restart(tmp_path):
    key_id, secret = DrawingsStore(str(tmp_path), CAP).add("cat", DRAWING, False)
    store = DrawingsStore(str(tmp_path), CAP)
    with pytest.raises(PermissionError):
        store.remove(key_id, secret[::-1])
    assert store.remove(key_id, secret)
    assert not store.remove(key_id, secret)
    assert lines_of(tmp_path) == []
    assert store.bytes == 0


def test_another_folder_has_other_secrets(tmp_path):
    key_id, secret = DrawingsStore(str(tmp_path / "a"), CAP).add("cat", DRAWING, True)
    with pytest.raises(PermissionError):
        DrawingsStore(str(tmp_path / "b"), CAP).remove(key_id, secret)


def test_a_secret_of_other_letters_is_just_wrong(tmp_path):
    store = DrawingsStore(str(tmp_path), CAP)
    with pytest.raises(PermissionError):
        store.remove("1" * 19, "é")


def test_the_cap_holds_and_what_is_removed_makes_room(tmp_path):
    store = DrawingsStore(str(tmp_path), 1000)
    given = [store.add("cat", DRAWING, True)]
    for _ in range(1000 // store.bytes - 1):
        given.append(store.add("cat", DRAWING, True))
    with pytest.raises(Full):
        store.add("cat", DRAWING, True)
    assert store.bytes <= 1000
    assert len(lines_of(tmp_path)) == len(given)
    store.remove(*given[0])
    store.add("cat", DRAWING, True)
    assert DrawingsStore(str(tmp_path), 1000).bytes == store.bytes


def test_a_torn_line_is_cut_off_before_the_next(tmp_path):
    store = DrawingsStore(str(tmp_path), CAP)
    store.add("cat", DRAWING, True)
    (path,) = tmp_path.glob("*/*.ndjson")
    with path.open("ab") as file:
        file.write(b'{"word":"dog","dra')
    DrawingsStore(str(tmp_path), CAP).add("owl", DRAWING, True)
    assert [line["word"] for line in lines_of(tmp_path)] == ["cat", "owl"]


def test_many_at_once_lose_nothing(tmp_path):
    store, other = (DrawingsStore(str(tmp_path), CAP) for _ in range(2))
    given = []

    def use(store):
        for number in range(20):
            added = store.add("cat", DRAWING, True)
            if number % 2:
                store.remove(*added)
            else:
                given.append(added[0])

    threads = [threading.Thread(target=use, args=(s,)) for s in (store, other) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {line["key_id"] for line in lines_of(tmp_path)} == set(given)


def test_keys_are_numbers_of_64_bits_that_tell_the_day(tmp_path):
    store = DrawingsStore(str(tmp_path), CAP)
    keys = {store.add("cat", DRAWING, True)[0] for _ in range(50)}
    assert len(keys) == 50
    assert all(0 < int(key_id) < 2**63 for key_id in keys)
    (line, *_) = lines_of(tmp_path)
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert line["timestamp"].startswith(folder.name)


def test_a_remote_folder_gets_an_object_a_drawing(tmp_path, monkeypatch):
    """By Beam's file systems, which know this machine's disk as one of many."""
    monkeypatch.setattr(layout, "is_remote", lambda path: True)
    store = DrawingsStore(str(tmp_path), CAP)
    given = [store.add("cat", DRAWING, True) for _ in range(3)]
    assert {path.stem for path in tmp_path.glob("*/*.ndjson")} == dict(given).keys()
    assert {line["key_id"] for line in lines_of(tmp_path)} == dict(given).keys()
    again = DrawingsStore(str(tmp_path), CAP)
    assert again.bytes == store.bytes > 0
    assert again.remove(*given[0])
    assert not again.remove(*given[0])
    assert len(lines_of(tmp_path)) == 2
    assert again.bytes < store.bytes
