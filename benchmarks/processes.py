"""How much memory a process and its descendants take. Linux only: it reads `/proc`."""

import contextlib
import glob
from pathlib import Path


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
