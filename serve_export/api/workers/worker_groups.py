"""The workers of a server, and the queues in front of them.

Small jobs and large jobs have workers of their own, and those of large jobs have a
lower priority, so that a scribble of a second delays only other scribbles.
"""

import asyncio
import functools
import logging
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from serve_export import layout
from serve_export.api.errors import ApiError
from serve_export.api.metrics import ServerMetrics
from serve_export.api.settings import ServerSettings
from serve_export.api.workers.worker_processes import (
    Worker,
    WorkerDiedError,
    WorkerProcess,
    WorkerThread,
    load_in_process,
    prepare_fork_server,
)
from tfrecords import storage

SMALL_BODY_BYTES = 64 << 10
"""Largest body of a small job."""

MAX_WAIT_SECONDS = 10.0
"""A request that no worker has taken by then gets 503."""

MIN_LARGE_WAITING = 4
LARGE_WAITING_PER_WORKER = 2
LARGE_WAITING_BYTES = 2 << 20
"""Large jobs that may wait, and their total size: what waits is answered within about a
second."""

MAX_PROCESSES = 8
"""Of each group; each takes about 20 MiB."""

LARGE_JOB_NICENESS = 5
SAVED_MODEL_THREADS = 64
"""Requests that arrive while the SavedModel runs form its next batch."""

_logger = logging.getLogger("uvicorn.error")


class WorkerGroup:
    """Workers that take jobs from one queue.

    Attributes:
      waiting: requests that wait for a worker.
    """

    def __init__(
        self,
        workers: Iterable[Worker],
        start_worker: Callable[[], Worker],
        max_waiting: int,
        max_waiting_bytes: int,
        metrics: ServerMetrics,
    ):
        """Takes workers that are ready.

        Args:
          workers: the workers.
          start_worker: starts another one in place of one that died.
          max_waiting: most requests that may wait.
          max_waiting_bytes: largest total size of their bodies.
          metrics: counts restarts.
        """
        self._start_worker, self._metrics = start_worker, metrics
        self._max_waiting = max_waiting
        self._max_waiting_bytes = max_waiting_bytes
        self._workers = set(workers)
        self._idle: asyncio.LifoQueue[Worker] = asyncio.LifoQueue()
        for worker in self._workers:
            self._idle.put_nowait(worker)
        self._tasks: set[asyncio.Task] = set()
        self._is_closed = False
        self.waiting = self._waiting_bytes = 0

    async def run(self, job: str, body: bytearray, is_small: bool) -> Any:
        """Runs a job in a worker.

        Raises:
          ApiError: with status 503 if too much waits, if no worker is free in time, or
            if it died.
        """
        worker = await self._wait_for_worker(len(body))
        while not worker.is_alive():  # it died while it was idle
            self._spawn(self._replace(worker))
            worker = await self._wait_for_worker(len(body))
        # The worker is free when the job ends, even if its client has gone away.
        return await asyncio.shield(
            self._spawn(self._run_in(worker, job, body, is_small))
        )

    def close(self) -> None:
        """Ends the workers; jobs in progress come to their end."""
        self._is_closed = True
        for worker in self._workers:
            worker.close()

    async def _wait_for_worker(self, num_bytes: int) -> Worker:
        if self.waiting and (
            self.waiting >= self._max_waiting
            or self._waiting_bytes + num_bytes > self._max_waiting_bytes
        ):
            raise ApiError(503, "busy", "too many requests are waiting; try again")
        self.waiting += 1
        self._waiting_bytes += num_bytes
        try:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                return await self._idle.get()
        except TimeoutError:
            raise ApiError(503, "busy", "the server is busy; try again")
        finally:
            self.waiting -= 1
            self._waiting_bytes -= num_bytes

    async def _run_in(
        self, worker: Worker, job: str, body: bytearray, is_small: bool
    ) -> Any:
        try:
            reply = await worker.run(job, body, is_small)
        except WorkerDiedError:
            self._spawn(self._replace(worker))
            raise ApiError(
                503, "worker_died", "the process that handled this request died"
            )
        except BaseException:
            self._idle.put_nowait(worker)
            raise
        self._idle.put_nowait(worker)
        return reply

    async def _replace(self, worker: Worker) -> None:
        """Starts another worker in place of one that died."""
        self._workers.discard(worker)
        worker.close()
        self._metrics.worker_restarts.inc()
        while not self._is_closed:
            try:
                started = await asyncio.to_thread(self._start_worker)
            except Exception:
                _logger.exception("a worker could not be started; trying again")
                await asyncio.sleep(1)
                continue
            self._workers.add(started)
            self._idle.put_nowait(started)
            return

    def _spawn(self, coroutine: Any) -> asyncio.Task:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class Workers:
    """All workers of a server.

    Attributes:
      model: what they have loaded.
    """

    def __init__(
        self,
        settings: ServerSettings,
        metrics: ServerMetrics,
        export_dir: str | None = None,
        runtime: str = "auto",
    ):
        """Starts the workers, which load the model.

        Raises:
          ValueError: there is no such export.
        """
        count = min(MAX_PROCESSES, _count_cores())
        start_small: Callable[[], Worker]
        start_large: Callable[[], Worker]
        if is_litert(export_dir, runtime):
            prepare_fork_server()
            arguments = export_dir, runtime, settings
            start_small = functools.partial(WorkerProcess, 0, *arguments)
            start_large = functools.partial(
                WorkerProcess, LARGE_JOB_NICENESS, *arguments
            )
            small, large = _start_together(start_small, start_large, count)
        else:
            inference, model = load_in_process(export_dir, runtime, settings)
            start_small = start_large = functools.partial(
                WorkerThread, inference, model
            )
            small = [start_small() for _ in range(SAVED_MODEL_THREADS)]
            large = [start_large() for _ in range(count)]
        self.model = small[0].model
        max_large = max(MIN_LARGE_WAITING, LARGE_WAITING_PER_WORKER * count)
        max_large = min(max_large, settings.max_waiting)
        self._small = WorkerGroup(
            small,
            start_small,
            settings.max_waiting,
            settings.max_waiting * SMALL_BODY_BYTES,
            metrics,
        )
        self._large = WorkerGroup(
            large, start_large, max_large, LARGE_WAITING_BYTES, metrics
        )
        metrics.waiting.set_function(lambda: self._small.waiting + self._large.waiting)

    async def run(self, job: str, body: bytearray) -> Any:
        """Runs a job of `Inference` with the body of a request.

        Returns:
          The job's reply.

        Raises:
          ApiError: with status 503 (see `WorkerGroup.run`).
        """
        if len(body) <= SMALL_BODY_BYTES:
            reply = await self._small.run(job, body, True)
            if reply is not None:
                return reply
        return await self._large.run(job, body, False)

    def close(self) -> None:
        """Ends all workers."""
        self._small.close()
        self._large.close()


def is_litert(export_dir: str | None, runtime: str) -> bool:
    """Returns whether an export is run by LiteRT.

    Raises:
      ValueError: there is no such export.
    """
    path = layout.find_newest_version(export_dir)
    has_litert = storage.exists(storage.join(path, layout.LITERT_INT8_FILE))
    return runtime == "litert" or (runtime == "auto" and has_litert)


def _start_together(
    start_small: Callable[[], Worker], start_large: Callable[[], Worker], count: int
) -> tuple[list[Worker], list[Worker]]:
    """Starts workers at the same time; returns `count` of each kind."""
    with ThreadPoolExecutor(2 * count) as pool:
        futures = [pool.submit(start) for start in (start_small, start_large) * count]
    workers = [future.result() for future in futures]
    return workers[::2], workers[1::2]


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
