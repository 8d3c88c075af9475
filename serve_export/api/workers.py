"""Where the work is done: some fast lanes, and a slow one for what takes long.

So a scribble that takes a second keeps nobody waiting but other scribbles. LiteRT has
a process a lane: geometry is Python's, and threads would take turns at it. TensorFlow
is too large to be had twice, and may not be forked; it has threads, whose questions
its runtime joins into batches.
"""

import asyncio
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Protocol

from serve_export.api.errors import ApiError
from serve_export.api.inference import Work


class Pool(Protocol):
    """Lanes of one speed."""

    async def run(self, name: str, *arguments: object) -> Any:
        """Does the job of `Work` that has that name; raises what it raises."""

    def close(self) -> None:
        """Ends."""


class Lanes:
    """The lanes beside the event loop.

    Attributes:
      waiting: requests that are in a lane.
    """

    def __init__(self, fast: Pool, slow: Pool, max_waiting: int):
        self._fast, self._slow, self._max_waiting = fast, slow, max_waiting
        self.waiting = 0

    async def run(self, name: str, *arguments: object, slow: bool = False) -> Any:
        """Does a job of `Work` in a lane.

        Raises:
          ApiError: there are too many before us.
        """
        if self.waiting >= self._max_waiting:
            raise ApiError(429, "busy", "too many requests at once; try again")
        self.waiting += 1
        try:
            return await (self._slow if slow else self._fast).run(name, *arguments)
        finally:
            self.waiting -= 1

    def close(self) -> None:
        self._fast.close()
        self._slow.close()


class Threads:
    """Lanes in this process."""

    def __init__(self, work: Work, count: int):
        self._work, self._pool = work, ThreadPoolExecutor(count)
        self._pool.submit(work.warm_up).result()

    async def run(self, name: str, *arguments: object) -> Any:
        loop = asyncio.get_running_loop()
        job = getattr(self._work, name)
        return await loop.run_in_executor(self._pool, job, *arguments)

    def close(self) -> None:
        self._pool.shutdown()


class Processes:
    """Lanes that are processes of their own, forked: they share what was loaded."""

    def __init__(self, work: Work, count: int):
        self._work = work
        self._ends: list[Connection] = []  # ours of each pipe
        self._free: asyncio.Queue[Connection] = asyncio.Queue()
        for _ in range(count):
            self._free.put_nowait(self._start())
        self._tasks: set[asyncio.Task] = set()

    async def run(self, name: str, *arguments: object) -> Any:
        # Whoever asked may go away; the lane is free only when it has answered.
        task = asyncio.create_task(self._ask(name, arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    def close(self) -> None:
        for end in self._ends:
            end.close()

    async def _ask(self, name: str, arguments: tuple) -> Any:
        end = await self._free.get()
        try:
            end.send((name, arguments))
            await _readable(end)
            answer = end.recv()
        except (EOFError, OSError):
            self._ends.remove(end)
            end.close()
            end = self._start()
            raise RuntimeError("a lane died; another one has taken its place")
        finally:
            self._free.put_nowait(end)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _start(self) -> Connection:
        ours, theirs = get_context("fork").Pipe()
        self._ends.append(ours)
        process = get_context("fork").Process(
            target=_work_until_end, args=(self._work, theirs, self._ends), daemon=True
        )
        process.start()
        theirs.close()
        return ours


async def _readable(end: Connection) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(end.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(end.fileno())


def _work_until_end(work: Work, end: Connection, ours: list[Connection]) -> None:
    """What a lane's process does, until the server closes its pipe, or dies."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server tells when it is over
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in ours:  # else no pipe would end before all do
        other.close()
    work.warm_up()
    while True:
        try:
            name, arguments = end.recv()
        except (EOFError, OSError):
            return
        try:
            answer = getattr(work, name)(*arguments)
        except ValueError as error:
            answer = error
        except Exception:
            traceback.print_exc(file=sys.stderr)
            answer = RuntimeError(f"{name} failed in its lane")
        end.send(answer)
