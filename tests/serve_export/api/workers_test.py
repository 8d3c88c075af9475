"""The lanes: long work does not stand before short work."""

import asyncio
import contextlib
import os
import signal
import time

import pytest

from serve_export.api.errors import ApiError
from serve_export.api.workers import Lanes, Processes, Threads


class Jobs:
    """Stands for `Work`."""

    def warm_up(self):
        pass

    def sleep(self, seconds):
        time.sleep(seconds)
        return seconds

    def double(self, values):
        return [2 * value for value in values]

    def fail(self, message):
        raise ValueError(message)

    def break_down(self):
        raise KeyError("ours")

    def process(self):
        return os.getpid()


@pytest.fixture(params=[Threads, Processes])
def pool(request):
    """Makes lanes that are closed at the end."""
    with contextlib.ExitStack() as stack:

        def make(count, max_waiting=10):
            slow, fast = request.param(Jobs(), 1), request.param(Jobs(), count)
            stack.callback(slow.close)
            stack.callback(fast.close)
            return Lanes(fast, slow, max_waiting)

        yield make


def test_the_fast_lane_goes_on_while_the_slow_one_is_busy(pool):
    lanes = pool(1)

    async def ask():
        slow = [asyncio.create_task(lanes.run("sleep", 0.5, slow=True)) for _ in "12"]
        assert await lanes.run("double", [1, 2]) == [2, 4]
        assert not any(task.done() for task in slow)
        assert await asyncio.gather(*slow) == [0.5, 0.5]

    asyncio.run(ask())
    assert lanes.waiting == 0


def test_who_comes_when_too_many_wait_is_sent_away(pool):
    lanes = pool(1, max_waiting=2)

    async def ask():
        waiting = [asyncio.create_task(lanes.run("sleep", 0.2)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as refused:
            await lanes.run("double", [1])
        assert refused.value.status == 429
        await asyncio.gather(*waiting)
        assert await lanes.run("double", [1]) == [2]

    asyncio.run(ask())


def test_answers_find_who_asked_even_if_others_went_away(pool):
    lanes = pool(2, max_waiting=100)

    async def ask():
        gone = [asyncio.create_task(lanes.run("sleep", 0.1)) for _ in range(2)]
        await asyncio.sleep(0.02)
        for task in gone:
            task.cancel()
        large = [list(range(n)) for n in range(0, 90_000, 3_000)]
        answers = await asyncio.gather(*(lanes.run("double", v) for v in large))
        assert answers == [[2 * v for v in values] for values in large]

    asyncio.run(ask())


def test_an_error_reaches_who_asked_alone(pool):
    lanes = pool(1)

    async def ask():
        with pytest.raises(ValueError, match="no drawing"):
            await lanes.run("fail", "no drawing")
        with pytest.raises((RuntimeError, KeyError)):
            await lanes.run("break_down")
        assert await lanes.run("double", [3]) == [6]

    asyncio.run(ask())


def test_a_lane_that_dies_is_replaced():
    lanes = Lanes(Processes(Jobs(), 1), Processes(Jobs(), 1), 10)

    async def ask():
        first = await lanes.run("process")
        os.kill(first, signal.SIGKILL)
        with pytest.raises(RuntimeError, match="a lane died"):
            await lanes.run("process")
        assert await lanes.run("process") not in (first, os.getpid())

    asyncio.run(ask())
    lanes.close()
