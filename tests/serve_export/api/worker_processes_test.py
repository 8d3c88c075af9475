"""Worker processes: a dead one costs its own request only."""

import asyncio
import contextlib
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from benchmarks import processes
from serve_export.api import worker_processes
from serve_export.api.errors import ApiError
from serve_export.api.metrics import ServerMetrics
from serve_export.api.worker_processes import WorkerGroup

DRAWING = {"drawing": [[[10, 90, 90], [20, 20, 80]]]}


@pytest.fixture
def make_group():
    with contextlib.ExitStack() as stack:

        def make_group(start_worker=lambda: ThreadPoolExecutor(1), max_waiting=10):
            group = WorkerGroup(
                [start_worker()], start_worker, max_waiting, ServerMetrics()
            )
            stack.callback(group.close)
            return group

        yield make_group


def start_process():
    return ProcessPoolExecutor(1, mp_context=get_context("forkserver"))


def test_too_many_waiting_requests_get_503(make_group):
    async def run():
        group = make_group(max_waiting=1)
        jobs = [asyncio.create_task(group.run(time.sleep, 0.2)) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(ApiError) as refused:
            await group.run(time.sleep, 0)
        assert refused.value.status == 503
        await asyncio.gather(*jobs)
        assert await group.run(len, "abc") == 3

    asyncio.run(run())


def test_a_request_that_waits_too_long_gets_503(make_group, monkeypatch):
    monkeypatch.setattr(worker_processes, "MAX_WAIT_SECONDS", 0.1)

    async def run():
        group = make_group()
        job = asyncio.create_task(group.run(time.sleep, 0.4))
        await asyncio.sleep(0.05)
        with pytest.raises(ApiError) as refused:
            await group.run(time.sleep, 0)
        assert refused.value.status == 503
        assert group.waiting == 0
        await job
        assert await group.run(len, "abc") == 3

    asyncio.run(run())


def test_a_cancelled_request_keeps_its_worker_until_the_job_ends(make_group):
    async def run():
        group = make_group()
        cancelled = asyncio.create_task(group.run(time.sleep, 0.2))
        await asyncio.sleep(0.05)
        cancelled.cancel()
        large = [list(range(n)) for n in range(0, 90_000, 9_000)]
        results = await asyncio.gather(*(group.run(sorted, v) for v in large[:8]))
        assert results == large[:8]

    asyncio.run(run())


def test_an_exception_reaches_its_own_request_only(make_group):
    async def run():
        group = make_group()
        with pytest.raises(ValueError, match="invalid literal"):
            await group.run(int, "x")
        assert await group.run(int, "6") == 6

    asyncio.run(run())


def test_a_dead_worker_is_replaced(make_group):
    async def run():
        group = make_group(start_process)
        first = await group.run(os.getpid)
        with pytest.raises(ApiError) as refused:
            await group.run(os.kill, first, signal.SIGKILL)
        assert refused.value.status == 503
        second = await group.run(os.getpid)
        os.kill(second, signal.SIGKILL)  # while it is idle
        await asyncio.sleep(0.2)
        assert await group.run(os.getpid) not in (first, second)

    asyncio.run(run())


def find_workers(server) -> list[int]:
    """Returns the processes that have a LiteRT interpreter."""
    return [
        pid
        for pid in processes.find_process_tree(server.process.pid)
        if pid != server.process.pid
        and "_pywrap_litert" in Path(f"/proc/{pid}/maps").read_text()
    ]


def is_zombie(pid) -> bool:
    with contextlib.suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "Z"
    return False


def test_workers_killed_under_load_cost_only_their_own_requests(serving, exported_rnn):
    with serving(exported_rnn) as server:
        statuses, is_stopped = [], threading.Event()

        def send_requests():
            while not is_stopped.is_set():
                statuses.append(server.ask("/v1/predict", DRAWING).status)

        threads = [threading.Thread(target=send_requests) for _ in range(4)]
        for thread in threads:
            thread.start()
        killed = []
        for _ in range(5):
            time.sleep(0.5)
            # The fork server has the library, but never a request.
            killed.append(max(find_workers(server)))
            os.kill(killed[-1], signal.SIGKILL)
        time.sleep(1)
        is_stopped.set()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive(), "a connection hangs"
        assert set(statuses) <= {200, 503}
        assert statuses.count(503) <= len(killed)
        assert not any(map(is_zombie, killed))
        assert not any(map(is_zombie, processes.find_process_tree(server.process.pid)))
        restarts = server.ask("/metrics").body.decode()
        assert "quickdraw_worker_restarts_total" in restarts


def test_workers_end_with_a_killed_server(serving, exported_rnn):
    with serving(exported_rnn) as server:
        tree = processes.find_process_tree(server.process.pid)
        assert len(tree) > 2
        server.process.kill()
        server.process.wait()
        deadline = time.monotonic() + 20
        while any(Path(f"/proc/{pid}").exists() for pid in tree):
            assert time.monotonic() < deadline
            time.sleep(0.05)
