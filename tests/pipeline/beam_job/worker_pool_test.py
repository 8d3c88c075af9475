"""Workers are forked where that is safe, and are never left behind."""

import subprocess
import sys

import pytest

SCRIPT = """
import os, sys, threading
from pipeline import worker_pool

def has_children():
    try:
        return os.waitpid(-1, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False

for number in range(2):
    if sys.argv[2] == "threads":
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    with worker_pool.opened(f"{sys.argv[1]}-{number}", 2) as pool:
        print(has_children(), end=" ")
        try:
            pool.run_worker({})
        except RuntimeError as error:
            print(error, end=" ")
        print(has_children(), end=" ")
    print(has_children())
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="none is forked")

FAILED = "a worker process exited with return code 1"


@pytest.mark.parametrize(
    ("threads", "first"),
    [("none", f"True {FAILED} True False"), ("threads", f"False {FAILED} False False")],
)
def test_only_a_process_of_one_thread_is_forked_and_once(tmp_path, threads, first):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "pipe"), threads]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [first, f"False {FAILED} False False"]
