"""Where the work is done: a fast lane, and a slow one for what takes long.

So a scribble that takes a second keeps nobody waiting but other scribbles.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from serve_export.api.errors import ApiError

_Result = TypeVar("_Result")


class Lanes:
    """Threads beside the event loop.

    Attributes:
      waiting: requests that are in a lane.
    """

    def __init__(self, threads: int, max_waiting: int):
        self._fast = ThreadPoolExecutor(threads, "fast")
        self._slow = ThreadPoolExecutor(1, "slow")
        self._max_waiting = max_waiting
        self.waiting = 0

    async def run(
        self, work: Callable[..., _Result], *arguments: object, slow: bool = False
    ) -> _Result:
        """Does the work in a lane.

        Raises:
          ApiError: there are too many before us.
        """
        if self.waiting >= self._max_waiting:
            raise ApiError(429, "busy", "too many requests at once; try again")
        self.waiting += 1
        try:
            lane = self._slow if slow else self._fast
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(lane, work, *arguments)
        finally:
            self.waiting -= 1

    def warm_up(self, work: Callable[[], object], threads: int) -> None:
        """Does something in every thread once, so that nobody's first request waits."""
        futures = [self._fast.submit(work) for _ in range(threads)]
        for future in [*futures, self._slow.submit(work)]:
            future.result()

    def close(self) -> None:
        self._fast.shutdown()
        self._slow.shutdown()
