"""Stored drawings: usable for training, nothing lost, nothing kept too long."""

import errno
import json
import multiprocessing
import os
import random
import signal
import threading
import time

import pytest

from serve_export import drawings_store
from serve_export.drawings_store import DrawingsStore, StoreFullError
from tests.object_store import ObjectStore

DRAWING = [[[0, 255], [3, 4]], [[7], [9]]]
MAX_BYTES = 10**6


def read_lines(folder):
    return [
        json.loads(line)
        for path in sorted(folder.glob("*/*.ndjson"))
        for line in path.read_bytes().splitlines()
    ]


def test_create_dataset_reads_stored_drawings(tmp_path, build):
    store = DrawingsStore(str(tmp_path / "kept"), MAX_BYTES)
    keys = {
        store.add(word, DRAWING, True)[0] for word in ("cat", "dog") for _ in range(9)
    }
    build([f"{tmp_path}/kept/*/*.ndjson"], tmp_path / "data", keep_duplicates=True)
    info = json.loads((tmp_path / "data" / "dataset_info.json").read_text())
    assert info["counts"]["written"] == len(keys) == 18
    assert info["counts"]["rejected"] == {}
    assert info["classes"] == ["cat", "dog"]


def test_a_secret_is_valid_after_a_restart(tmp_path):
    key_id, secret = DrawingsStore(str(tmp_path), MAX_BYTES).add("cat", DRAWING, False)
    store = DrawingsStore(str(tmp_path), MAX_BYTES)
    for wrong in (secret[::-1], "é", ""):
        with pytest.raises(PermissionError):
            store.remove(key_id, wrong)
    assert store.remove(key_id, secret)
    assert not store.remove(key_id, secret)
    assert read_lines(tmp_path) == []
    assert store.size == 0


def test_each_store_has_its_own_secrets(tmp_path):
    first = DrawingsStore(str(tmp_path / "a"), MAX_BYTES)
    key_id, secret = first.add("cat", DRAWING, True)
    with pytest.raises(PermissionError):
        DrawingsStore(str(tmp_path / "b"), MAX_BYTES).remove(key_id, secret)


def test_the_size_is_limited_and_removing_makes_room(tmp_path):
    store = DrawingsStore(str(tmp_path), 1000)
    added = [store.add("cat", DRAWING, True)]
    for _ in range(1000 // store.size - 1):
        added.append(store.add("cat", DRAWING, True))
    with pytest.raises(StoreFullError):
        store.add("cat", DRAWING, True)
    assert store.size <= 1000
    assert len(read_lines(tmp_path)) == len(added)
    store.remove(*added[0])
    store.add("cat", DRAWING, True)
    assert DrawingsStore(str(tmp_path), 1000).size == store.size


@pytest.mark.parametrize("is_restarted", [True, False])
def test_a_partial_line_is_removed_before_the_next(tmp_path, is_restarted):
    store = DrawingsStore(str(tmp_path), MAX_BYTES)
    store.add("cat", DRAWING, True)
    (path,) = tmp_path.glob("*/*.ndjson")
    with path.open("ab") as file:
        file.write(b'{"word":"dog","dra')
    if is_restarted:
        store = DrawingsStore(str(tmp_path), MAX_BYTES)
    store.add("owl", DRAWING, True)
    assert [line["word"] for line in read_lines(tmp_path)] == ["cat", "owl"]


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    store = DrawingsStore(str(tmp_path), MAX_BYTES)
    store.add("cat", DRAWING, True)
    size = store.size

    def fail(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(drawings_store.os, "fsync", fail)
        with pytest.raises(OSError, match="No space left"):
            store.add("dog", DRAWING, True)
    assert store.size == size
    store.add("owl", DRAWING, True)
    assert [line["word"] for line in read_lines(tmp_path)] == ["cat", "owl"]


def test_a_symbolic_link_is_refused(tmp_path):
    (tmp_path / "target").mkdir()
    for name in ("target", "missing"):
        link = tmp_path / f"link_to_{name}"
        link.symlink_to(tmp_path / name)
        for path in (str(link), f"{link}/"):
            with pytest.raises(NotADirectoryError, match="symbolic links"):
                DrawingsStore(path, MAX_BYTES)
    assert os.listdir(tmp_path / "target") == []


def test_concurrent_stores_lose_nothing(tmp_path):
    stores = [DrawingsStore(str(tmp_path), MAX_BYTES) for _ in range(2)]
    kept = []

    def use(store):
        for number in range(20):
            added = store.add("cat", DRAWING, True)
            if number % 2:
                store.remove(*added)
            else:
                kept.append(added[0])

    threads = [threading.Thread(target=use, args=(s,)) for s in stores * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {line["key_id"] for line in read_lines(tmp_path)} == set(kept)


def add_and_remove(folder, log):
    """Logs what was acknowledged, in one write each, until it is killed."""
    store = DrawingsStore(folder, 10**8)
    with open(log, "ab", buffering=0) as file:
        while True:
            key_id, secret = store.add("cat", DRAWING, True)
            file.write(f"added {key_id}\n".encode())
            if random.random() < 0.3:
                file.write(f"removing {key_id}\n".encode())
                store.remove(key_id, secret)
                file.write(f"removed {key_id}\n".encode())


def test_killed_writers_lose_nothing(tmp_path):
    """SIGKILL under writers and deleters, several times."""
    folder, log = tmp_path / "kept", tmp_path / "log"
    context = multiprocessing.get_context("fork")
    for _ in range(8):
        writers = [
            context.Process(target=add_and_remove, args=(str(folder), str(log)))
            for _ in range(3)
        ]
        for writer in writers:
            writer.start()
        time.sleep(random.uniform(0.1, 0.4))
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.join()
    events: dict[str, set] = {"added": set(), "removing": set(), "removed": set()}
    for line in log.read_text().splitlines():
        event, key_id = line.split()
        events[event].add(key_id)
    DrawingsStore(str(folder), 10**8)  # repairs the last line
    stored = [line["key_id"] for line in read_lines(folder)]
    assert len(stored) == len(set(stored))
    assert len(events["added"]) > 20
    assert events["added"] - events["removing"] <= set(stored)
    assert not events["removed"] & set(stored)


def test_keys_are_64_bit_numbers_that_name_the_day(tmp_path):
    store = DrawingsStore(str(tmp_path), MAX_BYTES)
    keys = {store.add("cat", DRAWING, True)[0] for _ in range(50)}
    assert len(keys) == 50
    assert all(0 < int(key_id) < 2**63 for key_id in keys)
    (line, *_) = read_lines(tmp_path)
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert line["timestamp"].startswith(folder.name)
    assert not store.remove("9" * 19, store._compute_secret("9" * 19))


def test_remote_storage_has_an_object_per_drawing(monkeypatch):
    monkeypatch.setattr(ObjectStore, "objects", {})
    folder = "shelf://bucket/drawings"
    store = DrawingsStore(folder, MAX_BYTES)
    added = [store.add("cat", DRAWING, True) for _ in range(3)]
    names = {path.rpartition("/")[2] for path in ObjectStore.objects}
    assert {f"{key_id}.ndjson" for key_id, _ in added} <= names
    again = DrawingsStore(folder, MAX_BYTES)
    assert again.size == store.size > 0
    assert again.remove(*added[0])
    assert not again.remove(*added[0])
    assert again.size < store.size
