"""On Flink and Spark, real ones within their job servers: the same bytes as locally."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import sample

ROOT = Path(__file__).parents[2]
SHARDS = 5

# A JVM that lives for seconds is not to compile as if for days.
QUICK_JVM = "--job_server_jvm_properties=-XX:TieredStopAtLevel=1"

RESTARTS = """
taskmanager.numberOfTaskSlots: 2
restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 3
restart-strategy.fixed-delay.delay: 1 s
"""


def job_server(engine):
    """The flags that start an engine, where it is at hand."""
    variable = f"{engine.upper()}_JOB_SERVER_JAR"
    jar = Path(os.environ.get(variable, ROOT / "build" / engine / "job-server.jar"))
    if shutil.which("java") is None:
        pytest.skip("no java on the PATH")
    if not jar.exists():
        pytest.skip(f"no {jar} (make test-{engine} fetches it, or set {variable})")
    runner = f"--runner={engine.capitalize()}Runner"
    return [runner, f"--{engine}_job_server_jar={jar}", QUICK_JVM]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("in")
    sample.write_sample(folder, 400, 0, sample.CLASSES[:6])
    return f"{folder}/*.ndjson"


@pytest.fixture(scope="module")
def expected(build, source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected") / "out"
    build([source], folder, num_shards=SHARDS)
    return files_of(folder)


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextlib.contextmanager
def started(source, out, *flags):
    """The command, in a group of processes of its own that is empty at the end.

    It is started as a shell starts what is to run in the background.
    """
    command = [sys.executable, "-m", "pipeline.create_dataset", f"--input={source}"]
    process = subprocess.Popen(
        [*command, f"--output_dir={out}", f"--num_shards={SHARDS}", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        yield process
        with pytest.raises(ProcessLookupError):  # no job server outlives its job
            os.killpg(process.pid, 0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def worker_pool():
    """The flags that take workers from a pool, and the pool, as beside a cluster."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bin_dir = os.path.dirname(sys.executable)
    pool = subprocess.Popen(
        [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main",
         f"--service_port={port}"],
        env=os.environ | {"PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    environment = f"--environment_config=localhost:{port}"
    try:
        yield ["--environment_type=EXTERNAL", environment], pool
    finally:
        os.killpg(pool.pid, signal.SIGKILL)
        pool.wait()


def wait_for_shards(process, out):
    """Waits until the first shard is on its way; gives how many are."""
    end = time.monotonic() + 240
    while not (found := list(out.glob(".unfinished/*/t*-*-*"))):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.002)
    return len(found)


def kill_a_worker(process, pool, out):
    """Kills one while shards are written; gives how many there were."""
    found = wait_for_shards(process, out)
    workers = [
        int(child)
        for thread in Path(f"/proc/{pool.pid}/task").iterdir()
        for child in (thread / "children").read_text().split()
    ]
    os.kill(workers[-1], signal.SIGKILL)
    return found


@pytest.mark.flink
def test_flink_in_two_slots_makes_the_same_bytes(source, expected, tmp_path):
    out = tmp_path / "out"
    flags = [*job_server("flink"), "--parallelism=2", "--environment_type=LOOPBACK"]
    with started(source, out, *flags) as process:
        stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    assert files_of(out) == expected
    assert "read                        2,400" in stdout


@pytest.mark.flink
def test_flink_makes_up_for_a_killed_worker(source, expected, tmp_path, worker_pool):
    out = tmp_path / "out"
    (tmp_path / "flink-conf.yaml").write_text(RESTARTS)
    flags = [*job_server("flink"), "--parallelism=2", f"--flink_conf_dir={tmp_path}"]
    environment, pool = worker_pool
    with started(source, out, *flags, *environment) as process:
        assert kill_a_worker(process, pool, out) < 3 * SHARDS
        _, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    assert files_of(out) == expected


@pytest.mark.flink
def test_without_restarts_a_killed_worker_is_one_line(source, tmp_path, worker_pool):
    out = tmp_path / "out"
    environment, pool = worker_pool
    with started(source, out, *job_server("flink"), *environment) as process:
        kill_a_worker(process, pool, out)
        stdout, stderr = process.communicate(timeout=300)
    assert (process.returncode, stdout) == (1, "")
    assert stderr.splitlines()[-1].startswith("error: the job failed: ")
    assert not [line for line in stderr.splitlines() if line.startswith("\t")]
    assert not list(out.iterdir())


@pytest.mark.flink
def test_an_interrupt_ends_the_job_and_its_server(source, tmp_path):
    out = tmp_path / "out"
    with started(source, out, *job_server("flink")) as process:
        wait_for_shards(process, out)
        process.terminate()
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, "")
    assert stderr.splitlines()[-1] == "error: interrupted"
    assert not list(out.iterdir())


@pytest.mark.spark
def test_spark_on_two_cores_makes_the_same_bytes(source, expected, tmp_path):
    out = tmp_path / "out"
    flags = [*job_server("spark"), "--spark_master_url=local[2]"]
    with started(source, out, *flags) as process:
        _, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    assert files_of(out) == expected
