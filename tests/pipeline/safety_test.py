"""Whatever becomes of the processes, nobody finds half a data set."""

import contextlib
import json
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
    return files_of(folder)


def files_of(folder):
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
    """Waits until the job is so far that it has such a file."""
    end = time.monotonic() + 60
    while not list(out.glob(f".unfinished/*/{pattern}")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.005)


def living(group):
    """The processes of a group that are not yet dead."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                found.append(path.parent.name)
    return found


def assert_all_end(process):
    end = time.monotonic() + 5
    while living(process.pid):
        assert time.monotonic() < end, "orphans live on"
        time.sleep(0.02)


@pytest.mark.slow
def test_killed_at_any_moment_the_same_command_runs_through(source, expected, tmp_path):
    out = tmp_path / "out"
    moments = [
        ("launcher", os.kill),  # workers are about to start
        ("chunks-*", os.killpg),  # reading
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
    assert files_of(out) == expected


def heed_ctrl_c():
    """What a shell starts in the background, these tests too, ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("kill", [os.kill, os.killpg])
def test_an_interrupt_is_one_line_and_leaves_nothing(source, tmp_path, kill):
    out = tmp_path / "out"
    process = start(source, out, preexec_fn=heed_ctrl_c)
    wait_for(process, out, "chunks-*")
    # A terminal sends Ctrl-C to all processes, `kill` and systemd SIGTERM to one.
    kill(process.pid, signal.SIGTERM if kill is os.kill else signal.SIGINT)
    stdout, stderr = process.communicate(timeout=10)
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
    wait_for(process, tmp_path / "out", "chunks-*")
    workers = [pid for pid in living(process.pid) if int(pid) != process.pid]
    os.kill(int(workers[0]), signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout) == (1, "")
    (message,) = stderr.splitlines()[1:]
    assert message.startswith("error: the job failed: ")
    assert_all_end(process)
    assert not list((tmp_path / "out").iterdir())


SWAP = """
import json, os, signal, sys
from apache_beam.io.filesystems import FileSystems
from pipeline import output_folder
from pipeline.outcome import Outcome

delete, rename = FileSystems.delete, FileSystems.rename
for steps, (outcome, *folders) in enumerate(json.load(sys.stdin)):
    def step():
        global steps
        if not steps:
            os.kill(os.getpid(), signal.SIGKILL)
        steps -= 1

    # Paths one by one, so that each is a moment to die at.
    FileSystems.delete = lambda paths: [(step(), delete([path])) for path in paths]
    FileSystems.rename = lambda *paths: (step(), rename(*paths))
    child = os.fork()
    if not child:
        output_folder.publish(Outcome(**outcome), *folders)
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""


def test_killed_within_the_swap_no_mixture_reads_as_whole(build, tmp_path):
    old = {"dataset_info.json": b"old", "train-00000-of-00001.tfrecord": b"old"}
    new = {"dataset_info.json": b"new", "train-00000-of-00002.tfrecord": b"new"}
    new |= {"train-00001-of-00002.tfrecord": b"new", "rejected-00000.ndjson": b"new"}
    jobs = []
    for steps in range(7):
        out = tmp_path / str(steps)
        folder = out / ".unfinished" / "0123"
        folder.mkdir(parents=True)
        for name, data in old.items():
            (out / name).write_bytes(data)
        files = {name: str(folder / name) for name in set(new) - {"dataset_info.json"}}
        for name, path in files.items():
            Path(path).write_bytes(new[name])
        outcome = {"problem": None, "counts": {}, "files": files, "info": "new"}
        jobs.append((outcome, str(out), str(folder)))
    done = subprocess.run(
        [sys.executable, "-c", SWAP],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=True,
    )
    killed = [int(status) == signal.SIGKILL for status in done.stdout.split()]
    assert killed == [True] * 6 + [False]
    found = [files_of_data_set(tmp_path / str(steps)) for steps in range(7)]
    assert found == [old, None, None, None, None, None, new]


def files_of_data_set(folder):
    if not (folder / "dataset_info.json").exists():
        return None
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
