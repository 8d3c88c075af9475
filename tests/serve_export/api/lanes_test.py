"""The lanes: long work does not stand before short work."""

import asyncio
import threading

import pytest

from serve_export.api.errors import ApiError
from serve_export.api.lanes import Lanes


def test_the_fast_lane_goes_on_while_the_slow_one_is_busy():
    lanes, gate = Lanes(1, 10), threading.Event()

    async def ask():
        slow = asyncio.create_task(lanes.run(gate.wait, slow=True))
        more = asyncio.create_task(lanes.run(gate.wait, slow=True))
        assert await lanes.run(lambda: "quick") == "quick"
        assert not slow.done()
        gate.set()
        await asyncio.gather(slow, more)

    asyncio.run(ask())
    lanes.close()
    assert lanes.waiting == 0


def test_who_comes_when_too_many_wait_is_sent_away():
    lanes, gate = Lanes(1, 2), threading.Event()

    async def ask():
        waiting = [asyncio.create_task(lanes.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as refused:
            await lanes.run(lambda: None)
        assert refused.value.status == 429
        gate.set()
        await asyncio.gather(*waiting)
        assert await lanes.run(lambda: "again") == "again"

    asyncio.run(ask())
    lanes.close()
