"""The worker processes of a local run.

    python -m pipeline.beam_job.worker_pool LAUNCHER_PID

A new Python process takes about a second to import Beam. The launcher has imported it
already, so workers are forked from it. This is safe while the launcher has no other
thread; otherwise, as in a notebook, workers are started as new processes. A worker
exits when its launcher does, however the launcher ends.
"""

import contextlib
import functools
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, NoReturn

from apache_beam.portability import python_urns
from apache_beam.portability.api import endpoints_pb2
from apache_beam.runners.portability.fn_api_runner.worker_handlers import (
    SubprocessSdkWorkerHandler,
    WorkerHandler,
)
from apache_beam.runners.worker import sdk_worker_main
from apache_beam.transforms.environments import SubprocessSDKEnvironment
from google.protobuf import json_format, text_format

THREAD_NAME = "run_worker"
"""Name of the launcher's threads that each wait for the end of a worker."""

POLL_SECONDS = 0.2


class WorkerPool:
    """Starts the workers of a local run.

    Args:
      size: number of workers to fork in advance, where that is safe.
    """

    _is_first = True

    def __init__(self, size: int):
        self._idle: list[tuple[int, int]] = []  # process id, pipe to send settings
        # After a first run gRPC has threads, which Python does not know of.
        if WorkerPool._is_first and _is_fork_safe():
            gc.freeze()  # else a collection in a worker copies all shared memory
            self._idle = [_fork_worker() for _ in range(size)]
        WorkerPool._is_first = False

    def make_environment(self) -> SubprocessSDKEnvironment:
        """Makes the Beam environment whose workers come from this pool."""
        make_handler = functools.partial(_WorkerHandler, self)
        WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)(
            make_handler
        )
        return SubprocessSDKEnvironment.from_command_string(__name__)

    def run_worker(self, settings: dict[str, str]) -> None:
        """Runs a worker to its end.

        Args:
          settings: environment variables of Beam's worker.

        Raises:
          RuntimeError: the worker failed.
        """
        if self._idle:
            process, pipe = self._idle.pop()
            with open(pipe, "w") as file:
                json.dump(settings, file)
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        else:
            command = [sys.executable, "-m", __name__, str(os.getpid())]
            code = subprocess.run(command, env=os.environ | settings).returncode
        if code:
            raise RuntimeError(f"a worker process exited with return code {code}")

    def close(self) -> None:
        """Ends the workers that were not used."""
        for process, pipe in self._idle:
            os.close(pipe)
            os.waitpid(process, 0)


@contextlib.contextmanager
def open_pool(size: int) -> Iterator[WorkerPool]:
    """Makes a pool and closes it at the end."""
    pool = WorkerPool(size)
    try:
        yield pool
    finally:
        pool.close()


class _WorkerHandler(SubprocessSdkWorkerHandler):
    """Starts a worker for Beam's local runner."""

    def __init__(self, pool: WorkerPool, *beam_args: Any):
        super().__init__(*beam_args)
        self._pool = pool

    def start_worker(self) -> None:
        control = endpoints_pb2.ApiServiceDescriptor(url=self.control_address)
        options = self.provision_info.provision_info.pipeline_options
        settings = {
            "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(control),
            "PIPELINE_OPTIONS": json_format.MessageToJson(options),
            "WORKER_ID": self.worker_id,
        }
        self.worker_thread = threading.Thread(
            name=THREAD_NAME, target=self._pool.run_worker, args=(settings,)
        )
        self.worker_thread.start()


def _is_fork_safe() -> bool:
    # On other systems than Linux, system libraries may have threads of their own.
    return sys.platform == "linux" and threading.active_count() == 1


def _fork_worker() -> tuple[int, int]:
    """Forks a worker; returns its process id and the pipe that it reads."""
    launcher = os.getpid()
    read_end, write_end = os.pipe()
    process = os.fork()
    if not process:
        _run_forked_worker(launcher, read_end)
    os.close(read_end)
    return process, write_end


def _run_forked_worker(launcher: int, pipe: int) -> NoReturn:
    """Runs a worker in a forked process, if it receives settings."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # Locks and pipes of the launcher must not stay open in its workers.
        os.dup2(pipe, 3)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        _exit_with(launcher)
        with open(3) as file:
            text = file.read()
        if text:
            os.environ |= json.loads(text)
            _run_beam_worker()
        os._exit(0)
    finally:
        os._exit(1)


def _exit_with(launcher: int) -> None:
    """Makes this process ignore Ctrl-C, and exit when the launcher has exited."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the launcher handles it

    def watch_launcher() -> None:
        while os.getppid() == launcher:
            time.sleep(POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch_launcher, name="watch-launcher", daemon=True).start()


def _run_beam_worker() -> None:
    # The launcher prints the error of a worker; its traceback would come twice.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    sdk_worker_main.main(sys.argv[:1])


if __name__ == "__main__":
    _exit_with(int(sys.argv[1]))
    _run_beam_worker()
