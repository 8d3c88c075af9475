"""One job at a time in an output folder.

On this machine's disks the lock is the kernel's and dies with its process. On remote
storage, which has no locks, it is a heartbeat: a small file that its owner keeps
rewriting. A beat that stays the same for `DEAD_AFTER` beats is that of a dead job.
"""

import contextlib
import fcntl
import functools
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

NAME = ".lock"

BEAT_SECONDS = 10.0
DEAD_AFTER = 3


def is_local(path: str) -> bool:
    return FileSystems.get_scheme(path) is None


@contextlib.contextmanager
def locked(output_dir: str) -> Iterator[Callable[[], None]]:
    """Keeps other jobs out of a folder; makes the folder if it is not there.

    Yields:
      A check to be made before what must not be done by two: it raises ValueError if
      the lock was lost, as remote storage that was out of reach can make it.

    Raises:
      ValueError: another job is at work there.
    """
    if is_local(output_dir):
        os.makedirs(output_dir, exist_ok=True)
        with _flocked(os.path.join(output_dir, NAME), output_dir):
            yield lambda: None
    else:
        with _heartbeat(FileSystems.join(output_dir, NAME), output_dir) as check:
            yield check


@contextlib.contextmanager
def _flocked(path: str, output_dir: str) -> Iterator[None]:
    while True:
        with open(path, "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(f"{output_dir} is in use by another job") from None
            # Its last owner may have removed the file after we had opened it.
            if not _is_at(lock.fileno(), path):
                continue
            try:
                yield
            finally:
                os.unlink(path)
            return


def _is_at(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _heartbeat(path: str, output_dir: str) -> Iterator[Callable[[], None]]:
    me = uuid.uuid4().hex
    _wait_until_dead(path, output_dir)
    _write(path, f"{me} 0")
    stop = threading.Event()

    def beat() -> None:
        number = 0
        while not stop.wait(BEAT_SECONDS):
            # A beat that storage refuses is made up for by the next.
            with contextlib.suppress(Exception):
                if (_read(path) or me).startswith(me):
                    number += 1
                    _write(path, f"{me} {number}")

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        # Of two that found the folder free at once the last to write has it.
        time.sleep(min(1.0, BEAT_SECONDS))
        check = functools.partial(_check_mine, path, me, output_dir)
        check()
        yield check
    finally:
        stop.set()
        thread.join()
        if (_read(path) or "").startswith(me):
            FileSystems.delete([path])


def _wait_until_dead(path: str, output_dir: str) -> None:
    """Returns once nothing beats there; no clocks are compared."""
    first = _read(path)
    deadline = time.monotonic() + DEAD_AFTER * BEAT_SECONDS
    while (now := _read(path)) is not None and time.monotonic() < deadline:
        if now != first:
            raise ValueError(f"{output_dir} is in use by another job")
        time.sleep(BEAT_SECONDS / 5)


def _check_mine(path: str, me: str, output_dir: str) -> None:
    if not (_read(path) or "").startswith(me):
        raise ValueError(f"{output_dir} is in use by another job")


def _read(path: str) -> str | None:
    try:
        if not FileSystems.exists(path):
            return None
        with FileSystems.open(path) as file:
            return file.read().decode()
    except (BeamIOError, FileNotFoundError):
        return None  # removed in between


def _write(path: str, text: str) -> None:
    raw = CompressionTypes.UNCOMPRESSED
    with FileSystems.create(path, compression_type=raw) as file:
        file.write(text.encode())
