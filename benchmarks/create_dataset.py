"""Measures the job that makes data sets, beside two other ways to do the same.

    python -m benchmarks.create_dataset --drawings=1000000

    ours      python -m pipeline.create_dataset, with its defaults
    ancestor  the method of TensorFlow's tutorial `tutorials/rnn/quickdraw` at its
              best: json → numpy → tf.train.Example → TFRecordWriter, 10 shards, one
              process; it ends where that one looped for ever, at a file's end
    elements  plain Beam on the same runner, a drawing an element: ReadFromText →
              parse → serialise → WriteToTFRecord

All read the same ndjson, one file per class: the lines of --input, repeated with new
keys until there are --drawings of them. Time includes start-up; memory is the peak of
the process tree, CPU time its sum. Linux only, as it reads `/proc`.
"""

import glob
import gzip
import itertools
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from absl import flags

from benchmarks import processes
from pipeline import command, sample

NUM_SHARDS = 10
POLL_SECONDS = 0.05

_KEY = re.compile(rb'"key_id":\s*"[^"]*",?\s*')


def _define_flags() -> None:
    flags.DEFINE_integer("drawings", 1_000_000, "How many to read.", lower_bound=1)
    flags.DEFINE_integer(
        "elements",
        200_000,
        "How many of them plain Beam reads, whose memory grows with each; 0 for none.",
    )
    flags.DEFINE_string(
        "input",
        None,
        "Files of simplified ndjson, plain or .gz, one per class. Without it those of "
        "QUICKDRAW_DIR, or the sample.",
    )
    flags.DEFINE_string("work_dir", None, "Folder for input and output, on a disk.")
    flags.DEFINE_bool("ancestor", True, "Measure the ancestor's method too.")
    flags.DEFINE_bool("gzip", True, "Measure our output with --compression=gzip too.")


class Measured(NamedTuple):
    """What a run took: wall and CPU seconds, peak of memory, output, all in bytes."""

    drawings: int
    seconds: float
    cpu_seconds: float
    peak: int
    output: int


def main() -> None:
    """Prepares the input, measures each way, prints the table."""
    args = flags.FLAGS
    with tempfile.TemporaryDirectory(dir=args.work_dir) as folder:
        source = _input_files(args.input, Path(folder))
        whole, part = Path(folder) / "whole", Path(folder) / "part"
        size = write_input(source, whole, args.drawings)
        print(
            f"{args.drawings:,} drawings, {size / 1e6:,.0f} MB, {os.cpu_count()} cores"
        )
        runs = {"ours": measure(_ours(whole), folder, args.drawings)}
        if args.gzip:
            zipped = [*_ours(whole), "--compression=gzip"]
            runs["ours, gzip"] = measure(zipped, folder, args.drawings)
        if args.ancestor:
            ancestor = _self("ancestor", whole)
            runs["ancestor"] = measure(ancestor, folder, args.drawings, quiet=True)
        if args.elements:
            number = min(args.elements, args.drawings)
            write_input(source, part, number)
            runs["elements"] = measure(_self("elements", part), folder, number)
    print(table(runs))


def table(runs: dict[str, Measured]) -> str:
    """Lays the runs out, each beside the ancestor where that was measured."""
    old = runs.get("ancestor")
    lines = [
        f"{'':<12}{'drawings':>11}{'seconds':>9}{'drawings/s':>12}{'× ancestor':>12}"
        f"{'/s per core':>13}{'peak MiB':>10}{'bytes each':>12}{'× ancestor':>12}"
    ]
    for name, run in runs.items():
        speed = run.drawings / run.seconds
        each = run.output / run.drawings
        faster = f"{speed * old.seconds / old.drawings:.2f}" if old else "-"
        larger = f"{each * old.drawings / old.output:.2f}" if old else "-"
        lines.append(
            f"{name:<12}{run.drawings:>11,}{run.seconds:>9.1f}{speed:>12,.0f}"
            f"{faster:>12}{run.drawings / run.cpu_seconds:>13,.0f}"
            f"{run.peak / 2**20:>10,.0f}{each:>12,.0f}{larger:>12}"
        )
    return "\n".join(lines)


# Input.


def _input_files(pattern: str | None, folder: Path) -> list[str]:
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
    for place, (file, mine) in enumerate(lines.items()):
        count = left if place == len(lines) - 1 else drawings * len(mine) // total
        left -= count
        name = os.path.basename(file).removesuffix(".gz")
        with (folder / name).open("wb") as out:
            for line in itertools.islice(itertools.cycle(mine), count):
                out.write(b'{"key_id":"%d",%s\n' % (next(numbers), line))
            size += out.tell()
    return size


def _read_lines(file: str) -> list[bytes]:
    """The lines without their key and without the brace that opens them."""
    data = Path(file).read_bytes()
    if file.endswith(".gz"):
        data = gzip.decompress(data)
    return [_KEY.sub(b"", line.strip())[1:] for line in data.splitlines() if line]


# Measuring.


def measure(
    program: list[str], folder: str, drawings: int, *, quiet: bool = False
) -> Measured:
    """Runs a program that writes to the folder `output`, and watches over it.

    What a quiet one says, as TensorFlow does of itself, is shown only if it fails.
    """
    output = Path(folder) / "output"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*program, f"--output_dir={output}"],
            stdout=sys.stderr,
            stderr=said if quiet else None,
        )
        peak = 0
        while process.poll() is None:
            peak = max(peak, processes.memory(process.pid))
            time.sleep(POLL_SECONDS)
        seconds = time.monotonic() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if code := process.returncode:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
            raise ValueError(f"{' '.join(program)} exited with {code}")
    size = sum(path.stat().st_size for path in output.glob("*tfrecord*"))
    shutil.rmtree(output)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(drawings, seconds, cpu, peak, size)


# The ways to do it.


def _ours(source: Path) -> list[str]:
    return [sys.executable, "-m", "pipeline.create_dataset", f"--input={source}/*"]


def _self(way: str, source: Path) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{way}", f"--input={source}"]


def run() -> None:
    """Entry point of the benchmark."""
    command.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
