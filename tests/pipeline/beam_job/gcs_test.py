"""The job on gs://, with an emulator of Google Cloud Storage."""

import gzip
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline import convert, describe, file_lock
from pipeline.formats import reader, registry
from pipeline.report.dataset_stats import DatasetStats

pytest.importorskip("gcp_storage_emulator", reason="pip install gcp-storage-emulator")
pytest.importorskip("google.cloud.storage", reason="pip install google-cloud-storage")

GOLDEN = Path(__file__).parents[1] / "formats" / "golden"

BUCKET = "gs://drawings"


@pytest.fixture(scope="module")
def emulator():
    """The address of an emulator with an empty bucket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gcp_storage_emulator", "start", "--in-memory"]
    options = [f"--port={port}", "--host=127.0.0.1", "--default-bucket=drawings", "-q"]
    with subprocess.Popen([*command, *options]) as process:
        try:
            wait_for(f"{address}/storage/v1/b/drawings")
            yield address
        finally:
            process.kill()


def wait_for(url):
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 60
    while True:
        try:
            return direct.open(url).close()
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)


@pytest.fixture(autouse=True)
def bucket(emulator, monkeypatch):
    """Beam's gs:// is the emulator's, without credentials; the bucket is empty."""
    from apache_beam.internal.gcp import auth

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator)
    monkeypatch.setenv("no_proxy", "*")
    # Else Beam looks for credentials for half a minute.
    monkeypatch.setattr(auth._Credentials, "_credentials_init", True)
    monkeypatch.setattr(auth._Credentials, "_credentials", None)
    monkeypatch.setattr(file_lock, "HEARTBEAT_SECONDS", 0.5)
    if left := names_in(BUCKET):
        FileSystems.delete(left)


def names_in(folder):
    (result,) = FileSystems.match([f"{folder}/**"])
    return sorted(file.path for file in result.metadata_list)


def put(path, data):
    raw = CompressionTypes.UNCOMPRESSED
    with FileSystems.create(path, compression_type=raw) as file:
        file.write(data)


def get(path):
    raw = CompressionTypes.UNCOMPRESSED
    with FileSystems.open(path, compression_type=raw) as file:
        return file.read()


@pytest.fixture
def inputs(doodles):
    """The doodles as `.gz` in the bucket."""
    for path in doodles.glob("*.ndjson"):
        put(f"{BUCKET}/in/{path.name}.gz", gzip.compress(path.read_bytes(), mtime=0))
    return [f"{BUCKET}/in/*.ndjson.gz"]


def test_the_bytes_are_the_same_as_on_a_disk(build, inputs, data_dir):
    build(inputs, f"{BUCKET}/out/data")
    there = {Path(path).name: get(path) for path in names_in(f"{BUCKET}/out")}
    assert there == {path.name: path.read_bytes() for path in data_dir.iterdir()}


def test_commands_that_read_a_data_set_read_it_remotely(
    build, inputs, data_dir, tmp_path
):
    remote = f"{BUCKET}/out"
    build(inputs, remote)
    for folder, name in ((remote, "there"), (data_dir, "here")):
        convert.convert(str(folder), str(tmp_path / name), "ndjson")
        describe.describe_dataset(str(folder), stats := DatasetStats(5, seed=0))
        assert stats.num_drawings == 160
    written = {path.name: path.read_bytes() for path in (tmp_path / "here").iterdir()}
    assert len(written) == 4
    assert written == {p.name: p.read_bytes() for p in (tmp_path / "there").iterdir()}
    describe.describe_files(inputs, stats := DatasetStats(5, seed=0))
    assert stats.num_drawings == 160


@pytest.mark.parametrize(
    "name",
    [
        "simplified.ndjson",
        "raw.ndjson",
        "cat.bin",
        "cat.npz",
        "dog.full.npz",
        "cat.npy",
        "png/cat/white on black.png",
    ],
)
def test_every_format_is_read_plain_and_gzipped(name):
    def drawings(path, size):
        blocks = reader.read_file(reader.Share(str(path), size))
        return [drawing for block in blocks for drawing in registry.parse(block)]

    data = (GOLDEN / name).read_bytes()
    here = drawings(GOLDEN / name, len(data))
    for stored, path in (
        (data, f"{BUCKET}/{name}"),
        (gzip.compress(data), f"{BUCKET}/{name}.gz"),
    ):
        put(path, stored)
        assert drawings(path, len(stored)) == here


def test_remains_of_a_dead_job_are_removed(build, inputs):
    out = f"{BUCKET}/out"
    put(f"{out}/.unfinished/0123/train-0-abc", b"half")
    put(f"{out}/train-00000-of-00007.tfrecord", b"moved, but without dataset_info.json")
    put(f"{out}/.lock", b"dead 17")
    build(inputs, out, num_shards=1)
    assert names_in(out) == [
        f"{out}/dataset_info.json",
        *(
            f"{out}/{split}-00000-of-00001.tfrecord"
            for split in ("test", "train", "validation")
        ),
    ]


def test_a_second_owner_is_refused_while_the_heartbeat_goes_on():
    with file_lock.hold_lock(f"{BUCKET}/out") as owner:
        time.sleep(2 * file_lock.HEARTBEAT_SECONDS)
        with (
            pytest.raises(ValueError, match="out is in use by another process"),
            file_lock.hold_lock(f"{BUCKET}/out"),
        ):
            pass
        file_lock.check_owner(f"{BUCKET}/out", owner)
    assert not names_in(f"{BUCKET}/out")
