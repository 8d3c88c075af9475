"""Measures the server, as a process of its own on the same machine.

    python -m benchmarks.serve --export_dir=exports/rnn
    python -m benchmarks.serve --export_dir=exports/rnn --hostile

    start     from the command to the first response
    steady    requests at a constant rate, whether or not the last was answered
    load      connections that send their next request at once
    memory    peak of all processes of the server during these parts (PSS)
    hostile   requests that are made to be expensive, see `benchmarks.hostile_clients`

Each request is one raw drawing, as a browser sends it. The drawings are those of
`$QUICKDRAW_DIR`, or `pipeline.sample`'s. The clients share the cores with the server.
Linux only: reads `/proc`.
"""

import asyncio
import contextlib
import glob
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence

import numpy as np
from absl import flags

from benchmarks import hostile_clients, processes
from benchmarks.hostile_clients import Connection, ServerAddress, make_request
from pipeline import cli, sample

WARM_UP_SECONDS = 1.0
POLL_SECONDS = 0.05
MAX_DRAWINGS = 1_000


def _define_flags() -> None:
    flags.DEFINE_string(
        "export_dir", None, "An export, or the directory of its versions."
    )
    flags.DEFINE_string("runtime", "auto", "The server's --runtime.")
    flags.DEFINE_string(
        "source_dir",
        None,
        "Measure the server of another checkout; default: of this one.",
    )
    flags.DEFINE_float("seconds", 20.0, "Length of each part.", lower_bound=0.5)
    flags.DEFINE_float("rate", 50.0, "Requests per second in steady.", lower_bound=1)
    flags.DEFINE_integer("connections", 16, "Connections in load.", lower_bound=1)
    flags.DEFINE_bool("hostile", False, "Also measure hostile clients.")
    flags.DEFINE_list("attacks", None, "Only these of the hostile clients.")


def main() -> None:
    """Starts a server, measures it, prints the results."""
    values = flags.FLAGS
    cli.require("export_dir")
    export_dir = os.path.abspath(values.export_dir)
    arguments = [f"--export_dir={export_dir}", f"--runtime={values.runtime}"]
    requests = [make_request({"drawing": drawing}) for drawing in load_raw_drawings()]
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "serve_export.server", "--port=0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=values.source_dir,
    ) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().rpartition("/")[2].strip()
            if not url:
                raise ValueError("the server did not start")
            host, _, port = url.partition(":")
            address = ServerAddress(host, int(port), server.pid)
            asyncio.run(_measure(address, requests, started))
        finally:
            server.send_signal(signal.SIGTERM)


async def _measure(
    address: ServerAddress, requests: Sequence[bytes], started: float
) -> None:
    values = flags.FLAGS
    await _send(Connection(address), requests[0])
    _print("start", f"{time.perf_counter() - started:8.2f} s to the first response")
    async with watch_memory(address.pid) as memory:
        await measure_load(address, requests, values.connections, WARM_UP_SECONDS)
        latencies = await measure_steady(address, requests, values.rate, values.seconds)
        p50, p99 = np.quantile(latencies, [0.5, 0.99]) * 1e3
        _print(
            "steady",
            f"{p50:8.2f} ms p50, {p99:.2f} ms p99, {max(latencies) * 1e3:.2f} ms max; "
            f"{len(latencies):,} requests at {values.rate:g}/s",
        )
        rate = await measure_load(address, requests, values.connections, values.seconds)
        _print("load", f"{rate:8,.0f} drawings/s, {values.connections} connections")
    _print("memory", f"{memory[0] / 2**20:8.1f} MiB peak")
    if values.hostile:
        async with watch_memory(address.pid) as memory:
            await hostile_clients.measure(address, requests, values.attacks)
        _print("memory", f"{memory[0] / 2**20:8.1f} MiB peak with hostile clients")


def _print(name: str, text: str) -> None:
    print(f"{name:8} {text}", flush=True)


async def measure_steady(
    address: ServerAddress, requests: Sequence[bytes], rate: float, seconds: float
) -> list[float]:
    """Sends requests at a constant rate; returns the latency of each in seconds."""
    idle: list[Connection] = []
    latencies: list[float] = []

    async def send(request: bytes) -> None:
        started = time.perf_counter()
        connection = idle.pop() if idle else Connection(address)
        await _send(connection, request)
        latencies.append(time.perf_counter() - started)
        idle.append(connection)

    first = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(round(rate * seconds)):
            due = first + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(send(requests[number % len(requests)]))
    return latencies


async def measure_load(
    address: ServerAddress,
    requests: Sequence[bytes],
    connections: int,
    seconds: float,
) -> float:
    """Sends requests without a pause; returns drawings per second."""
    started = time.perf_counter()

    async def send_all(offset: int) -> int:
        connection, count = Connection(address), 0
        while time.perf_counter() - started < seconds:
            await _send(connection, requests[(offset + 7 * count) % len(requests)])
            count += 1
        return count

    counts = await asyncio.gather(*map(send_all, range(connections)))
    return sum(counts) / (time.perf_counter() - started)


async def _send(connection: Connection, request: bytes) -> None:
    response = await connection.send(request)
    if response.status != 200:
        raise ValueError(f"{response.status}: {response.body.decode()}")


@contextlib.asynccontextmanager
async def watch_memory(pid: int) -> AsyncIterator[list[int]]:
    """Measures a server's peak memory until the context ends.

    Yields:
      A list with the peak so far, in bytes.
    """
    peak = [0]

    async def poll() -> None:
        while True:
            used = await asyncio.to_thread(processes.measure_memory, pid)
            peak[0] = max(peak[0], used)
            await asyncio.sleep(POLL_SECONDS)

    task = asyncio.create_task(poll())
    try:
        yield peak
    finally:
        task.cancel()


def load_raw_drawings() -> list[list]:
    """Returns raw drawings, the same ones each time."""
    folder = os.environ.get("QUICKDRAW_DIR")
    files = sorted(glob.glob(f"{folder}/pairs/raw/*.ndjson.gz")) if folder else []
    if not files:
        print("QUICKDRAW_DIR is not set: drawings of pipeline.sample")
        rng = np.random.default_rng(0)
        words = [sample.CLASSES[i % len(sample.CLASSES)] for i in range(200)]
        return [sample.draw_raw(word, rng, 0.6) for word in words]
    drawings = []
    for file in files:
        with gzip.open(file) as lines:
            drawings += [json.loads(line)["drawing"] for line in lines]
    order = np.random.default_rng(0).permutation(len(drawings))[:MAX_DRAWINGS]
    return [drawings[i] for i in order]


def run() -> None:
    """Entry point of the benchmark."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
