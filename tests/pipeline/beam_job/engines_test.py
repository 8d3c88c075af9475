"""The job on Flink and Spark, within their job servers: the same bytes as locally."""

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

ROOT = Path(__file__).parents[3]
SHARDS = 5

# A JVM that runs for seconds needs no optimizing compiler.
QUICK_JVM = "--job_server_jvm_properties=-XX:TieredStopAtLevel=1"

RESTARTS = """
taskmanager.numberOfTaskSlots: 2
restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 3
restart-strategy.fixed-delay.delay: 1 s
"""


def job_server_flags(engine):
    """Returns the flags that start an engine; skips the test if it is missing."""
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
    return read_files(folder)


def read_files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextlib.contextmanager
def start_command(source, out, *flags):
    """Runs the command in a process group, which must be empty at the end.

    Like the background jobs of a shell, it ignores SIGINT at its start.
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
        with pytest.raises(ProcessLookupError):  # the job server has ended
            os.killpg(process.pid, 0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def worker_pool():
    """Starts a worker pool, as beside a task manager; yields its flags and process."""
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
    """Waits for the first shards; returns how many there are."""
    end = time.monotonic() + 600
    while not (shards := list(out.glob(".unfinished/*/t*-*-*"))):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.002)
    return len(shards)


def kill_a_worker(process, pool, out):
    """Kills a worker while shards are written; returns how many there were."""
    num_shards = wait_for_shards(process, out)
    workers = [
        int(child)
        for thread in Path(f"/proc/{pool.pid}/task").iterdir()
        for child in (thread / "children").read_text().split()
    ]
    os.kill(workers[-1], signal.SIGKILL)
    return num_shards


@pytest.mark.flink
def test_flink_with_two_slots_gives_the_same_bytes(source, expected, tmp_path):
    out = tmp_path / "out"
    flags = [
        *job_server_flags("flink"),
        "--parallelism=2",
        "--environment_type=LOOPBACK",
    ]
    with start_command(source, out, *flags) as process:
        stdout, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, stderr
    assert read_files(out) == expected
    assert "read                        2,400" in stdout


@pytest.mark.flink
def test_flink_replaces_a_killed_worker(source, expected, tmp_path, worker_pool):
    out = tmp_path / "out"
    (tmp_path / "flink-conf.yaml").write_text(RESTARTS)
    flags = [
        *job_server_flags("flink"),
        "--parallelism=2",
        f"--flink_conf_dir={tmp_path}",
    ]
    environment, pool = worker_pool
    with start_command(source, out, *flags, *environment) as process:
        assert kill_a_worker(process, pool, out) < 3 * SHARDS
        _, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, stderr
    assert read_files(out) == expected


@pytest.mark.flink
def test_without_restarts_a_killed_worker_fails_the_job_in_one_line(
    source, tmp_path, worker_pool
):
    out = tmp_path / "out"
    environment, pool = worker_pool
    with start_command(
        source, out, *job_server_flags("flink"), *environment
    ) as process:
        kill_a_worker(process, pool, out)
        stdout, stderr = process.communicate(timeout=900)
    assert (process.returncode, stdout) == (1, "")
    assert stderr.splitlines()[-1].startswith("error: the job failed: ")
    assert not [line for line in stderr.splitlines() if line.startswith("\t")]
    assert not list(out.iterdir())


@pytest.mark.flink
def test_an_interrupt_ends_the_job_and_its_server(source, tmp_path):
    out = tmp_path / "out"
    with start_command(source, out, *job_server_flags("flink")) as process:
        wait_for_shards(process, out)
        process.terminate()
        stdout, stderr = process.communicate(timeout=300)
    assert (process.returncode, stdout) == (130, "")
    assert stderr.splitlines()[-1] == "error: interrupted"
    assert not list(out.iterdir())


@pytest.mark.flink
def test_a_job_publishes_its_data_set_after_its_launcher_died(
    build, source, expected, tmp_path, worker_pool
):
    out = tmp_path / "out"
    environment, _ = worker_pool
    with start_command(
        source, out, *job_server_flags("flink"), *environment
    ) as process:
        wait_for_shards(process, out)
        process.kill()
        process.wait()
        wait_until(lambda: (out / "dataset_info.json").exists())
        files = {path.name: path.read_bytes() for path in out.iterdir() if path.suffix}
        os.killpg(process.pid, signal.SIGKILL)  # the job server
        wait_until(lambda: not is_running(process.pid))
    assert {name: files.get(name) for name in expected} == expected
    with pytest.raises(ValueError, match="already contains a data set"):
        build([source], out)


def wait_until(condition):
    end = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def is_running(group):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


@pytest.mark.spark
def test_spark_on_two_cores_gives_the_same_bytes(source, expected, tmp_path):
    out = tmp_path / "out"
    flags = [*job_server_flags("spark"), "--spark_master_url=local[2]"]
    with start_command(source, out, *flags) as process:
        _, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, stderr
    assert read_files(out) == expected


@pytest.mark.spark
def test_spark_replaces_a_killed_worker(source, expected, tmp_path, worker_pool):
    out = tmp_path / "out"
    retrying = "--spark_master_url=local[2,4]"  # cores, attempts per task
    environment, pool = worker_pool
    with start_command(
        source, out, *job_server_flags("spark"), retrying, *environment
    ) as process:
        assert kill_a_worker(process, pool, out) < 3 * SHARDS
        _, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, stderr
    assert read_files(out) == expected


@pytest.mark.flink
def test_flink_gives_the_same_predictions(source, tmp_path):
    command = [sys.executable, "-m", "serve_export.predict_batch", f"--input={source}"]
    flink = [
        *job_server_flags("flink"),
        "--parallelism=2",
        "--environment_type=LOOPBACK",
    ]
    for name, flags in {"flink": flink, "local": []}.items():
        subprocess.run(
            [*command, f"--output_dir={tmp_path / name}", *flags],
            check=True,
            capture_output=True,
            timeout=900,
        )
    predictions = read_files(tmp_path / "flink")
    assert len(predictions) == 6 + 1  # a file per input file, and predictions.json
    assert predictions == read_files(tmp_path / "local")
