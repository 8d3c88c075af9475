"""A folder is locked by one process at a time; the lock ends with the process."""

import subprocess
import sys
import threading
import time

import pytest

from pipeline import file_lock

HOLD_LOCK = """
import sys, time
from pipeline import file_lock
with file_lock.hold_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_second_owner_is_refused_and_no_file_remains(tmp_path):
    folder = tmp_path / "new"
    with file_lock.hold_lock(str(folder)):
        with (
            pytest.raises(file_lock.FolderInUseError, match="new is in use"),
            file_lock.hold_lock(str(folder)),
        ):
            pass
        assert (folder / file_lock.LOCK_FILE).exists()
    assert not list(folder.iterdir())


def test_lock_ends_with_a_killed_process(tmp_path):
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert owner.stdout.readline() == b"held\n"
    with (
        pytest.raises(file_lock.FolderInUseError),
        file_lock.hold_lock(str(tmp_path)),
    ):
        pass
    owner.kill()
    owner.wait()
    with file_lock.hold_lock(str(tmp_path)):
        pass


@pytest.mark.parametrize("wait", [False, True])
def test_two_threads_never_hold_the_lock_at_once(tmp_path, wait):
    owners: list[int] = []
    max_owners = acquired = 0
    end = time.monotonic() + 0.5

    def acquire_repeatedly():
        nonlocal max_owners, acquired
        while time.monotonic() < end:
            try:
                with file_lock.hold_lock(str(tmp_path), wait=wait):
                    owners.append(1)
                    max_owners = max(max_owners, len(owners))
                    acquired += 1
                    owners.pop()
            except file_lock.FolderInUseError:
                assert not wait

    threads = [threading.Thread(target=acquire_repeatedly) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert acquired > 50
    assert max_owners == 1
    assert not list(tmp_path.iterdir())


def test_local_lock_does_not_import_beam(tmp_path):
    code = (
        "import sys; from pipeline import file_lock\n"
        f"with file_lock.hold_lock({str(tmp_path)!r}): pass\n"
        "print('apache_beam' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
