"""Clients that try to exhaust the server, and what they cost another client.

For each request that is made to be expensive:

    block     longest time in which the event loop answered no other connection, while
              one such request was handled
    cpu       CPU time of all processes of the server for one such request
    memory    growth of the server's memory (PSS) by one such request
    4         latency of a normal client beside four clients that send it in a loop
    100       slowest response of a hundred such clients, and the statuses of all

Slow and endless requests have the last two only. The hostile clients run in a process
of lower priority, as they stand for other machines. Everything is on the loopback
interface and limited in number and time.
"""

import asyncio
import collections
import contextlib
import gzip
import json
import multiprocessing
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import processes
from pipeline import sample

PREDICT = "/v1/predict"
TF_PREDICT = "/v1/models/quickdraw:predict"

REPETITIONS = 5
ATTACK_SECONDS = 4.0
NORMAL_RATE = 50.0
MANY = 100
IDLE_CONNECTIONS = 1_000
CLIENT_TIMEOUT = 20.0


class ServerAddress(NamedTuple):
    """A running server."""

    host: str
    port: int
    pid: int


class Response(NamedTuple):
    """The response to a request."""

    status: int
    body: bytes


class Connection:
    """A keep-alive connection that costs the client little CPU time."""

    def __init__(self, address: ServerAddress):
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> Response:
        """Sends a request and reads its response.

        Raises:
          OSError: The connection was closed without a response.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address[:2])
        reader, writer = self._streams
        try:
            with contextlib.suppress(ConnectionError):
                writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise OSError(f"no response: {error}") from None
        if b"connection: close" in head:
            self.close()
        return Response(int(head.split()[1]), body)

    def close(self) -> None:
        """Closes the connection."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


def make_request(body: Any, path: str = PREDICT, headers: str = "") -> bytes:
    """Returns the bytes of a POST request; `body` is JSON unless it is bytes."""
    if not isinstance(body, bytes):
        body = json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n{headers}\r\n"
    )
    return head.encode() + body


def make_expensive_requests() -> dict[str, bytes]:
    """Returns requests that cost more than they seem to, by name."""
    zigzag = [[255 * i / 7000 for i in range(7000)], [0.0, 5.0] * 3500]
    small_zigzag = [[i / 2 for i in range(400)], [0.0, 5.0] * 200]
    rows = [[0, 0, 0]] * 32_000
    rng = np.random.default_rng(0)
    drawings = [sample.draw_raw(sample.CLASSES[i % 12], rng, 0.6) for i in range(200)]
    instance = {"ink": [[0.1, -0.1, 0]] * 44 + [[0.1, 0.1, 1]], "length": 45}
    compressed = gzip.compress(b" " * (100 << 20))
    return {
        "500000 integers": make_request({"drawing": [1] * 500_000}),
        "200000 strings": make_request({"drawing": [[""]] * 200_000}),
        "100000 strokes": make_request({"drawing": [[[1], [1]]] * 100_000}),
        "500000 points": make_request({"drawing": [[[1] * 125_000] * 4]}),
        "240000 empty lists": make_request({"drawing": [[[]] * 240_000]}),
        "128000 rows": make_request(
            {"instances": [{"ink": rows, "length": 1}] * 4}, TF_PREDICT
        ),
        "60000 rows": make_request(
            {"instances": [{"ink": rows[:15_000], "length": 1}] * 4}, TF_PREDICT
        ),
        "a long scribble": make_request({"drawing": [zigzag]}),
        "256 scribbles": make_request({"drawings": [[small_zigzag]] * 256}),
        "200 drawings": make_request({"drawings": drawings}),
        "256 instances": make_request({"instances": [instance] * 256}, TF_PREDICT),
        "nested lists": make_request(b'{"drawing": ' + b"[" * 500_000),
        "a long number": make_request(b'{"drawing": [[[' + b"9" * 1_000_000 + b"]]]}"),
        "a long string": make_request({"format": "a" * 1_000_000}),
        "a long field name": make_request({"a" * 1_000_000: 1}),
        "100 MiB of gzip": make_request(
            compressed, headers="content-encoding: gzip\r\n"
        ),
        "10 MB": make_request(b" " * 10_000_000),
    }


# --- Slow and endless requests --------------------------------------------------------


async def send_slow_head(address: ServerAddress) -> int:
    """Sends a header per second."""
    reader, writer = await asyncio.open_connection(*address[:2])
    writer.write(b"GET /healthz HTTP/1.1\r\n")
    return await _send_until_answered(reader, writer, b"a: b\r\n", 1.0)


async def send_endless_head(address: ServerAddress) -> int:
    """Sends headers without an end."""
    reader, writer = await asyncio.open_connection(*address[:2])
    writer.write(b"GET /healthz HTTP/1.1\r\n")
    return await _send_until_answered(reader, writer, b"a: b\r\n" * 10_000, 0.0)


async def send_slow_body(address: ServerAddress) -> int:
    """Sends a byte per second."""
    reader, writer = await asyncio.open_connection(*address[:2])
    writer.write(make_request(b" " * 100_000)[:-100_000])
    return await _send_until_answered(reader, writer, b" ", 1.0)


async def send_endless_body(address: ServerAddress) -> int:
    """Sends chunks without an end."""
    reader, writer = await asyncio.open_connection(*address[:2])
    writer.write(
        b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\n"
        b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    return await _send_until_answered(reader, writer, chunk, 0.0)


async def hold_idle_connections(address: ServerAddress) -> int:
    """Opens connections and sends nothing."""
    share = IDLE_CONNECTIONS // 4
    streams = [await asyncio.open_connection(*address[:2]) for _ in range(share)]
    await asyncio.sleep(ATTACK_SECONDS)
    for _, writer in streams:
        writer.transport.abort()
    return 0


async def _send_until_answered(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    data: bytes,
    pause: float,
) -> int:
    """Returns the status of the response, 0 if the connection ends without one."""
    response = asyncio.create_task(reader.readuntil(b"\r\n"))
    try:
        with contextlib.suppress(OSError):
            while not response.done():
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(pause)
        async with asyncio.timeout(1):
            return int((await response).split()[1])
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return 0
    finally:
        response.cancel()
        writer.transport.abort()


SLOW_CLIENTS: dict[str, Callable[[ServerAddress], Awaitable[int]]] = {
    "slow head": send_slow_head,
    "endless head": send_endless_head,
    "slow body": send_slow_body,
    "endless body": send_endless_body,
    f"{IDLE_CONNECTIONS} idle": hold_idle_connections,
}


# --- Measurements ---------------------------------------------------------------------


async def measure(
    address: ServerAddress,
    normal_requests: Sequence[bytes],
    names: Sequence[str] | None = None,
) -> None:
    """Measures the server with each hostile client; prints a line for each."""
    expensive = make_expensive_requests()
    known = [*expensive, *SLOW_CLIENTS]
    if unknown := set(names or ()) - set(known):
        raise ValueError(f"unknown attacks: {unknown}. Known: {', '.join(known)}")
    alone = await _measure_normal_client(address, normal_requests)
    print(f"alone{'':45} p50 {_format_latencies(alone)}", flush=True)
    for name in names or known:
        line = f"{name:20}"
        if name in expensive:
            cost = await measure_cost(address, expensive[name])
            line += (
                f" {cost.status} block {cost.block_seconds * 1e3:5.1f} ms, "
                f"cpu {cost.cpu_seconds * 1e3:5.0f} ms, {cost.memory / 2**20:5.1f} MiB;"
            )
        with run_hostile_clients(address, name, 4):
            await asyncio.sleep(0.5)
            beside_few = await _measure_normal_client(address, normal_requests)
        line += f" 4: p50 {_format_latencies(beside_few)};"
        with run_hostile_clients(address, name, MANY) as results:
            await asyncio.sleep(0.5)
            beside_many = await _measure_normal_client(address, normal_requests)
        slowest, statuses = results[0]
        line += (
            f" {MANY}: slowest {slowest:.2f} s, "
            f"{', '.join(f'{n} × {status}' for status, n in sorted(statuses.items()))};"
            f" normal p50 {_format_latencies(beside_many)}"
        )
        print(line, flush=True)


class Cost(NamedTuple):
    """What one request costs the server."""

    status: int
    block_seconds: float
    cpu_seconds: float
    memory: int


async def measure_cost(address: ServerAddress, request: bytes) -> Cost:
    """Sends a request several times while another connection watches the event loop."""
    probe, connection = Connection(address), Connection(address)
    check = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"
    longest, is_done = 0.0, False

    async def watch_event_loop() -> None:
        nonlocal longest
        while not is_done:
            started = time.perf_counter()
            await probe.send(check)
            longest = max(longest, time.perf_counter() - started)

    async def watch_peak() -> None:
        nonlocal peak
        while not is_done:
            used = await asyncio.to_thread(processes.measure_memory, address.pid)
            peak = max(peak, used)

    await connection.send(request)
    before = peak = processes.measure_memory(address.pid)
    cpu = read_cpu_seconds(address.pid)
    for _ in range(REPETITIONS):
        response = await connection.send(request)
    cpu = (read_cpu_seconds(address.pid) - cpu) / REPETITIONS
    watchers = [asyncio.create_task(w()) for w in (watch_event_loop, watch_peak)]
    blocks = []
    for _ in range(REPETITIONS):
        longest = 0.0
        await connection.send(request)
        blocks.append(longest)
    is_done = True
    await asyncio.gather(*watchers)
    return Cost(response.status, float(np.median(blocks)), cpu, peak - before)


def read_cpu_seconds(pid: int) -> float:
    """Returns the CPU time that the processes of a server have used so far."""
    total = 0
    for process in processes.find_process_tree(pid):
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += int(stat[11]) + int(stat[12])
    return total / os.sysconf("SC_CLK_TCK")


async def _measure_normal_client(
    address: ServerAddress, requests: Sequence[bytes]
) -> list[float]:
    """Returns the latencies of a client with a steady rate; infinity for a failure."""
    connection, latencies = Connection(address), []
    first = time.perf_counter()
    for number in range(round(NORMAL_RATE * (ATTACK_SECONDS - 1))):
        await asyncio.sleep(
            max(0.0, first + number / NORMAL_RATE - time.perf_counter())
        )
        started = time.perf_counter()
        try:
            async with asyncio.timeout(CLIENT_TIMEOUT):
                response = await connection.send(requests[number % len(requests)])
            is_ok = response.status == 200
        except (OSError, TimeoutError):
            connection.close()
            is_ok = False
        latencies.append(time.perf_counter() - started if is_ok else np.inf)
    return latencies


def _format_latencies(latencies: Sequence[float]) -> str:
    p50, p99 = np.quantile(latencies, [0.5, 0.99], method="higher") * 1e3
    return f"{p50:.1f} ms, p99 {p99:.1f} ms"


@contextlib.contextmanager
def run_hostile_clients(
    address: ServerAddress, name: str, count: int
) -> Iterator[list[tuple[float, collections.Counter]]]:
    """Runs clients in another process until the context ends.

    Yields:
      A list that then holds the seconds of the slowest response and the number of
      responses by status; 0 stands for a connection that ended without a response.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_attack, args=(address, name, count, sender))
    process.start()
    results: list[tuple[float, collections.Counter]] = []
    receiver.recv()  # it is ready
    try:
        yield results
    finally:
        results.append(receiver.recv())
        process.join()


def _attack(address: ServerAddress, name: str, count: int, sender: Any) -> None:
    os.nice(19)
    expensive = make_expensive_requests()
    sender.send(None)
    if name in expensive:
        result = asyncio.run(_send_in_loop(address, expensive[name], count))
    else:
        result = asyncio.run(_run_slow_clients(address, SLOW_CLIENTS[name], count))
    sender.send(result)


async def _send_in_loop(
    address: ServerAddress, request: bytes, count: int
) -> tuple[float, collections.Counter]:
    statuses: collections.Counter = collections.Counter()
    slowest, deadline = 0.0, time.perf_counter() + ATTACK_SECONDS

    async def send() -> None:
        nonlocal slowest
        connection = Connection(address)
        while time.perf_counter() < deadline:
            started = time.perf_counter()
            try:
                async with asyncio.timeout(CLIENT_TIMEOUT):
                    response = await connection.send(request)
                statuses[response.status] += 1
            except (OSError, TimeoutError):
                connection.close()
                statuses[0] += 1
            slowest = max(slowest, time.perf_counter() - started)

    await asyncio.gather(*(send() for _ in range(count)))
    return slowest, statuses


async def _run_slow_clients(
    address: ServerAddress,
    client: Callable[[ServerAddress], Awaitable[int]],
    count: int,
) -> tuple[float, collections.Counter]:
    statuses: collections.Counter = collections.Counter()

    async def run() -> None:
        try:
            async with asyncio.timeout(CLIENT_TIMEOUT):
                statuses[await client(address)] += 1
        except (OSError, TimeoutError):
            statuses[0] += 1

    started = time.perf_counter()
    clients = min(count, 4) if client is hold_idle_connections else count
    await asyncio.gather(*(run() for _ in range(clients)))
    return time.perf_counter() - started, statuses
