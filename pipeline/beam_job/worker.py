"""A worker process of a local run: Beam's own, but it ends with its launcher.

    python -m pipeline.beam_job.worker PIPE

Nobody writes to the named pipe; the launcher holds it open. Its end, which comes with
the launcher's death however it dies, is the end of the worker too.
"""

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

THREAD = "run_worker"
"""Of the launcher, one for each worker, in which it waits for the worker's end."""


@contextlib.contextmanager
def held(pipe: str) -> Iterator[None]:
    """Makes the pipe and holds it open: the launcher's side of it."""
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDWR)  # for writing alone it would wait for a reader
    try:
        yield
    finally:
        os.close(end)


def die_with(pipe: str) -> None:
    """Ends this process as soon as nobody holds the pipe.

    Raises:
      FileNotFoundError: whoever made it is dead, and what it left cleared away.
    """
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # nobody may hold it any more
    os.set_blocking(end, True)

    def watch() -> None:
        os.read(end, 1)
        os._exit(1)

    threading.Thread(target=watch, name="launcher", daemon=True).start()


def wait_and_work(pipe: str, told: int) -> NoReturn:
    """Makes a process that was just forked a worker, once it is told what Beam wants.

    Args:
      pipe: whose end is the end of this process.
      told: descriptor to read it from: environment variables as JSON, or nothing if
        no worker is needed.
    """
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # The launcher's files are none of ours: the pipe would never end.
        os.dup2(told, 3)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        _become_worker(pipe)
        with open(3) as file:
            text = file.read()
        if text:
            os.environ |= json.loads(text)
            _work()
        os._exit(0)
    finally:
        os._exit(1)


def main() -> None:
    """Does what the launcher's Beam says, until it says that all is done."""
    _become_worker(sys.argv[1])
    _work()


def _become_worker(pipe: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the launcher's to handle
    try:
        die_with(pipe)
    except FileNotFoundError:
        os._exit(1)


def _work() -> None:
    # Only now, as it takes a second.
    from apache_beam.runners.worker import sdk_worker_main

    # What goes wrong from here on the launcher is told, and says in a line.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    sdk_worker_main.main(sys.argv[:1])


if __name__ == "__main__":
    main()
