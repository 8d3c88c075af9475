"""The output folder contains one complete data set, or none."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import file_lock
from pipeline.beam_job import output_dir
from pipeline.beam_job.config import JobConfig, JobContext
from pipeline.beam_job.result import JobResult


def names_in(folder):
    return sorted(os.listdir(folder))


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_data_set_is_replaced_only_if_requested(build, source, tmp_path):
    out = tmp_path / "out"
    build([source], out, num_shards=3)
    before = files_in(out)
    message = f"{out} already contains a data set .see --overwrite."
    with pytest.raises(ValueError, match=message):
        build([source], out)
    assert files_in(out) == before
    build([source], out, overwrite=True, num_shards=1)
    assert names_in(out) == [
        "dataset_info.json",
        "test-00000-of-00001.tfrecord",
        "train-00000-of-00001.tfrecord",
        "validation-00000-of-00001.tfrecord",
    ]


def test_the_previous_data_set_stays_if_the_new_one_fails(build, source, tmp_path):
    out = tmp_path / "out"
    build([source], out)
    before = files_in(out)
    source.write_text("broken\n")
    with pytest.raises(ValueError, match="1 of 1 lines were rejected"):
        build([source], out, overwrite=True)
    assert '"broken"' in (out / "rejected-00000.ndjson").read_text()
    (out / "rejected-00000.ndjson").unlink()
    assert files_in(out) == before


@pytest.mark.parametrize("name", ["notes.txt", "train.tfrecord", ".hidden", "photos/"])
@pytest.mark.parametrize("folder", ["out", "out[1]"])
def test_other_files_are_never_touched(build, source, tmp_path, folder, name):
    out = tmp_path / folder
    out.mkdir()
    other = out / name
    other.mkdir() if name[-1] == "/" else other.write_text("mine")
    with pytest.raises(ValueError, match=f"{name.rstrip('/')}', which is not part of"):
        build([source], out, overwrite=True)
    assert names_in(out) == [name.rstrip("/")]


def test_a_locked_folder_is_refused(build, source, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with (out / file_lock.LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(file_lock.FolderInUseError):
            build([source], out)


def test_an_output_folder_that_is_a_file_is_refused(build, source):
    with pytest.raises(OSError, match="File exists"):
        build([source], source)


def test_remains_of_a_dead_job_are_removed(build, source, tmp_path):
    out = tmp_path / "out"
    (out / ".unfinished" / "deep").mkdir(parents=True)
    (out / ".unfinished" / "train-0-abc").write_text("half")
    (out / "train-00007-of-00009.tfrecord").write_text("old")
    (out / "rejected-00003.ndjson").write_text("old")
    (out / ".lock").write_text("")
    build([source], out, num_shards=1)
    assert len(names_in(out)) == 4
    assert "train-00000-of-00001.tfrecord" in names_in(out)


OLD = {
    "dataset_info.json": b"old",
    "rejected-00000.ndjson": b"old",
    "train-00000-of-00002.tfrecord": b"old",
    "train-00000-of-00001.tfrecord": b"old",
}
NEW = {
    "dataset_info.json": b"new",
    "rejected-00000.ndjson": b"new",
    "train-00000-of-00002.tfrecord": b"new",
    "train-00001-of-00002.tfrecord": b"new",
}

PUBLISH = """
import json, os, signal, sys
from pipeline.beam_job import output_dir
from pipeline.beam_job.config import JobConfig, JobContext
from pipeline.beam_job.result import JobResult
from tfrecords import storage

delete, rename, write = storage.delete, storage.rename, storage.write
for steps, (result, *context) in enumerate(json.load(sys.stdin)):
    def step():
        global steps
        if not steps:
            os.kill(os.getpid(), signal.SIGKILL)
        steps -= 1

    # Paths one by one, so that the process can die between any two changes.
    storage.delete = lambda paths: [(step(), delete([path])) for path in paths]
    storage.rename = lambda *paths: (step(), rename(*paths))
    storage.write = lambda *args: (step(), write(*args))
    child = os.fork()
    if not child:
        output_dir.publish(JobResult(**result), JobContext(JobConfig(), *context))
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""


def make_unpublished_job(out, info="new"):
    """Makes a folder with an old data set and a job that has finished its files."""
    working_dir = out / ".unfinished" / "0123"
    working_dir.mkdir(parents=True)
    for name, data in OLD.items():
        (out / name).write_bytes(data)
    (out / ".lock").write_text("owner")
    files = {}
    for name in set(NEW) - {"dataset_info.json"}:
        path = working_dir / f"temporary-{name}"
        path.write_bytes(NEW[name])
        files[name] = str(path)
    result = JobResult(None, {}, files, info)
    return result, JobContext(JobConfig(), str(out), str(working_dir), "owner")


def read_data_set(out):
    files = files_in(out)
    files.pop(".lock")
    return files if "dataset_info.json" in files else None


def test_publishing_can_be_killed_and_repeated_at_any_moment(tmp_path):
    num_moments = 13
    jobs = [make_unpublished_job(tmp_path / str(n)) for n in range(num_moments)]
    done = subprocess.run(
        [sys.executable, "-c", PUBLISH],
        input=json.dumps([(vars(result), *context[1:]) for result, context in jobs]),
        capture_output=True,
        text=True,
        check=True,
    )
    killed = [int(status) == signal.SIGKILL for status in done.stdout.split()]
    last = killed.index(False)
    assert last > 6, "too few moments"
    assert killed == [True] * last + [False] * (num_moments - last)
    data_sets = [read_data_set(tmp_path / str(n)) for n in range(num_moments)]
    # The old data set, then none, then the new one: never a mixture.
    assert [each for n, each in enumerate(data_sets) if each not in data_sets[:n]] == [
        OLD,
        None,
        NEW,
    ]
    # Beam may run the step again.
    for result, context in jobs:
        output_dir.publish(result, context)
        assert read_data_set(Path(context.output_dir)) == NEW
        published = output_dir.read_result(context.working_dir)
        assert published.to_json() == result.to_json()


def test_without_a_data_set_only_rejects_are_published(tmp_path):
    result, context = make_unpublished_job(tmp_path, info=None)
    files = {n: p for n, p in result.files.items() if n.startswith("rejected")}
    output_dir.publish(JobResult("why", {}, files, None), context)
    rejects = {"rejected-00000.ndjson": b"new"}
    assert read_data_set(tmp_path) == OLD | rejects


def test_a_job_whose_files_were_deleted_publishes_nothing(tmp_path):
    result, context = make_unpublished_job(tmp_path)
    Path(result.files["train-00001-of-00002.tfrecord"]).unlink()
    with pytest.raises(FileNotFoundError, match="train-00001-of-00002"):
        output_dir.publish(result, context)
    assert read_data_set(tmp_path) == OLD


def test_a_job_that_lost_its_lock_publishes_nothing(tmp_path):
    result, context = make_unpublished_job(tmp_path)
    (tmp_path / ".lock").write_text("other")
    with pytest.raises(file_lock.FolderInUseError):
        output_dir.publish(result, context)
    assert read_data_set(tmp_path) == OLD
