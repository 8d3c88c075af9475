"""Time and memory of a process and its descendants. Linux only: reads `/proc`."""

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


class Usage(NamedTuple):
    """Resources used by a program.

    Attributes:
      seconds: Wall-clock time.
      cpu_seconds: CPU time of all processes.
      peak_bytes: Peak of the memory of all processes together.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def run_measured(
    program: list[str], *, quiet: bool = False, cores: Collection[int] | None = None
) -> Usage:
    """Runs a program and measures all of its processes.

    Args:
      program: Command line; its output goes to stderr.
      quiet: Whether to show stderr only if the program fails.
      cores: Numbers of the processors that the program may use. Default: all.

    Raises:
      ValueError: The program failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            program,
            stdout=sys.stderr,
            stderr=stderr if quiet else None,
            preexec_fn=cores and (lambda: os.sched_setaffinity(0, cores)),
        )
        peak_bytes = 0
        try:
            while process.poll() is None:
                peak_bytes = max(peak_bytes, measure_memory(process.pid))
                time.sleep(POLL_SECONDS)
        finally:
            if process.poll() is None:  # interrupted
                process.terminate()
                process.wait()
        seconds = time.monotonic() - started
        if code := process.returncode:
            stderr.seek(0)
            sys.stderr.write(stderr.read().decode(errors="replace"))
            raise ValueError(f"{' '.join(program)} exited with {code}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Usage(seconds, cpu, peak_bytes)


def measure_memory(root: int) -> int:
    """Returns the memory of a process and its descendants in bytes."""
    return sum(map(_read_proportional_set_size, find_process_tree(root)))


def find_process_tree(root: int) -> set[int]:
    """Returns the ids of a process and its descendants."""
    children: dict[int, list[int]] = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # Fields: pid (name) state parent …; the name may contain anything.
            fields = Path(path).read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(path.split("/")[2]))
    tree, pending = set(), [root]
    while pending:
        pid = pending.pop()
        tree.add(pid)
        pending += children.get(pid, [])
    return tree


def _read_proportional_set_size(pid: int) -> int:
    """Returns the memory of a process, with its part of all shared pages."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0
