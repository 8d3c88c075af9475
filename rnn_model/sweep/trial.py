"""One trial of a sweep: a training run in a process of its own.

TensorFlow never returns memory to the system, and running out of memory ends its
process. With a process per trial, a trial cannot affect the next one, and a killed
process is one failed trial. Processes are forked from a fork server that has imported
TensorFlow but not used it, so they start quickly.

A trial holds the lock of its folder while it runs. A trial that the store lists as
running, but whose folder is not locked, belongs to a sweep that was killed.
"""

import contextlib
import io
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
from rnn_model.workdir import History, file_errors_as_oserror

LOG_FILE = "log.txt"
"""Output of the training, in the trial's folder."""


class Outcome(NamedTuple):
    """How a trial ended.

    Attributes:
      state: one of

        completed  the training ended
        pruned     the launcher stopped it early
        failed     it cannot be trained with these settings
        died       its process was killed
        stopped    the sweep was interrupted; the trial can be resumed
        broken     no trial can be trained, for example because the disk is full

      reason: one line.
    """

    state: str
    reason: str = ""


class TrialPrunedError(Exception):
    """The launcher decided to stop this trial early."""


class TrialProcess:
    """The process of a trial, as seen by the launcher.

    Args:
      config: settings of the trial.
      data_dir: the data set.
      folder: workdir of the trial.

    Attributes:
      connection: receives a history or an outcome when it is readable.
    """

    def __init__(self, config: TrainConfig, data_dir: str, folder: str):
        self.connection, child_connection = _context().Pipe()
        self._process = _context().Process(
            target=_run_trial,
            args=(child_connection, config, data_dir, folder),
            daemon=True,
        )
        self._process.start()
        child_connection.close()
        self._was_stopped = False
        # The first message says that the process has locked its folder.
        with contextlib.suppress(EOFError):
            self.connection.recv()

    def receive(self) -> History | Outcome:
        """Waits for the next message: the history after an epoch, or the outcome."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self._process.join()
            if self._was_stopped:
                return Outcome("stopped")
            return Outcome("died", _describe_exit(self._process.exitcode))

    def send_decision(self, prune: bool) -> None:
        """Replies to a history: whether to prune the trial."""
        with contextlib.suppress(OSError):  # a dead process is handled by `receive`
            self.connection.send(prune)

    def stop(self) -> None:
        """Asks the process to save a checkpoint and to end."""
        self._was_stopped = True
        self._process.terminate()

    def join(self) -> None:
        """Lets the process exit, after the store has recorded its outcome."""
        self.connection.close()
        self._process.join()


def start_fork_server() -> None:
    """Starts the fork server and waits until it has imported TensorFlow."""
    process = _context().Process(target=int)
    process.start()
    process.join()


def is_running(folder: str) -> bool:
    """Returns whether a process is training the trial in a folder."""
    try:
        with file_lock.hold_lock(folder):
            return False
    except file_lock.FolderInUseError:
        return True


def _context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _describe_exit(code: int | None) -> str:
    if code and code < 0:
        name = signal.Signals(-code).name
        return f"the process was killed ({name}), possibly because memory ran out"
    return f"the process exited with code {code}; see {LOG_FILE}"


# --- In the process of the trial ------------------------------------------------------


def _run_trial(
    connection: Connection, config: TrainConfig, data_dir: str, folder: str
) -> None:
    os.setpgrp()  # the launcher handles Ctrl-C
    # Without this, the first trial would allocate all memory of a GPU.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    threading.Thread(target=_exit_with_launcher, daemon=True).start()
    with file_lock.hold_lock(folder):
        _redirect_output(os.path.join(folder, LOG_FILE))
        connection.send("locked")
        outcome = _train(connection, config, data_dir, folder)
        with contextlib.suppress(EOFError, OSError):
            connection.send(outcome)
            connection.recv()  # ends when the store has recorded the outcome


def _exit_with_launcher() -> None:
    launcher = multiprocessing.parent_process()
    assert launcher is not None
    launcher.join()
    os._exit(1)


def _redirect_output(path: str) -> None:
    """Appends stdout and stderr to a file."""
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def _train(
    connection: Connection, config: TrainConfig, data_dir: str, folder: str
) -> Outcome:
    def report_epoch(history: History) -> None:
        connection.send(history)
        if connection.recv():
            raise TrialPrunedError

    try:
        with file_errors_as_oserror():
            loop.train_and_evaluate(config, data_dir, folder, report_epoch)
        return Outcome("completed")
    except TrialPrunedError:
        return Outcome("pruned")
    except KeyboardInterrupt:
        return Outcome("stopped")
    except OSError as error:
        # TensorFlow's message when memory runs out, on CPUs and GPUs.
        is_out_of_memory = "OOM when allocating" in str(error)
        return Outcome("failed" if is_out_of_memory else "broken", _one_line(error))
    except loop.DivergedError as error:
        print(error)
        return Outcome("failed", f"diverged, {str(error).partition(' (')[0]}")
    except ValueError as error:
        return Outcome("failed", _one_line(error))
    except Exception as error:
        traceback.print_exc()
        return Outcome("failed", f"{type(error).__name__}: {_one_line(error)}")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
