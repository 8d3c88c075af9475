"""Whichever process dies, no part of a data set is left behind."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LINE = '{"word":"cat","key_id":"%d","drawing":[[[0,255,%d,%s],[0,10,9,%s]]]}\n'
POINTS = ",".join(str(n) for n in range(150))
LINES = 50_000

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("in") / "cat.ndjson"
    lines = (LINE % (number, number % 256, POINTS, POINTS) for number in range(LINES))
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="module")
def expected(build, source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected") / "out"
    build([source], folder, num_shards=2)
    return read_files(folder)


def read_files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def start(source, out, *arguments, **settings):
    command = [sys.executable, "-m", "pipeline.create_dataset", "--num_shards=2"]
    return subprocess.Popen(
        [*command, f"--input={source}", f"--output_dir={out}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **settings,
    )


def wait_for(process, out, pattern):
    """Waits until the job has made a file."""
    end = time.monotonic() + 60
    while not list(out.glob(f".unfinished/*/{pattern}")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.005)


def find_processes(group):
    """Returns the ids of the running processes of a group."""
    processes = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, process_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(process_group) == group and state != "Z":
                processes.append(path.parent.name)
    return processes


def assert_all_end(process):
    end = time.monotonic() + 60
    while find_processes(process.pid):
        assert time.monotonic() < end, "a process outlives the launcher"
        time.sleep(0.02)


@pytest.mark.slow
def test_the_same_command_succeeds_after_a_kill_at_any_moment(
    source, expected, tmp_path
):
    out = tmp_path / "out"
    moments = [
        ("counts-*", os.kill),  # a worker has started
        ("runs-*", os.killpg),  # reading
        ("train-*", os.kill),  # writing
    ]
    for pattern, kill in moments:
        process = start(source, out)
        wait_for(process, out, pattern)
        kill(process.pid, signal.SIGKILL)
        process.wait()
        assert_all_end(process)
        assert set(os.listdir(out)) <= {".lock", ".unfinished"}
    process = start(source, out)
    assert process.wait() == 0, process.stderr.read()
    assert read_files(out) == expected


def stop_ignoring_ctrl_c():
    """A shell makes background jobs, such as these tests, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("kill", [os.kill, os.killpg])
def test_an_interrupt_is_one_line_and_leaves_nothing(source, tmp_path, kill):
    out = tmp_path / "out"
    process = start(source, out, preexec_fn=stop_ignoring_ctrl_c)
    wait_for(process, out, "runs-*")
    # A terminal sends Ctrl-C to all processes, `kill` and systemd SIGTERM to one.
    kill(process.pid, signal.SIGTERM if kill is os.kill else signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, "")
    assert stderr.splitlines()[1:] == ["error: interrupted"]
    assert_all_end(process)
    assert not list(out.iterdir())


def test_a_full_disk_is_one_line_and_leaves_nothing(source, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    process = start(source, tmp_path / "out", preexec_fn=limit)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (1, "")
    (message,) = stderr.splitlines()[1:]
    assert message.startswith("error: the job failed: OSError: [Errno 27] File too")
    assert_all_end(process)
    assert not list((tmp_path / "out").iterdir())


def test_a_killed_worker_is_one_line_and_leaves_nothing(source, tmp_path):
    process = start(source, tmp_path / "out")
    wait_for(process, tmp_path / "out", "runs-*")
    workers = [pid for pid in find_processes(process.pid) if int(pid) != process.pid]
    os.kill(int(workers[0]), signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (1, "")
    (message,) = stderr.splitlines()[1:]
    assert message.startswith("error: the job failed: ")
    assert_all_end(process)
    assert not list((tmp_path / "out").iterdir())
