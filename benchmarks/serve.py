"""Measures the server, as a process of its own on the same machine.

    python -m benchmarks.serve --export_dir=exports/rnn

    start     from the command to the first answer
    steady    requests that come at a steady rate, whether or not the last was answered
    load      as many connections as are asked for, each with its next request at once
    memory    peak of all of the server's processes, through all of that

Each request is one raw drawing, as a browser sends it. Drawings are those of
QUICKDRAW_DIR, or the sample's. The clients take part of the same cores. Linux only, as
it reads `/proc`.
"""

import asyncio
import glob
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
from absl import flags

from benchmarks import processes
from pipeline import cli, sample

WARM_UP_SECONDS = 1.0
POLL_SECONDS = 0.05
MOST_DRAWINGS = 1_000


def _define_flags() -> None:
    flags.DEFINE_string("export_dir", None, "An export, or the folder of its versions.")
    flags.DEFINE_string("runtime", "auto", "The server's --runtime.")
    flags.DEFINE_float("seconds", 20.0, "How long each part is.", lower_bound=0.5)
    flags.DEFINE_float("rate", 50.0, "Requests per second, steady.", lower_bound=1)
    flags.DEFINE_integer("connections", 16, "Under load.", lower_bound=1)


def main() -> None:
    """Starts a server, asks it, prints what was measured."""
    values = flags.FLAGS
    cli.require("export_dir")
    arguments = [f"--export_dir={values.export_dir}", f"--runtime={values.runtime}"]
    requests = [_request(drawing) for drawing in raw_drawings()]
    began = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "serve_export.server", "--port=0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = server.stdout.readline().rpartition("/")[2].strip()
        if not address:
            raise ValueError("the server did not start")
        host, _, port = address.partition(":")
        measured = asyncio.run(_measure(server.pid, host, int(port), requests, began))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
    for line in measured:
        print(line)


async def _measure(
    pid: int, host: str, port: int, requests: Sequence[bytes], began: float
) -> list[str]:
    values = flags.FLAGS
    await _Connection(host, port).ask(requests[0])
    lines = [f"start    {time.perf_counter() - began:8.2f} s to the first answer"]
    peak = asyncio.create_task(_watch(pid))
    await load(host, port, requests, values.connections, WARM_UP_SECONDS)
    taken = await steady(host, port, requests, values.rate, values.seconds)
    p50, p99 = np.quantile(taken, [0.5, 0.99]) * 1e3
    lines.append(
        f"steady   {p50:8.2f} ms p50, {p99:.2f} ms p99, {max(taken) * 1e3:.2f} ms at "
        f"most; {len(taken):,} requests, {values.rate:g} a second"
    )
    rate = await load(host, port, requests, values.connections, values.seconds)
    lines.append(f"load     {rate:8,.0f} drawings/s, {values.connections} connections")
    peak.cancel()
    lines.append(f"memory   {await peak / 2**20:8.1f} MiB at most")
    return lines


async def steady(
    host: str, port: int, requests: Sequence[bytes], rate: float, seconds: float
) -> list[float]:
    """Asks at a rate; gives the seconds that each answer took."""
    free: list[_Connection] = []
    taken: list[float] = []

    async def ask(request: bytes) -> None:
        began = time.perf_counter()
        connection = free.pop() if free else _Connection(host, port)
        await connection.ask(request)
        taken.append(time.perf_counter() - began)
        free.append(connection)

    first = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(round(rate * seconds)):
            due = first + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(ask(requests[number % len(requests)]))
    return taken


async def load(
    host: str, port: int, requests: Sequence[bytes], connections: int, seconds: float
) -> float:
    """Asks without a pause; gives drawings/s."""
    began = time.perf_counter()

    async def keep_asking(number: int) -> int:
        connection, done = _Connection(host, port), 0
        while time.perf_counter() - began < seconds:
            await connection.ask(requests[(number + 7 * done) % len(requests)])
            done += 1
        return done

    each = await asyncio.gather(*map(keep_asking, range(connections)))
    return sum(each) / (time.perf_counter() - began)


async def _watch(pid: int) -> int:
    """Watches over a server's memory until cancelled; gives the most that it took."""
    most = 0
    try:
        while True:
            most = max(most, processes.measure_memory(pid))
            await asyncio.sleep(POLL_SECONDS)
    except asyncio.CancelledError:
        return most


class _Connection:
    """A connection that is kept; it costs the client as little as it can."""

    def __init__(self, host: str, port: int):
        self._address = host, port
        self._streams = None

    async def ask(self, request: bytes) -> None:
        """Sends a request and reads its answer; ValueError if that is not 200."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(size)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ValueError(f"the server answers: {body.decode()}")


def _request(drawing: list) -> bytes:
    body = json.dumps({"drawing": drawing}, separators=(",", ":")).encode()
    head = (
        "POST /v1/predict HTTP/1.1\r\nhost: localhost\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def raw_drawings() -> list[list]:
    """Drawings as hands drew them, the same ones each time."""
    folder = os.environ.get("QUICKDRAW_DIR")
    files = sorted(glob.glob(f"{folder}/pairs/raw/*.ndjson.gz")) if folder else []
    if not files:
        print("no real drawings (set QUICKDRAW_DIR): those of pipeline.sample")
        rng = np.random.default_rng(0)
        words = [sample.CLASSES[i % len(sample.CLASSES)] for i in range(200)]
        return [sample.draw_raw(word, rng, 0.6) for word in words]
    drawings = []
    for file in files:
        with gzip.open(file) as lines:
            drawings += [json.loads(line)["drawing"] for line in lines]
    order = np.random.default_rng(0).permutation(len(drawings))[:MOST_DRAWINGS]
    return [drawings[i] for i in order]


def run() -> None:
    """Entry point of the benchmark."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
