"""An exclusive lock on a folder, local or remote: one job at a time.

A local lock is `flock` on the file `.lock` in the folder. The kernel releases it when
the process ends, however it ends. Remote storage has no locks. There the lock is a
heartbeat: its owner rewrites the file every `HEARTBEAT_SECONDS`, and a heartbeat that
does not change for `MISSED_HEARTBEATS` periods belongs to a process that died.

The file holds the owner's id, so that a worker on another machine can check that the
job it belongs to still holds the lock.
"""

import contextlib
import errno
import os
import sys
import threading
import time
import uuid
from collections.abc import Iterator

from tfrecords import storage

LOCK_FILE = ".lock"

HEARTBEAT_SECONDS = 10.0
MISSED_HEARTBEATS = 3

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


class FolderInUseError(ValueError):
    """Another process holds the lock of a folder."""

    def __init__(self, folder: str):
        super().__init__(f"{folder} is in use by another process")


@contextlib.contextmanager
def hold_lock(folder: str, *, wait: bool = False) -> Iterator[str]:
    """Holds the lock of a folder; creates the folder if it does not exist.

    Args:
      folder: local path or URL.
      wait: waits until the lock of a local folder is free.

    Yields:
      The id of the lock's owner, for `check_owner`.

    Raises:
      FolderInUseError: another process holds the lock.
    """
    owner = uuid.uuid4().hex
    if storage.is_remote(folder):
        with _hold_heartbeat(folder, owner):
            yield owner
    else:
        os.makedirs(folder, exist_ok=True)
        with _hold_flock(folder, owner, wait):
            yield owner


def check_owner(folder: str, owner: str) -> None:
    """Raises FolderInUseError if the owner has lost the lock of a folder.

    That can happen when remote storage was out of reach. Call it before a change that
    two processes must not make.
    """
    if _read_lock(storage.join(folder, LOCK_FILE)).partition(" ")[0] != owner:
        raise FolderInUseError(folder)


@contextlib.contextmanager
def _hold_flock(folder: str, owner: str, wait: bool) -> Iterator[None]:
    import fcntl  # does not exist on Windows

    path = os.path.join(folder, LOCK_FILE)
    operation = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
    while True:
        with open(path, "a") as lock:
            try:
                fcntl.flock(lock, operation)
            except BlockingIOError:
                raise FolderInUseError(folder) from None
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
                print(
                    f"warning: the file system of {folder} has no locks; do not "
                    "start a second job there",
                    file=sys.stderr,
                )
            # The previous owner may have removed the file after it was opened here.
            if not _is_same_file(lock.fileno(), path):
                continue
            lock.truncate(0)
            lock.write(owner)
            lock.flush()
            try:
                yield
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
            return


def _is_same_file(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _hold_heartbeat(folder: str, owner: str) -> Iterator[None]:
    path = storage.join(folder, LOCK_FILE)
    _wait_for_dead_owner(path, folder)
    storage.write(path, f"{owner} 0")
    stop = threading.Event()

    def beat() -> None:
        count = 0
        while not stop.wait(HEARTBEAT_SECONDS):
            # The next heartbeat makes up for one that the storage refused.
            with contextlib.suppress(Exception):
                if (_read_lock(path) or owner).startswith(owner):
                    count += 1
                    storage.write(path, f"{owner} {count}")

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        # Of two processes that start at the same time, the last one to write wins.
        time.sleep(min(1.0, HEARTBEAT_SECONDS))
        check_owner(folder, owner)
        yield
    finally:
        stop.set()
        thread.join()
        if _read_lock(path).startswith(owner):
            storage.delete([path])


def _wait_for_dead_owner(path: str, folder: str) -> None:
    """Returns when no heartbeat changes; compares no clocks of two machines."""
    first = _read_lock(path)
    deadline = time.monotonic() + MISSED_HEARTBEATS * HEARTBEAT_SECONDS
    while (current := _read_lock(path)) and time.monotonic() < deadline:
        if current != first:
            raise FolderInUseError(folder)
        time.sleep(HEARTBEAT_SECONDS / 5)


def _read_lock(path: str) -> str:
    """Returns the content of a lock file, empty if it does not exist."""
    try:
        return storage.read_text(path) if storage.exists(path) else ""
    except OSError:
        return ""  # removed in between
