"""Worker processes: a dead one costs its own request only."""

import asyncio
import contextlib
import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import processes
from serve_export.api.errors import ApiError
from serve_export.api.metrics import ServerMetrics
from serve_export.api.settings import ServerSettings
from serve_export.api.workers import worker_groups
from serve_export.api.workers.worker_groups import WorkerGroup
from serve_export.api.workers.worker_processes import WorkerProcess, prepare_fork_server

DRAWING = {"drawing": [[[10, 90, 90], [20, 20, 80]]]}


class SlowWorker:
    """Stands for a worker whose jobs take as many seconds as their body says."""

    def __init__(self):
        self._executor = ThreadPoolExecutor(1)

    async def run(self, job, body, is_small):
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, time.sleep, float(body))
        if job == "fail":
            raise ValueError("failed")
        return job

    def is_alive(self):
        return True

    def close(self):
        self._executor.shutdown()


@pytest.fixture
def make_group():
    with contextlib.ExitStack() as stack:

        def make_group(start_worker=SlowWorker, max_waiting=10):
            group = WorkerGroup(
                [start_worker()], start_worker, max_waiting, 1000, ServerMetrics()
            )
            stack.callback(group.close)
            return group

        yield make_group


def test_too_many_waiting_requests_get_503(make_group):
    async def run():
        group = make_group(max_waiting=1)
        jobs = [asyncio.create_task(group.run("a", b"0.2", True)) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(ApiError) as refused:
            await group.run("b", b"0", True)
        assert refused.value.status == 503
        assert await asyncio.gather(*jobs) == ["a", "a"]
        assert await group.run("c", b"0", True) == "c"

    asyncio.run(run())


def test_too_many_waiting_bytes_get_503(make_group):
    async def run():
        group = make_group()
        jobs = [
            asyncio.create_task(group.run(name, body, True))
            for name, body in (("a", b"0.2"), ("b", b"0".ljust(600)))
        ]
        await asyncio.sleep(0.05)
        with pytest.raises(ApiError) as refused:
            await group.run("c", b"0".ljust(600), True)
        assert refused.value.status == 503
        assert await asyncio.gather(*jobs) == ["a", "b"]
        assert await group.run("d", b"0".ljust(2000), True) == "d"

    asyncio.run(run())


def test_a_request_that_waits_too_long_gets_503(make_group, monkeypatch):
    monkeypatch.setattr(worker_groups, "MAX_WAIT_SECONDS", 0.1)

    async def run():
        group = make_group()
        job = asyncio.create_task(group.run("a", b"0.4", True))
        await asyncio.sleep(0.05)
        with pytest.raises(ApiError) as refused:
            await group.run("b", b"0", True)
        assert refused.value.status == 503
        assert group.waiting == 0
        await job
        assert await group.run("c", b"0", True) == "c"

    asyncio.run(run())


def test_a_canceled_request_keeps_its_worker_until_the_job_ends(make_group):
    async def run():
        group = make_group()
        canceled = asyncio.create_task(group.run("a", b"0.2", True))
        await asyncio.sleep(0.05)
        canceled.cancel()
        names = [str(number) for number in range(8)]
        replies = await asyncio.gather(*(group.run(n, b"0.01", True) for n in names))
        assert replies == names

    asyncio.run(run())


def test_an_exception_reaches_its_own_request_only(make_group):
    async def run():
        group = make_group()
        with pytest.raises(ValueError, match="failed"):
            await group.run("fail", b"0", True)
        assert await group.run("a", b"0", True) == "a"

    asyncio.run(run())


def test_a_dead_worker_is_replaced(make_group, exported_rnn):
    body = json.dumps(DRAWING).encode()
    prepare_fork_server()

    def start_worker():
        started.append(WorkerProcess(0, str(exported_rnn), "auto", ServerSettings()))
        return started[-1]

    async def run():
        group = make_group(start_worker)
        status, _ = await group.run("predict", body, True)
        assert status == 200
        first = started[0]._process.pid
        os.kill(first, signal.SIGSTOP)
        job = asyncio.create_task(group.run("predict", body, True))
        await asyncio.sleep(0.1)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(ApiError) as refused:
            await job
        assert refused.value.status == 503
        status, _ = await group.run("predict", body, True)
        assert status == 200
        os.kill(started[1]._process.pid, signal.SIGKILL)  # while it is idle
        await asyncio.sleep(0.3)
        status, _ = await group.run("predict", body, True)
        assert status == 200
        assert len(started) == 3

    started: list[WorkerProcess] = []
    asyncio.run(run())


def test_an_export_that_cannot_be_loaded_is_an_error(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"not a model")
    prepare_fork_server()
    with pytest.raises(ValueError, match=r"model\.tflite"):
        WorkerProcess(0, str(tmp_path), "auto", ServerSettings())


def find_workers(server) -> list[int]:
    """Returns the worker processes that have loaded the model."""
    return [
        pid
        for pid in processes.find_process_tree(server.process.pid)
        if "_pywrap_litert" in read_process_file(pid, "maps")
        # The child of the server is the fork server.
        and find_parent(pid) not in (os.getpid(), server.process.pid)
    ]


def find_parent(pid) -> int:
    stat = read_process_file(pid, "stat")
    return int(stat.rpartition(")")[2].split()[1]) if stat else 0


def is_zombie(pid) -> bool:
    stat = read_process_file(pid, "stat")
    return bool(stat) and stat.rpartition(")")[2].split()[0] == "Z"


def read_process_file(pid, name) -> str:
    """Reads a file of `/proc`; a process that has ended has none."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_text()
    return ""


def wait_until(condition):
    """Returns the value of the condition when it is true."""
    deadline = time.monotonic() + 20
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


def test_workers_killed_under_load_cost_only_their_own_requests(serving, exported_rnn):
    with serving(exported_rnn) as server:
        statuses, is_stopped = [], threading.Event()

        def send_requests():
            while not is_stopped.is_set():
                statuses.append(server.send("/v1/predict", DRAWING).status)

        threads = [threading.Thread(target=send_requests) for _ in range(4)]
        for thread in threads:
            thread.start()
        killed = []
        for _ in range(5):
            time.sleep(0.5)
            living = wait_until(lambda: set(find_workers(server)) - set(killed))
            killed.append(max(living))
            os.kill(killed[-1], signal.SIGKILL)
        time.sleep(1)
        is_stopped.set()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive(), "a connection hangs"
        assert set(statuses) <= {200, 503}
        assert statuses.count(503) <= len(killed)
        tree = processes.find_process_tree(server.process.pid)
        wait_until(lambda: not any(map(is_zombie, [*killed, *tree])))
        restarts = server.send("/metrics").body.decode()
        assert "quickdraw_worker_restarts_total" in restarts


def test_workers_end_with_a_killed_server(serving, exported_rnn):
    with serving(exported_rnn) as server:
        tree = processes.find_process_tree(server.process.pid)
        assert len(tree) > 2
        server.process.kill()
        server.process.wait()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in tree))
