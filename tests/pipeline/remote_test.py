"""Storage without folders, locks and clocks in common: the job runs there too."""

import collections
import json
import threading
import time

import apache_beam as beam
import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.localfilesystem import LocalFileSystem
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipeline import file_lock
from pipeline.beam_job import pipeline as job
from pipeline.beam_job.transforms import Job
from pipeline.formats.reader import Share
from tests.conftest import make_recipe
from tests.object_store import ObjectStore
from tfrecords.dataset_info import DatasetInfo

LINE = '{"word": "cat", "key_id": "%d", "drawing": [[[0, 255, %d], [0, 10, 9]]]}\n'
LINES = "".join(LINE % (number, number) for number in range(200))


@pytest.fixture(autouse=True)
def shelf(monkeypatch):
    objects = {"shelf://in/cat.ndjson": LINES.encode()}
    monkeypatch.setattr(ObjectStore, "objects", objects)
    monkeypatch.setattr(file_lock, "HEARTBEAT_SECONDS", 0.1)
    return ObjectStore.objects


def names_in(folder):
    return sorted(path for path in ObjectStore.objects if path.startswith(folder))


def test_the_same_bytes_as_on_a_disk(build, shelf, tmp_path):
    build(["shelf://in/*.ndjson"], "shelf://out/data", num_shards=2)
    (tmp_path / "cat.ndjson").write_text(LINES)
    build([tmp_path / "cat.ndjson"], tmp_path / "out", num_shards=2)
    on_disk = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert on_disk == {
        path.removeprefix("shelf://out/data/"): shelf[path]
        for path in names_in("shelf://out")
    }


def test_a_worker_elsewhere_touches_no_file_system_of_its_own(shelf, monkeypatch):
    def refuse(self, *arguments, **settings):
        raise AssertionError(f"local: {arguments}")

    for name in ("open", "create", "match", "exists", "delete", "rename", "copy"):
        monkeypatch.setattr(LocalFileSystem, name, refuse)
    told = Job("shelf://out", make_recipe())
    pipeline = beam.Pipeline(runner=FnApiRunner())
    shares = [Share("shelf://in/cat.ndjson", len(LINES), n, 2) for n in range(2)]
    job.build(pipeline, told, shares)
    result = pipeline.run()
    outcome = json.loads(shelf[f"shelf://out/{job.OUTCOME}"])
    assert (outcome["problem"], outcome["counts"]["written"]) == (None, 200)
    counters = result.metrics().query()["counters"]
    ours = [each for each in counters if each.key.metric.namespace == "quickdraw"]
    counted = collections.Counter()
    for each in ours:
        counted[each.key.metric.name] += each.result
    assert (counted["lines"], counted["written"]) == (200, 200)
    assert counted["bytes"] == 2 * len(LINES)


def test_leftovers_of_a_dead_job_are_cleared_and_its_data_set_is_replaced(build, shelf):
    build(["shelf://in/*"], "shelf://out", num_shards=2)
    shelf["shelf://out/.unfinished/0123/train-0-abc"] = b"half"
    shelf["shelf://out/.lock"] = b"dead 17"
    with pytest.raises(ValueError, match="holds a data set"):
        build(["shelf://in/*"], "shelf://out", num_shards=1)
    build(["shelf://in/*"], "shelf://out", num_shards=1, overwrite=True)
    assert names_in("shelf://out") == [
        "shelf://out/dataset_info.json",
        *(f"shelf://out/{s}-00000-of-00001.tfrecord" for s in ("test", "train")),
        "shelf://out/validation-00000-of-00001.tfrecord",
    ]
    info = DatasetInfo.from_json(shelf["shelf://out/dataset_info.json"].decode(), "")
    assert info.counts["written"] == 200


def test_foreign_objects_are_refused(build, shelf):
    shelf["shelf://out/notes.txt"] = b"mine"
    with pytest.raises(ValueError, match=r"'notes\.txt' there is no part"):
        build(["shelf://in/*"], "shelf://out", overwrite=True)
    assert names_in("shelf://out") == ["shelf://out/notes.txt"]


def test_while_one_beats_another_is_refused(shelf):
    with file_lock.hold_lock("shelf://out"):
        time.sleep(5 * file_lock.HEARTBEAT_SECONDS)
        with (
            pytest.raises(ValueError, match="shelf://out is in use by another process"),
            file_lock.hold_lock("shelf://out"),
        ):
            pass
    assert not names_in("shelf://out")


def test_a_dead_beat_keeps_nobody_out(shelf):
    shelf["shelf://out/.lock"] = b"dead 17"
    started = time.monotonic()
    with file_lock.hold_lock("shelf://out"):
        assert (
            time.monotonic() - started
            >= file_lock.MISSED_HEARTBEATS * file_lock.HEARTBEAT_SECONDS
        )
    assert not names_in("shelf://out")


def test_of_many_that_find_it_free_at_once_one_has_it():
    inside, refused = [], []

    def job():
        try:
            with file_lock.hold_lock("shelf://out"):
                inside.append(1)
                time.sleep(10 * file_lock.HEARTBEAT_SECONDS)
        except ValueError:
            refused.append(1)

    threads = [threading.Thread(target=job) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(inside), len(refused)) == (1, 4)


def test_a_lock_that_was_lost_is_noticed_and_left_alone(shelf):
    with file_lock.hold_lock("shelf://out") as check:
        check()
        shelf["shelf://out/.lock"] = b"other 0"
        with pytest.raises(ValueError, match="in use by another process"):
            check()
        time.sleep(3 * file_lock.HEARTBEAT_SECONDS)
    assert shelf["shelf://out/.lock"] == b"other 0"


def test_the_store_is_the_one_that_beam_finds():
    assert FileSystems.get_scheme("shelf://in/cat.ndjson") == "shelf"
    assert FileSystems.exists("shelf://in/cat.ndjson")
