"""What a process and its descendants take. Linux only: it reads `/proc`."""

import contextlib
import glob
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

POLL_SECONDS = 0.05


class Taken(NamedTuple):
    """What a program took: wall and CPU seconds, peak of memory in bytes."""

    seconds: float
    cpu_seconds: float
    peak: int


def watch(
    program: list[str], *, quiet: bool = False, cores: Collection[int] | None = None
) -> Taken:
    """Runs a program, and watches over all of its processes.

    Args:
      program: its command line; what it prints goes to stderr.
      quiet: show what it says on stderr, as TensorFlow does of itself, only if it
        fails.
      cores: numbers of the processors that it may use; all that we may by default.

    Raises:
      ValueError: it failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            program,
            stdout=sys.stderr,
            stderr=said if quiet else None,
            preexec_fn=cores and (lambda: os.sched_setaffinity(0, cores)),
        )
        peak = 0
        try:
            while process.poll() is None:
                peak = max(peak, memory(process.pid))
                time.sleep(POLL_SECONDS)
        finally:
            if process.poll() is None:  # we are interrupted
                process.terminate()
                process.wait()
        seconds = time.monotonic() - started
        if code := process.returncode:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
            raise ValueError(f"{' '.join(program)} exited with {code}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(seconds, cpu, peak)


def memory(root: int) -> int:
    """Bytes that a process and all that descend from it hold together."""
    return sum(map(_memory, tree(root)))


def tree(root: int) -> set[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # pid (name) state parent …; a name may hold anything.
            fields = Path(path).read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(path.split("/")[2]))
    found, new = set(), [root]
    while new:
        pid = new.pop()
        found.add(pid)
        new += children.get(pid, [])
    return found


def _memory(pid: int) -> int:
    """Bytes that a process holds and no other one; shared pages by their part."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0
