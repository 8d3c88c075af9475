"""Trains one model with several processes on this machine.

    python -m rnn_model.launch --workers=2 -- --data_dir=DIR --workdir=runs/rnn

The flags after -- are those of train.py (see python train.py --help). Each worker
computes a part of every batch. Worker 0, the chief, writes the files. Each line of
output starts with the number of its worker. When a worker fails, the others are
stopped; run the same command again to resume from the last checkpoint.

Use it to test distributed training. train.py alone uses all CPU cores and GPUs of a
machine.
"""

import contextlib
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import BinaryIO, TextIO

from absl import flags

from pipeline import cli

COMMAND = [sys.executable, "-m", "rnn_model.train_command"]

GRACE_SECONDS = 10.0
"""How long the other workers may run after one has failed."""

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def _define_flags() -> None:
    flags.DEFINE_integer("workers", 2, "Number of processes.", lower_bound=1)


def main() -> None:
    """Starts the workers, waits for them, and exits with their status."""
    train_flags = cli.extra_args[1:]  # after --
    workers = [
        subprocess.Popen(
            [*COMMAND, *train_flags],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A new session, so that they get Ctrl-C once, from this process.
            start_new_session=True,
        )
        for environment in worker_environments(find_free_ports(flags.FLAGS.workers))
    ]
    readers = [
        threading.Thread(target=_copy_lines, args=(f"[{rank}] ", source, target))
        for rank, worker in enumerate(workers)
        for source, target in ((worker.stdout, sys.stdout), (worker.stderr, sys.stderr))
    ]
    for reader in readers:
        reader.start()
    with _forward_signals(workers):
        failed = _wait(workers)
    for reader in readers:
        reader.join()
    if failed is not None:
        status = workers[failed].returncode
        if status != cli.INTERRUPTED:
            print(f"error: worker {failed} {_describe(status)}", file=sys.stderr)
        sys.exit(status if status > 0 else 128 - status)  # as a shell does


def worker_environments(ports: list[int]) -> Iterator[dict[str, str]]:
    """Yields the environment variables of each worker, in the order of their ranks."""
    addresses = [f"localhost:{port}" for port in ports]
    threads = max(1, _count_cores() // len(ports))
    for rank in range(len(ports)):
        task = {"type": "worker", "index": rank}
        yield {
            "TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": task}),
            # By default, each worker would start a thread for every core.
            "TF_NUM_INTRAOP_THREADS": str(threads),
        }


def _count_cores() -> int:
    """Counts the CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def find_free_ports(count: int) -> list[int]:
    """Finds different TCP ports that are not in use."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in sockets:
            sock.bind(("localhost", 0))
        return [sock.getsockname()[1] for sock in sockets]


def _wait(workers: list[subprocess.Popen]) -> int | None:
    """Waits until all workers have exited; kills them some time after one has failed.

    Returns:
      The rank of the worker that failed first, or None.
    """
    failed, deadline = None, math.inf
    while running := [worker for worker in workers if worker.poll() is None]:
        if failed is None and (failed := _find_failed(workers)) is not None:
            deadline = time.monotonic() + GRACE_SECONDS
        if time.monotonic() > deadline:
            for worker in running:
                worker.kill()
        time.sleep(0.1)
    return _find_failed(workers) if failed is None else failed


def _find_failed(workers: list[subprocess.Popen]) -> int | None:
    """Returns the rank of a failed worker, preferably one that was killed.

    The others fail because they lose the connection to it.
    """
    failed = [rank for rank, worker in enumerate(workers) if worker.returncode]
    return min(failed, key=lambda rank: workers[rank].returncode, default=None)


@contextlib.contextmanager
def _forward_signals(workers: list[subprocess.Popen]) -> Iterator[None]:
    """Forwards signals that would stop this process to the workers."""

    def forward(number: int, frame: FrameType | None) -> None:
        for worker in workers:
            worker.send_signal(number)

    previous = {number: signal.signal(number, forward) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _copy_lines(prefix: str, source: BinaryIO, target: TextIO) -> None:
    """Copies lines and adds a prefix; the states of a progress bar are lines, too."""
    rest = b""
    while data := source.read1(1 << 16):  # type: ignore[attr-defined]
        *lines, rest = re.split(rb"[\r\n]", rest + data)
        for line in filter(bytes.strip, lines):
            print(f"{prefix}{line.decode(errors='replace')}", file=target, flush=True)
    if rest.strip():
        print(f"{prefix}{rest.decode(errors='replace')}", file=target, flush=True)


def _describe(status: int) -> str:
    """Describes how a worker failed."""
    if status > 0:
        return f"exited with status {status}; see its last lines for the cause"
    return (
        f"was killed by {signal.Signals(-status).name}, and the others were stopped. "
        "Run the same command again to resume from the last checkpoint"
    )


def _check_train_flags(arguments: list[str]) -> list[str]:
    """Checks that there are flags of train.py, after --; returns no unknown ones."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    own, train_flags = arguments[:end], arguments[end + 1 :]
    if own:
        raise ValueError(
            f"unknown argument {own[0]!r}; the flags of train.py follow after --"
        )
    if not train_flags:
        raise ValueError("the flags of train.py are missing; add -- --data_dir=…")
    return []


def run() -> None:
    """Entry point of `quickdraw-launch`."""
    cli.run(
        main, _define_flags, doc=__doc__ or "", find_unknown_args=_check_train_flags
    )


if __name__ == "__main__":
    run()
