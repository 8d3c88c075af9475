"""The folder that the launcher of a local run shares with its worker processes.

It holds the chunks that the shuffle hands on (`pipeline.chunks`), the counts
(`pipeline.progress`), and a pipe that nobody writes to. The pipe's end, which comes
with the launcher's death however it dies, is the end of each worker too.
"""

import contextlib
import functools
import os
import threading
from collections.abc import Iterator
from typing import NamedTuple

_ALIVE = "alive"


class Scratch(NamedTuple):
    """A folder on a disk of this machine, and the process that made it."""

    folder: str
    launcher: int


@contextlib.contextmanager
def alive(scratch: Scratch | None) -> Iterator[None]:
    """Holds the pipe whose end is the end of the workers."""
    if scratch is None:
        yield
        return
    path = os.path.join(scratch.folder, _ALIVE)
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR)  # for writing alone it would wait for a reader
    try:
        yield
    finally:
        os.close(pipe)


@functools.cache
def die_with_launcher(scratch: Scratch | None) -> None:
    """Ends this worker process as soon as the launcher is no more.

    Raises:
      OSError: the launcher is no more, and its folder neither.
    """
    if scratch is None or scratch.launcher == os.getpid():
        return
    path = os.path.join(scratch.folder, _ALIVE)
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # it may be dead already
    os.set_blocking(pipe, True)

    def watch() -> None:
        os.read(pipe, 1)
        os._exit(1)

    threading.Thread(target=watch, name="launcher", daemon=True).start()
