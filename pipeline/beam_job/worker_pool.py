"""The worker processes of a local run, for Beam to take when it wants them.

A Python that starts anew takes a second to import Beam. So workers are forked from the
launcher, which has imported it. That is safe as long as the launcher has no other
thread, whose work a fork would cut off halfway; where it may have, workers start anew.
"""

import contextlib
import functools
import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from apache_beam.portability import python_urns
from apache_beam.portability.api import endpoints_pb2
from apache_beam.runners.portability.fn_api_runner.worker_handlers import (
    SubprocessSdkWorkerHandler,
    WorkerHandler,
)
from apache_beam.transforms.environments import SubprocessSDKEnvironment
from google.protobuf import json_format, text_format

from pipeline.beam_job import worker


class WorkerPool:
    """Workers that end, at the latest, with the launcher, who holds the pipe."""

    _is_first = True

    def __init__(self, pipe: str, size: int):
        self._pipe = pipe
        self._idle: list[tuple[int, int]] = []  # process and where it is told what
        # Once there was a run gRPC has threads too, of which Python does not know.
        if WorkerPool._is_first and _is_alone():
            gc.freeze()  # what is here already is no garbage, nor to be gone through
            self._idle = [self._fork() for _ in range(size)]
        WorkerPool._is_first = False

    def environment(self) -> SubprocessSDKEnvironment:
        """Has Beam, for its next run, take workers from this pool."""
        take = functools.partial(_Handler, self)
        WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)(take)
        return SubprocessSDKEnvironment.from_command_string("pipeline.beam_job.worker")

    def run_worker(self, told: dict[str, str]) -> None:
        """Runs a worker to its end.

        Args:
          told: what Beam has to say to it, as environment variables.

        Raises:
          RuntimeError: it did not end well.
        """
        if self._idle:
            process, end = self._idle.pop()
            with open(end, "w") as file:
                json.dump(told, file)
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        else:
            command = [sys.executable, "-m", "pipeline.beam_job.worker", self._pipe]
            code = subprocess.run(command, env=os.environ | told).returncode
        if code:
            raise RuntimeError(f"a worker process exited with return code {code}")

    def close(self) -> None:
        """Ends the workers that were not needed."""
        for process, end in self._idle:
            os.close(end)
            os.waitpid(process, 0)

    def _fork(self) -> tuple[int, int]:
        beginning, end = os.pipe()
        process = os.fork()
        if not process:
            worker.wait_and_work(self._pipe, beginning)
        os.close(beginning)
        return process, end


def _is_alone() -> bool:
    # On other systems than Linux the libraries of the system itself may have threads.
    return sys.platform == "linux" and threading.active_count() == 1


@contextlib.contextmanager
def opened(pipe: str, size: int) -> Iterator[WorkerPool]:
    """Makes the pipe and a pool of so many workers; they are over when it is left."""
    with worker.held(pipe):
        pool = WorkerPool(pipe, size)
        try:
            yield pool
        finally:
            pool.close()


class _Handler(SubprocessSdkWorkerHandler):
    """Beam's side of a worker."""

    def __init__(self, pool: WorkerPool, *of_beam: Any):
        super().__init__(*of_beam)
        self._pool = pool

    def start_worker(self) -> None:
        control = endpoints_pb2.ApiServiceDescriptor(url=self.control_address)
        options = self.provision_info.provision_info.pipeline_options
        told = {
            "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(control),
            "PIPELINE_OPTIONS": json_format.MessageToJson(options),
            "WORKER_ID": self.worker_id,
        }
        self.worker_thread = threading.Thread(
            name=worker.THREAD, target=self._pool.run_worker, args=(told,)
        )
        self.worker_thread.start()
