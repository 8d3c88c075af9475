"""The job on storage without folders, locks and shared clocks."""

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
from pipeline.beam_job import output_dir
from pipeline.beam_job.config import JobConfig, JobContext
from pipeline.beam_job.pipeline import build_pipeline
from pipeline.formats.reader import Share
from tests.object_store import ObjectStore
from tests.pipeline.conftest import LINES
from tfrecords.dataset_info import DatasetInfo


@pytest.fixture(autouse=True)
def shelf(monkeypatch):
    objects = {"shelf://in/cat.ndjson": LINES.encode()}
    monkeypatch.setattr(ObjectStore, "objects", objects)
    monkeypatch.setattr(file_lock, "HEARTBEAT_SECONDS", 0.1)
    return ObjectStore.objects


def names_in(folder):
    return sorted(path for path in ObjectStore.objects if path.startswith(folder))


def test_the_bytes_are_the_same_as_on_a_disk(build, shelf, tmp_path):
    build(["shelf://in/*.ndjson"], "shelf://out/data", num_shards=2)
    (tmp_path / "cat.ndjson").write_text(LINES)
    build([tmp_path / "cat.ndjson"], tmp_path / "out", num_shards=2)
    on_disk = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert on_disk == {
        path.removeprefix("shelf://out/data/"): shelf[path]
        for path in names_in("shelf://out")
    }


def test_a_remote_job_uses_no_local_file(shelf, monkeypatch):
    def refuse(self, *arguments, **settings):
        raise AssertionError(f"local: {arguments}")

    for name in ("open", "create", "match", "exists", "delete", "rename", "copy"):
        monkeypatch.setattr(LocalFileSystem, name, refuse)
    shelf["shelf://out/.lock"] = b"owner 0"
    working_dir = "shelf://out/.unfinished/0"
    context = JobContext(JobConfig(), "shelf://out", working_dir, "owner")
    pipeline = beam.Pipeline(runner=FnApiRunner())
    shares = [Share("shelf://in/cat.ndjson", len(LINES), n, 2) for n in range(2)]
    build_pipeline(pipeline, context, shares)
    result = pipeline.run()
    job_result = json.loads(shelf[f"{working_dir}/{output_dir.RESULT_FILE}"])
    assert (job_result["error"], job_result["counts"]["written"]) == (None, 200)
    assert "shelf://out/dataset_info.json" in shelf
    counters = result.metrics().query()["counters"]
    own_counters = [
        each for each in counters if each.key.metric.namespace == "quickdraw"
    ]
    counted = collections.Counter()
    for each in own_counters:
        counted[each.key.metric.name] += each.result
    assert (counted["lines"], counted["written"]) == (200, 200)
    assert counted["bytes"] == len(LINES)  # by ranges: each byte once


def test_remains_of_a_dead_job_are_removed_and_its_data_set_is_replaced(build, shelf):
    build(["shelf://in/*"], "shelf://out", num_shards=2)
    shelf["shelf://out/.unfinished/0123/train-0-abc"] = b"half"
    shelf["shelf://out/.lock"] = b"dead 17"
    with pytest.raises(ValueError, match="already contains a data set"):
        build(["shelf://in/*"], "shelf://out", num_shards=1)
    build(["shelf://in/*"], "shelf://out", num_shards=1, overwrite=True)
    assert names_in("shelf://out") == [
        "shelf://out/dataset_info.json",
        *(f"shelf://out/{s}-00000-of-00001.tfrecord" for s in ("test", "train")),
        "shelf://out/validation-00000-of-00001.tfrecord",
    ]
    info = DatasetInfo.from_json(shelf["shelf://out/dataset_info.json"].decode(), "")
    assert info.counts["written"] == 200


def test_other_objects_are_never_touched(build, shelf):
    shelf["shelf://out/notes.txt"] = b"mine"
    with pytest.raises(ValueError, match=r"'notes\.txt', which is not part"):
        build(["shelf://in/*"], "shelf://out", overwrite=True)
    assert names_in("shelf://out") == ["shelf://out/notes.txt"]


def test_a_second_owner_is_refused_while_the_heartbeat_goes_on(shelf):
    with file_lock.hold_lock("shelf://out"):
        time.sleep(5 * file_lock.HEARTBEAT_SECONDS)
        with (
            pytest.raises(ValueError, match="shelf://out is in use by another process"),
            file_lock.hold_lock("shelf://out"),
        ):
            pass
    assert not names_in("shelf://out")


def test_a_lock_without_heartbeat_expires(shelf):
    shelf["shelf://out/.lock"] = b"dead 17"
    started = time.monotonic()
    with file_lock.hold_lock("shelf://out"):
        assert (
            time.monotonic() - started
            >= file_lock.MISSED_HEARTBEATS * file_lock.HEARTBEAT_SECONDS
        )
    assert not names_in("shelf://out")


def test_one_of_many_simultaneous_owners_gets_the_lock(monkeypatch):
    # A busy machine may delay a heartbeat by half a second.
    monkeypatch.setattr(file_lock, "HEARTBEAT_SECONDS", 0.3)
    owners, refused = [], []

    def job():
        try:
            with file_lock.hold_lock("shelf://out"):
                owners.append(1)
                time.sleep(5 * file_lock.HEARTBEAT_SECONDS)
        except ValueError:
            refused.append(1)

    threads = [threading.Thread(target=job) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(owners), len(refused)) == (1, 4)


def test_a_lost_lock_is_detected_and_not_deleted(shelf):
    with file_lock.hold_lock("shelf://out") as owner:
        file_lock.check_owner("shelf://out", owner)
        shelf["shelf://out/.lock"] = b"other 0"
        with pytest.raises(ValueError, match="in use by another process"):
            file_lock.check_owner("shelf://out", owner)
        time.sleep(3 * file_lock.HEARTBEAT_SECONDS)
    assert shelf["shelf://out/.lock"] == b"other 0"


def test_beam_finds_the_object_store():
    assert FileSystems.get_scheme("shelf://in/cat.ndjson") == "shelf"
    assert FileSystems.exists("shelf://in/cat.ndjson")
