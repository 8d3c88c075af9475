"""Trains with several processes of this machine, as a cluster would.

    python -m rnn_model.launch --workers=2 -- --data_dir=DIR --workdir=runs/rnn

What follows the -- are the flags of train.py (python train.py --help lists them). Each
worker takes its part of every batch, and all end with the same model; worker 0, the
chief, writes it. Lines begin with the worker's number. When one worker ends before its
time, the others are ended too; the same command goes on from the last checkpoint.

It tries out a cluster. To use all processors or GPUs of one machine train.py alone is
enough.
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

PROGRAM = [sys.executable, "-m", "rnn_model.train_command"]

GRACE_SECONDS = 10.0
"""What the others have to end by themselves when one has failed."""

SIGNALS = (signal.SIGTERM, signal.SIGINT)

_REST: list[str] = []


def _define_flags() -> None:
    flags.DEFINE_integer("workers", 2, "Processes that train together.", lower_bound=1)


def main() -> None:
    """Launches the workers and ends as they end."""
    workers = [
        subprocess.Popen(
            [*PROGRAM, *_REST],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Ctrl-C is to reach them once, from here.
            start_new_session=True,
        )
        for environment in environments(free_ports(flags.FLAGS.workers))
    ]
    readers = [
        threading.Thread(target=_prefix, args=(f"[{rank}] ", source, target))
        for rank, worker in enumerate(workers)
        for source, target in ((worker.stdout, sys.stdout), (worker.stderr, sys.stderr))
    ]
    for reader in readers:
        reader.start()
    with _signals_passed_on(workers):
        first = _wait(workers)
    for reader in readers:
        reader.join()
    if first is not None:
        status = workers[first].returncode
        if status != cli.INTERRUPTED:
            print(f"error: worker {first} {_how(status)}", file=sys.stderr)
        # As a shell tells it.
        sys.exit(status if status > 0 else 128 - status)


def environments(ports: list[int]) -> Iterator[dict[str, str]]:
    """What each worker finds in its environment, in the order of their ranks."""
    addresses = [f"localhost:{port}" for port in ports]
    cores = _cores()
    for rank in range(len(ports)):
        task = {"type": "worker", "index": rank}
        yield {
            "TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": task}),
            # Else each would have a thread for every core, and they would queue.
            "TF_NUM_INTRAOP_THREADS": str(max(1, cores // len(ports))),
        }


def _cores() -> int:
    """Processors that we may use: of a machine that others share, not all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for some in sockets:
            some.bind(("localhost", 0))
        return [some.getsockname()[1] for some in sockets]


def _wait(workers: list[subprocess.Popen]) -> int | None:
    """Waits until all have ended; ends them when one fails.

    Returns:
      Which failed first, or None.
    """
    first, deadline = None, math.inf
    while running := [worker for worker in workers if worker.poll() is None]:
        if first is None and (first := _failed(workers)) is not None:
            deadline = time.monotonic() + GRACE_SECONDS
        if time.monotonic() > deadline:
            for worker in running:
                worker.kill()
        time.sleep(0.1)
    return _failed(workers) if first is None else first


def _failed(workers: list[subprocess.Popen]) -> int | None:
    """One that failed; one that was killed rather than one that missed it then."""
    failed = [rank for rank, worker in enumerate(workers) if worker.returncode]
    return min(failed, key=lambda rank: workers[rank].returncode, default=None)


@contextlib.contextmanager
def _signals_passed_on(workers: list[subprocess.Popen]) -> Iterator[None]:
    """Within it, what stops us is sent to the workers instead."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        for worker in workers:
            worker.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _prefix(prefix: str, source: BinaryIO, target: TextIO) -> None:
    """Copies lines, each after the prefix; so is what a progress bar overwrites."""
    rest = b""
    while some := source.read1(1 << 16):
        *lines, rest = re.split(rb"[\r\n]", rest + some)
        for line in filter(bytes.strip, lines):
            print(f"{prefix}{line.decode(errors='replace')}", file=target, flush=True)
    if rest.strip():
        print(f"{prefix}{rest.decode(errors='replace')}", file=target, flush=True)


def _how(status: int) -> str:
    """How a worker ended that failed."""
    if status > 0:
        return f"ended with status {status}; its last lines tell why"
    return (
        f"was killed by {signal.Signals(-status).name}, and the others were ended; the "
        "same command goes on from the last checkpoint"
    )


def run() -> None:
    """Entry point of `quickdraw-launch`."""
    cli.run(main, _define_flags, doc=__doc__ or "", parse_extra_args=_parse_extra_args)


def _parse_extra_args(args: list[str]) -> list[str]:
    """Keeps the arguments after `--`, which are those of train.py."""
    end = args.index("--") if "--" in args else len(args)
    before, after = args[:end], args[end + 1 :]
    if before or not after:
        what = f"not a flag of the launcher: {before[0]!r}; " if before else ""
        raise ValueError(f"{what}the flags of train.py go after --: -- --data_dir=…")
    _REST[:] = after
    return []


if __name__ == "__main__":
    run()
