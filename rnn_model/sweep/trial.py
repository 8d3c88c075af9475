"""A trial of a sweep: a run of `train.py`, in a process of its own.

TensorFlow keeps memory that a run has used, and a run that needs too much takes its
process with it: with a process each, no trial sees what another has left, and one that
is killed is one that failed. The processes are forked from a server that has imported
TensorFlow and never used it, so that a trial starts in no time.

A trial holds the lock of its folder from its first to its last moment. That tells who
is at work: a trial that the store calls running, and whose folder is not locked, was
left by a sweep that was killed.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from typing import NamedTuple

from pipeline import file_lock
from rnn_model.config import TrainConfig
from rnn_model.training import loop
from rnn_model.workdir import file_errors

LOG = "log.txt"
"""What `train.py` says on a terminal, in the trial's folder."""


class Outcome(NamedTuple):
    """How a trial ended.

    Attributes:
      state: completed; pruned; failed: these settings do not train; died: its process
        did; stopped, as it was told to; broken: no trial can go on, as on a full disk.
      reason: why, in a line.
    """

    state: str
    reason: str = ""


class Pruned(Exception):
    """The launcher wants no more of this trial."""


class Process:
    """A trial at work, seen from the launcher."""

    def __init__(self, config: TrainConfig, data_dir: str, folder: str):
        self.connection, theirs = _context().Pipe()
        self._process = _context().Process(
            target=_work, args=(theirs, config, data_dir, folder), daemon=True
        )
        self._process.start()
        theirs.close()
        self._told_to_stop = False
        # When this is there the folder is locked.
        with contextlib.suppress(EOFError):
            self.connection.recv()

    def hear(self) -> loop.History | Outcome:
        """The next thing it has to say: its history after an epoch, or how it ended."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self._process.join()
            if self._told_to_stop:
                return Outcome("stopped")
            return Outcome("died", _death(self._process.exitcode))

    def answer(self, prune: bool) -> None:
        """Says, after an epoch, whether it is pruned."""
        with contextlib.suppress(OSError):  # it died: `hear` tells
            self.connection.send(prune)

    def stop(self) -> None:
        """Has it save where it is, and end."""
        self._told_to_stop = True
        self._process.terminate()

    def let_go(self) -> None:
        """Ends a trial that has ended for the store too."""
        self.connection.close()
        self._process.join()


def prepare() -> None:
    """Starts the server of processes; returns when it has imported TensorFlow."""
    first = _context().Process(target=int)
    first.start()
    first.join()


def _context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _death(code: int | None) -> str:
    if code and code < 0:
        name = signal.Signals(-code).name
        return f"its process was killed ({name}), as happens when memory is short"
    return f"its process ended with {code}; see its {LOG}"


def is_at_work(folder: str) -> bool:
    """Says whether some process is training the trial of that folder."""
    try:
        with file_lock.hold_lock(folder):
            return False
    except ValueError:
        return True


# --- In the trial's process -----------------------------------------------------------


def _work(
    connection: Connection, config: TrainConfig, data_dir: str, folder: str
) -> None:
    os.setpgrp()  # Ctrl-C is the launcher's to handle
    # Else the first trial takes all of a GPU's memory, and those beside it fail.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    threading.Thread(target=_die_with_launcher, daemon=True).start()
    with file_lock.hold_lock(folder):
        _write_to(os.path.join(folder, LOG))
        connection.send("locked")
        outcome = _train(connection, config, data_dir, folder)
        with contextlib.suppress(EOFError, OSError):
            connection.send(outcome)
            connection.recv()  # until the store knows


def _die_with_launcher() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


def _write_to(path: str) -> None:
    """Lets all that is printed go to the end of a file."""
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)
    sys.stdout.reconfigure(line_buffering=True)


def _train(
    connection: Connection, config: TrainConfig, data_dir: str, folder: str
) -> Outcome:
    def report(history: loop.History) -> None:
        connection.send(history)
        if connection.recv():
            raise Pruned

    try:
        with file_errors():
            loop.train(config, data_dir, folder, report)
        return Outcome("completed")
    except Pruned:
        return Outcome("pruned")
    except KeyboardInterrupt:
        return Outcome("stopped")
    except OSError as error:
        # What TensorFlow calls it on a CPU and on a GPU.
        out_of_memory = "OOM when allocating" in str(error)
        return Outcome("failed" if out_of_memory else "broken", _one_line(error))
    except loop.Diverged as error:
        print(error)
        return Outcome("failed", f"diverged, {str(error).partition(' (')[0]}")
    except ValueError as error:
        return Outcome("failed", _one_line(error))
    except Exception as error:
        traceback.print_exc()
        return Outcome("failed", f"{type(error).__name__}: {_one_line(error)}")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
