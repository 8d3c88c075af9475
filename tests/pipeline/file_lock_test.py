"""On this machine's disks a lock is never shared and dies with its process."""

import subprocess
import sys
import threading
import time

import pytest

from pipeline import file_lock

HOLD = """
import sys, time
from pipeline import lock
with lock.locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_one_is_refused_and_the_first_leaves_nothing(tmp_path):
    with file_lock.locked(str(tmp_path / "new")):
        with (
            pytest.raises(ValueError, match="new is in use by another job"),
            file_lock.locked(str(tmp_path / "new")),
        ):
            pass
        assert (tmp_path / "new" / file_lock.NAME).exists()
    assert not list((tmp_path / "new").iterdir())


def test_a_killed_process_keeps_nobody_out(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(ValueError, match="in use"), file_lock.locked(str(tmp_path)):
        pass
    holder.kill()
    holder.wait()
    with file_lock.locked(str(tmp_path)):
        pass


def test_two_are_never_inside_at_once(tmp_path):
    inside: list[int] = []
    most = entered = 0
    end = time.monotonic() + 1.0

    def job():
        nonlocal most, entered
        while time.monotonic() < end:
            try:
                with file_lock.locked(str(tmp_path)):
                    inside.append(1)
                    most = max(most, len(inside))
                    entered += 1
                    inside.pop()
            except ValueError:
                pass

    threads = [threading.Thread(target=job) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert entered > 100
    assert most == 1
