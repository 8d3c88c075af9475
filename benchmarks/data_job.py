"""The job that makes data sets, on as many drawings as one likes, measured."""

import glob
import gzip
import itertools
import os
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks import processes
from pipeline import cli, sample

_KEY = re.compile(rb'"key_id":\s*"[^"]*",?\s*')


class Measured(NamedTuple):
    """What a run took: wall and CPU seconds, peak of memory, output, all in bytes."""

    drawings: int
    seconds: float
    cpu_seconds: float
    peak: int
    output: int


def input_files(pattern: str | None, folder: Path) -> list[str]:
    """The files of the flag, or the real ones, or else the sample."""
    if pattern is None and (real := os.environ.get("QUICKDRAW_DIR")):
        pattern = f"{real}/simplified/*.ndjson.gz"
    if pattern is not None:
        if files := sorted(glob.glob(pattern)):
            return files
        raise ValueError(f"there is no file {pattern}")
    print("no real drawings (set QUICKDRAW_DIR): those of pipeline.sample")
    sample.write_sample(folder / "sample", 200, 0)
    return sorted(map(str, (folder / "sample").glob("*.ndjson")))


def write_input(files: list[str], folder: Path, drawings: int) -> int:
    """Repeats the lines of files, with new keys, until there are enough.

    Returns:
      The size of all files in `folder`, in bytes.
    """
    folder.mkdir()
    lines = {file: _read_lines(file) for file in files}
    total = sum(map(len, lines.values()))
    numbers = itertools.count(2**52)
    left = drawings
    size = 0
    with cli.progress(drawings, "input") as bar:
        for place, (file, mine) in enumerate(lines.items()):
            count = left if place == len(lines) - 1 else drawings * len(mine) // total
            left -= count
            name = os.path.basename(file).removesuffix(".gz")
            with (folder / name).open("wb") as out:
                for line in itertools.islice(itertools.cycle(mine), count):
                    out.write(b'{"key_id":"%d",%s\n' % (next(numbers), line))
                size += out.tell()
            bar.update(count)
    return size


def _read_lines(file: str) -> list[bytes]:
    """The lines without their key and without the brace that opens them."""
    data = Path(file).read_bytes()
    if file.endswith(".gz"):
        data = gzip.decompress(data)
    return [_KEY.sub(b"", line.strip())[1:] for line in data.splitlines() if line]


def command_line(source: Path) -> list[str]:
    """The job's command line, with its defaults, but for where it writes to."""
    return [sys.executable, "-m", "pipeline.create_dataset", f"--input={source}/*"]


def measure(
    program: list[str], folder: str, drawings: int, *, quiet: bool = False
) -> Measured:
    """Runs a program that writes to the folder `output`, and removes what it wrote."""
    output = Path(folder) / "output"
    taken = processes.watch([*program, f"--output_dir={output}"], quiet=quiet)
    size = sum(path.stat().st_size for path in output.glob("*tfrecord*"))
    shutil.rmtree(output)
    return Measured(drawings, *taken, size)
