"""The workers that run the model, beside the server's event loop.

Small jobs and large jobs have workers of their own, and those of large jobs have a
lower priority, so that a scribble of a second delays only other scribbles.

A LiteRT worker is a process: the geometry is Python, and threads would take turns. It
comes from a fork server, which is a program of its own, so no worker holds a client's
connection. Each process is a `ProcessPoolExecutor` of its own: if one
dies, the others do not notice. TensorFlow is too large to be loaded per process and
releases the interpreter lock; a SavedModel has threads.
"""

import asyncio
import contextlib
import faulthandler
import functools
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from typing import TYPE_CHECKING, Any, NamedTuple

from serve_export import layout
from serve_export.api.errors import ApiError
from serve_export.api.metrics import ServerMetrics
from serve_export.api.settings import ServerSettings
from tfrecords import storage

if TYPE_CHECKING:  # with numpy and LiteRT, which only workers need
    from serve_export.api.inference import Inference
    from serve_export.predictor import Predictor

SMALL_BODY_BYTES = 64 << 10
"""Largest body of a small job."""

MAX_WAIT_SECONDS = 5.0
"""A request that no worker has taken by then gets 503."""

MIN_LARGE_WAITING = 6
LARGE_WAITING_PER_WORKER = 3
"""Large jobs that may wait. Each takes up to 0.3 s, so a queue of three is answered
within a second."""

MAX_JOB_SECONDS = 10.0
"""A job that takes longer is a fault; its worker process ends itself."""

SWITCH_SECONDS = 0.0005
MAX_PROCESSES = 8
"""Of each group; each takes about 20 MiB."""

LARGE_JOB_NICENESS = 10
SAVED_MODEL_THREADS = 64
"""Requests that arrive while the SavedModel runs form its next batch."""

_PRELOADED_MODULES = ["serve_export.api.inference", "ai_edge_litert.interpreter"]
_logger = logging.getLogger("uvicorn.error")


class LoadedModel(NamedTuple):
    """What the server needs to know of the model that its workers have loaded.

    Attributes:
      path: directory of the loaded version.
      classes: the words, in the order of the model's output.
      accepts_bitmaps: whether it classifies bitmaps too.
    """

    path: str
    classes: tuple[str, ...]
    accepts_bitmaps: bool


class WorkerGroup:
    """Workers that take jobs from one queue.

    Attributes:
      waiting: requests that wait for a worker.
    """

    def __init__(
        self,
        workers: Iterable[Executor],
        start_worker: Callable[[], Executor],
        max_waiting: int,
        metrics: ServerMetrics,
    ):
        """Takes workers that are ready.

        Args:
          workers: executors of one process each, or of one thread.
          start_worker: starts another one in place of one that died.
          max_waiting: most requests that may wait.
          metrics: counts restarts.
        """
        self._start_worker, self._max_waiting = start_worker, max_waiting
        self._metrics = metrics
        self._workers = set(workers)
        self._idle: asyncio.LifoQueue[Executor] = asyncio.LifoQueue()
        for worker in self._workers:
            self._idle.put_nowait(worker)
        self._tasks: set[asyncio.Task] = set()
        self._is_closed = False
        self.waiting = 0

    async def run(self, job: Callable[..., Any], *args: Any) -> Any:
        """Runs a job in a worker.

        Raises:
          ApiError: with status 503 if no worker is free in time, or if it died.
        """
        while True:
            worker = await self._wait_for_worker()
            try:
                future = worker.submit(job, *args)
                break
            except BrokenExecutor:  # it died while it was idle
                self._spawn(self._replace(worker))
        # The worker is free when the job ends, even if its client has gone away.
        task = self._spawn(self._finish(worker, asyncio.wrap_future(future)))
        return await asyncio.shield(task)

    def close(self) -> None:
        """Ends the workers; jobs in progress come to their end."""
        self._is_closed = True
        for worker in self._workers:
            worker.shutdown(cancel_futures=True)

    async def _wait_for_worker(self) -> Executor:
        if self.waiting >= self._max_waiting:
            raise ApiError(503, "busy", "too many requests are waiting; try again")
        self.waiting += 1
        try:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                return await self._idle.get()
        except TimeoutError:
            raise ApiError(503, "busy", "the server is busy; try again")
        finally:
            self.waiting -= 1

    async def _finish(self, worker: Executor, future: asyncio.Future) -> Any:
        try:
            reply = await future
        except BrokenExecutor:
            self._spawn(self._replace(worker))
            raise ApiError(
                503, "worker_died", "the process that handled this request died"
            )
        except BaseException:
            self._idle.put_nowait(worker)
            raise
        self._idle.put_nowait(worker)
        return reply

    async def _replace(self, worker: Executor) -> None:
        """Starts another worker in place of one that died."""
        self._workers.discard(worker)
        worker.shutdown(wait=False)
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
        self._call: Callable[..., Any] = _call_job
        self._model_args = export_dir, runtime, settings
        count = min(MAX_PROCESSES, len(os.sched_getaffinity(0)))
        if is_litert(export_dir, runtime):
            _prepare_fork_server()
            start_small = functools.partial(self._start_process, 0)
            start_large = functools.partial(self._start_process, LARGE_JOB_NICENESS)
            starts = [start_small, start_large]
            with ThreadPoolExecutor(2 * count) as pool:
                workers = list(pool.map(lambda start: start(), starts * count))
            small, large = workers[::2], workers[1::2]
            self.model = workers[0].submit(_get_model).result()
        else:
            from serve_export.api.inference import Inference
            from serve_export.predictor import Predictor

            predictor = Predictor(export_dir, runtime)
            inference = Inference(predictor, settings)
            inference.warm_up()
            self.model = _describe(predictor)
            self._call = lambda job, *args: getattr(inference, job)(*args)
            start_small = start_large = functools.partial(ThreadPoolExecutor, 1)
            small = [start_small() for _ in range(SAVED_MODEL_THREADS)]
            large = [start_large() for _ in range(count)]
        max_large = max(MIN_LARGE_WAITING, LARGE_WAITING_PER_WORKER * count)
        max_large = min(max_large, settings.max_waiting)
        self._small = WorkerGroup(small, start_small, settings.max_waiting, metrics)
        self._large = WorkerGroup(large, start_large, max_large, metrics)
        metrics.waiting.set_function(lambda: self._small.waiting + self._large.waiting)

    async def run(self, job: str, body: bytearray) -> Any:
        """Runs a job of `Inference` with the body of a request.

        Returns:
          The job's reply.

        Raises:
          ApiError: with status 503 (see `WorkerGroup.run`).
        """
        if len(body) <= SMALL_BODY_BYTES:
            reply = await self._small.run(self._call, job, body, True)
            if reply is not None:
                return reply
        return await self._large.run(self._call, job, body, False)

    def close(self) -> None:
        """Ends all workers."""
        self._small.close()
        self._large.close()

    def _start_process(self, niceness: int) -> Executor:
        context = multiprocessing.get_context("forkserver")
        executor = ProcessPoolExecutor(1, mp_context=context)
        try:
            executor.submit(_load_model, niceness, *self._model_args).result()
        except BaseException:
            executor.shutdown()
            raise
        return executor


def is_litert(export_dir: str | None, runtime: str) -> bool:
    """Returns whether an export is run by LiteRT.

    Raises:
      ValueError: there is no such export.
    """
    path = layout.find_newest_version(export_dir)
    has_litert = storage.exists(storage.join(path, layout.LITERT_INT8_FILE))
    return runtime == "litert" or (runtime == "auto" and has_litert)


def _prepare_fork_server() -> None:
    """Starts the process that workers are forked from, with the libraries loaded."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # An executor passes a job through two threads, and each waits for the event loop to
    # release the interpreter lock.
    sys.setswitchinterval(SWITCH_SECONDS)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED_MODULES)


# --- In the worker process ------------------------------------------------------------

_inference: "Inference | None" = None
_model: LoadedModel | None = None


def _load_model(
    niceness: int, export_dir: str | None, runtime: str, settings: ServerSettings
) -> None:
    """Loads the model; the first job of a worker process."""
    global _inference, _model
    from serve_export.api.inference import Inference
    from serve_export.predictor import Predictor

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server
    os.nice(niceness)
    threading.Thread(target=_exit_with_server, daemon=True).start()
    predictor = Predictor(export_dir, runtime)
    _inference = Inference(predictor, settings)
    _inference.warm_up()
    _model = _describe(predictor)


def _get_model() -> LoadedModel | None:
    return _model


def _call_job(job: str, body: bytearray, is_small: bool) -> Any:
    """Runs a job within `MAX_JOB_SECONDS`."""
    faulthandler.dump_traceback_later(MAX_JOB_SECONDS, exit=True)
    try:
        return getattr(_inference, job)(body, is_small)
    finally:
        faulthandler.cancel_dump_traceback_later()


def _exit_with_server() -> None:
    """Ends this process when the server has died, even by SIGKILL."""
    server = multiprocessing.parent_process()
    assert server is not None
    server.join()
    with contextlib.suppress(BaseException):
        os._exit(1)


def _describe(predictor: "Predictor") -> LoadedModel:
    return LoadedModel(
        predictor.path, tuple(predictor.classes), predictor.accepts_bitmaps
    )
