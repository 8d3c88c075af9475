"""Measures pipeline.create_dataset and two other methods.

    python -m benchmarks.create_dataset --drawings=1000000

    create_dataset  python -m pipeline.create_dataset with its defaults
    tutorial        the method of TensorFlow's tutorial `tutorials/rnn/quickdraw`, with
                    its endless loop fixed: json → numpy → tf.train.Example →
                    TFRecordWriter, 10 shards, one process
    elementwise     plain Beam on the same runner with one element per drawing:
                    ReadFromText → parse → serialize → WriteToTFRecord

All methods read the same ndjson files, one per class: the lines of --input, repeated
with new keys. Time includes start-up; memory is the peak of the process tree, CPU time
its sum. Linux only: reads `/proc`.
"""

import os
import sys
import tempfile
from pathlib import Path

from absl import flags

from benchmarks import data_job
from pipeline import cli
from pipeline.report.text_table import format_table


def _define_flags() -> None:
    flags.DEFINE_integer("drawings", 1_000_000, "Number of drawings.", lower_bound=1)
    flags.DEFINE_integer(
        "elements",
        200_000,
        "Number of drawings for plain Beam, whose memory grows with it; 0 for none.",
    )
    flags.DEFINE_string(
        "input",
        None,
        "Glob of simplified ndjson files, plain or .gz, one per class. Default: the "
        "files in $QUICKDRAW_DIR if it is set, else synthetic drawings.",
    )
    flags.DEFINE_string("work_dir", None, "Folder on a disk for input and output.")
    flags.DEFINE_bool("tutorial", True, "Measure the tutorial's method.")
    flags.DEFINE_bool("gzip", True, "Measure --compression=gzip.")


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    with tempfile.TemporaryDirectory(dir=values.work_dir) as folder:
        files = data_job.find_input_files(values.input, Path(folder))
        all_drawings, some_drawings = Path(folder) / "all", Path(folder) / "some"
        size = data_job.write_input(files, all_drawings, values.drawings)
        print(
            f"{values.drawings:,} drawings, {size / 1e6:,.0f} MB, "
            f"{os.cpu_count()} processors"
        )
        program = data_job.command_line(all_drawings)
        runs = {"create_dataset": data_job.measure(program, folder, values.drawings)}
        if values.gzip:
            program = [*program, "--compression=gzip"]
            runs["create_dataset, gzip"] = data_job.measure(
                program, folder, values.drawings
            )
        if values.tutorial:
            program = _command_line("tutorial.create_dataset", all_drawings)
            runs["tutorial"] = data_job.measure(
                program, folder, values.drawings, quiet=True
            )
        if values.elements:
            count = min(values.elements, values.drawings)
            data_job.write_input(files, some_drawings, count)
            program = _command_line("beam_elementwise", some_drawings)
            runs["elementwise"] = data_job.measure(program, folder, count)
    print(format_runs(runs))


def format_runs(runs: dict[str, data_job.Measurement]) -> str:
    """Formats a table of the runs, with ratios to the tutorial if it was measured."""
    tutorial = runs.get("tutorial")
    head = ["", "drawings", "seconds", "drawings/s", "× tutorial", "/s per core"]
    head += ["peak MiB", "bytes each", "× tutorial"]
    rows = []
    for name, run in runs.items():
        rate = run.drawings / run.seconds
        size = run.output_bytes / run.drawings
        rate_ratio = size_ratio = "–"
        if tutorial:
            rate_ratio = f"{rate * tutorial.seconds / tutorial.drawings:.2f}"
            size_ratio = f"{size * tutorial.drawings / tutorial.output_bytes:.2f}"
        rows.append(
            [
                name,
                run.drawings,
                f"{run.seconds:.1f}",
                round(rate),
                rate_ratio,
                round(run.drawings / run.cpu_seconds),
                round(run.peak_bytes / 2**20),
                round(size),
                size_ratio,
            ]
        )
    return format_table(head, rows)


def _command_line(module: str, input_dir: Path) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{module}", f"--input={input_dir}"]


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
