"""An exclusive lock on a folder, local or remote: one job at a time.

A local lock is `flock` on the file `.lock` in the folder. The kernel releases it when
the process ends, however it ends. Remote storage has no locks. There the lock is a
heartbeat: its owner rewrites the file every `HEARTBEAT_SECONDS`, and a heartbeat that
does not change for `MISSED_HEARTBEATS` periods belongs to a process that died.
"""

import contextlib
import errno
import functools
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator

LOCK_FILE = ".lock"

HEARTBEAT_SECONDS = 10.0
MISSED_HEARTBEATS = 3


class FolderInUseError(ValueError):
    """Another process holds the lock of a folder."""

    def __init__(self, folder: str):
        super().__init__(f"{folder} is in use by another process")


def is_local(path: str) -> bool:
    """Returns whether a path is on a local disk rather than remote storage."""
    return "://" not in path


@contextlib.contextmanager
def hold_lock(folder: str, *, wait: bool = False) -> Iterator[Callable[[], None]]:
    """Holds the lock of a folder; creates the folder if it does not exist.

    Args:
      folder: local path or URL.
      wait: waits until the lock of a local folder is free.

    Yields:
      A function that raises FolderInUseError if the lock was lost, which can happen
      when remote storage was out of reach. Call it before a critical change.

    Raises:
      FolderInUseError: another process holds the lock.
    """
    if is_local(folder):
        os.makedirs(folder, exist_ok=True)
        with _hold_flock(folder, wait):
            yield lambda: None
    else:
        with _hold_heartbeat(folder) as check_lock:
            yield check_lock


@contextlib.contextmanager
def _hold_flock(folder: str, wait: bool) -> Iterator[None]:
    import fcntl  # does not exist on Windows

    path = os.path.join(folder, LOCK_FILE)
    operation = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
    while True:
        with open(path, "w") as lock:
            try:
                fcntl.flock(lock, operation)
            except BlockingIOError:
                raise FolderInUseError(folder) from None
            except OSError as error:
                if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
                    raise
                print(
                    f"warning: the file system of {folder} has no locks; do not "
                    "start a second job there",
                    file=sys.stderr,
                )
            # The previous owner may have removed the file after it was opened here.
            if not _is_same_file(lock.fileno(), path):
                continue
            try:
                yield
            finally:
                os.unlink(path)
            return


def _is_same_file(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _hold_heartbeat(folder: str) -> Iterator[Callable[[], None]]:
    path = f"{folder.rstrip('/')}/{LOCK_FILE}"
    owner = uuid.uuid4().hex
    _wait_for_dead_owner(path, folder)
    _write(path, f"{owner} 0")
    stop = threading.Event()

    def beat() -> None:
        count = 0
        while not stop.wait(HEARTBEAT_SECONDS):
            # The next heartbeat makes up for one that the storage refused.
            with contextlib.suppress(Exception):
                if (_read(path) or owner).startswith(owner):
                    count += 1
                    _write(path, f"{owner} {count}")

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        # Of two processes that start at the same time, the last one to write wins.
        time.sleep(min(1.0, HEARTBEAT_SECONDS))
        check_lock = functools.partial(_check_owner, path, owner, folder)
        check_lock()
        yield check_lock
    finally:
        stop.set()
        thread.join()
        if (_read(path) or "").startswith(owner):
            _delete(path)


def _wait_for_dead_owner(path: str, folder: str) -> None:
    """Returns when no heartbeat changes; compares no clocks of two machines."""
    first = _read(path)
    deadline = time.monotonic() + MISSED_HEARTBEATS * HEARTBEAT_SECONDS
    while (current := _read(path)) is not None and time.monotonic() < deadline:
        if current != first:
            raise FolderInUseError(folder)
        time.sleep(HEARTBEAT_SECONDS / 5)


def _check_owner(path: str, owner: str, folder: str) -> None:
    if not (_read(path) or "").startswith(owner):
        raise FolderInUseError(folder)


# Beam is imported in these functions only: a server that locks a local folder runs
# without it.


def _read(path: str) -> str | None:
    from apache_beam.io.filesystem import BeamIOError
    from apache_beam.io.filesystems import FileSystems

    try:
        if not FileSystems.exists(path):
            return None
        with FileSystems.open(path) as file:
            return file.read().decode()
    except (BeamIOError, FileNotFoundError):
        return None  # removed in between


def _write(path: str, text: str) -> None:
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    raw = CompressionTypes.UNCOMPRESSED
    with FileSystems.create(path, compression_type=raw) as file:
        file.write(text.encode())


def _delete(path: str) -> None:
    from apache_beam.io.filesystems import FileSystems

    FileSystems.delete([path])
