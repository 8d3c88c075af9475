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

import os
import sys
import tempfile
from pathlib import Path

from absl import flags

from benchmarks import data_job
from pipeline import cli


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


def main() -> None:
    """Prepares the input, measures each way, prints the table."""
    args = flags.FLAGS
    with tempfile.TemporaryDirectory(dir=args.work_dir) as folder:
        source = data_job.input_files(args.input, Path(folder))
        whole, part = Path(folder) / "whole", Path(folder) / "part"
        size = data_job.write_input(source, whole, args.drawings)
        print(
            f"{args.drawings:,} drawings, {size / 1e6:,.0f} MB, {os.cpu_count()} cores"
        )
        ours = data_job.command_line(whole)
        runs = {"ours": data_job.measure(ours, folder, args.drawings)}
        if args.gzip:
            zipped = [*ours, "--compression=gzip"]
            runs["ours, gzip"] = data_job.measure(zipped, folder, args.drawings)
        if args.ancestor:
            runs["ancestor"] = data_job.measure(
                _self("ancestor", whole), folder, args.drawings, quiet=True
            )
        if args.elements:
            number = min(args.elements, args.drawings)
            data_job.write_input(source, part, number)
            elements = _self("elements", part)
            runs["elements"] = data_job.measure(elements, folder, number)
    print(table(runs))


def table(runs: dict[str, data_job.Measured]) -> str:
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


def _self(way: str, source: Path) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{way}", f"--input={source}"]


def run() -> None:
    """Entry point of the benchmark."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
