"""Workers are forked where that is safe, and never outlive the launcher."""

import subprocess
import sys
import time

import pytest

RUN_TWICE = """
import os, sys, threading
from pipeline.beam_job import worker_pool

def has_children():
    try:
        return os.waitpid(-1, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False

for _ in range(2):
    if sys.argv[1] == "threads":
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    with worker_pool.open_pool(2) as pool:
        print(has_children(), end=" ")
        try:
            pool.run_worker({})
        except RuntimeError as error:
            print(error, end=" ")
        print(has_children(), end=" ")
    print(has_children())
"""

DIE = """
import os, subprocess, sys
from pipeline.beam_job import worker_pool
if sys.argv[1] == "fork":
    worker = worker_pool._fork_worker()[0]
else:
    code = "from pipeline.beam_job import worker_pool\\n"
    code += f"worker_pool._exit_with({os.getpid()})\\n"
    code += "import time; print('ready', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    process.stdout.readline()
    worker = process.pid
print(worker, flush=True)
os.kill(os.getpid(), 9)
"""

FAILED = "a worker process exited with return code 1"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's fork")


@pytest.mark.parametrize(
    ("threads", "first"),
    [("none", f"True {FAILED} True False"), ("threads", f"False {FAILED} False False")],
)
def test_only_the_first_pool_of_a_single_threaded_process_forks(threads, first):
    command = [sys.executable, "-c", RUN_TWICE, threads]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [first, f"False {FAILED} False False"]


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_a_worker_dies_with_its_launcher(how):
    launcher = subprocess.Popen(
        [sys.executable, "-c", DIE, how], stdout=subprocess.PIPE, text=True
    )
    worker = int(launcher.stdout.readline())
    launcher.wait()
    end = time.monotonic() + 30
    while is_alive(worker):
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
