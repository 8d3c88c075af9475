"""Runs pipeline.create_dataset on any number of drawings and measures it."""

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


class Measurement(NamedTuple):
    """Resources used by a run.

    Attributes:
      drawings: Number of drawings.
      seconds: Wall-clock time.
      cpu_seconds: CPU time of all processes.
      peak_bytes: Peak of the memory of all processes together.
      output_bytes: Size of the shards.
    """

    drawings: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output_bytes: int


def find_input_files(pattern: str | None, folder: Path) -> list[str]:
    """Returns the files of a pattern, else real drawings, else synthetic ones."""
    if pattern is None and (quickdraw_dir := os.environ.get("QUICKDRAW_DIR")):
        pattern = f"{quickdraw_dir}/simplified/*.ndjson.gz"
    if pattern is not None:
        if files := sorted(glob.glob(pattern)):
            return files
        raise ValueError(f"no files match {pattern}")
    print("QUICKDRAW_DIR is not set; using the drawings of pipeline.sample")
    sample.write_sample(str(folder / "sample"), 200)
    return sorted(map(str, (folder / "sample").glob("*.ndjson")))


def write_input(files: list[str], folder: Path, num_drawings: int) -> int:
    """Repeats the lines of files with new keys.

    Args:
      files: Files of simplified ndjson, one per class.
      folder: Folder to create.
      num_drawings: Number of lines to write in total.

    Returns:
      The size in bytes of all files in `folder`.
    """
    folder.mkdir()
    lines = {file: _read_lines(file) for file in files}
    total = sum(map(len, lines.values()))
    keys = itertools.count(2**52)
    remaining = num_drawings
    size = 0
    with cli.progress(num_drawings, "input") as bar:
        for index, (file, file_lines) in enumerate(lines.items()):
            is_last = index == len(lines) - 1
            count = remaining if is_last else num_drawings * len(file_lines) // total
            remaining -= count
            name = os.path.basename(file).removesuffix(".gz")
            with (folder / name).open("wb") as output:
                for line in itertools.islice(itertools.cycle(file_lines), count):
                    output.write(b'{"key_id":"%d",%s\n' % (next(keys), line))
                size += output.tell()
            bar.update(count)
    return size


def _read_lines(file: str) -> list[bytes]:
    """Reads lines without their key and without their opening brace."""
    data = Path(file).read_bytes()
    if file.endswith(".gz"):
        data = gzip.decompress(data)
    return [_KEY.sub(b"", line.strip())[1:] for line in data.splitlines() if line]


def command_line(input_dir: Path) -> list[str]:
    """Returns the command line of the job without its output folder."""
    return [sys.executable, "-m", "pipeline.create_dataset", f"--input={input_dir}/*"]


def measure(
    program: list[str], folder: str, num_drawings: int, *, quiet: bool = False
) -> Measurement:
    """Runs a program with `--output_dir`, then removes its output."""
    output = Path(folder) / "output"
    usage = processes.run_measured([*program, f"--output_dir={output}"], quiet=quiet)
    size = sum(path.stat().st_size for path in output.glob("*tfrecord*"))
    shutil.rmtree(output)
    return Measurement(num_drawings, *usage, size)
