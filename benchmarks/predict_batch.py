"""Compares batch prediction with `predict`, which is one process.

    python -m benchmarks.predict_batch --drawings=200000

Both classify the same ndjson files, one per class: the lines of --input, repeated with
new keys. They run alternately. Time includes start-up; memory is the peak of the
process tree, CPU time its sum. Linux only: reads `/proc`.
"""

import filecmp
import os
import shlex
import statistics
import sys
import tempfile
from pathlib import Path

from absl import flags

from benchmarks import data_job, processes
from pipeline import cli
from pipeline.report.text_table import format_table


def _define_flags() -> None:
    flags.DEFINE_integer("drawings", 200_000, "Number of drawings.", lower_bound=1)
    flags.DEFINE_string(
        "input",
        None,
        "Glob of simplified ndjson files, plain or .gz, one per class. Default: the "
        "files in $QUICKDRAW_DIR if it is set, else synthetic drawings.",
    )
    flags.DEFINE_string(
        "export_dir", None, "Directory of an export; default: the bundled model."
    )
    flags.DEFINE_integer("rounds", 3, "Runs of each.", lower_bound=1)


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = data_job.find_input_files(values.input, folder)
        size = data_job.write_input(files, folder / "input", values.drawings)
        print(
            f"{values.drawings:,} drawings, {size / 1e6:,.0f} MB, "
            f"{os.cpu_count()} processors"
        )
        arguments = [f"--input={folder / 'input'}/*.ndjson"]
        if values.export_dir is not None:
            arguments.append(f"--export_dir={values.export_dir}")
        rounds = [_run_round(arguments, folder) for _ in range(values.rounds)]
    print(format_rounds(rounds, values.drawings))


Round = dict[str, processes.Usage]


def _run_round(arguments: list[str], folder: Path) -> Round:
    """Runs both commands and checks that their outputs are equal."""
    module = [sys.executable, "-m"]
    predictions = folder / "predictions.ndjson"
    command = shlex.join([*module, "serve_export.predict", *arguments])
    shell = ["sh", "-c", f"exec {command} > {shlex.quote(str(predictions))}"]
    single = processes.run_measured(shell, quiet=True)
    command = [*module, "serve_export.predict_batch", *arguments, "--overwrite"]
    output_dir = folder / "output"
    batch = processes.run_measured([*command, f"--output_dir={output_dir}"], quiet=True)
    joined = folder / "joined.ndjson"
    with joined.open("wb") as output:
        for path in sorted(output_dir.glob("predictions-*")):
            output.write(path.read_bytes())
    if not filecmp.cmp(joined, predictions, shallow=False):
        raise ValueError("the predictions differ")
    return {"predict": single, "predict_batch": batch}


def format_rounds(rounds: list[Round], num_drawings: int) -> str:
    """Formats a table of the medians, and the ratio of the speeds.

    Args:
      rounds: resources by command, a dict per round.
      num_drawings: drawings of each run.
    """
    rows = []
    for name in rounds[0]:
        usages = [round[name] for round in rounds]
        seconds = statistics.median(usage.seconds for usage in usages)
        rows.append(
            [
                name,
                f"{seconds:.1f} s",
                f"{num_drawings / seconds:,.0f}",
                f"{statistics.median(u.cpu_seconds for u in usages):.1f} s",
                f"{statistics.median(u.peak_bytes for u in usages) / 2**20:,.0f} MiB",
            ]
        )
    ratios = [r["predict"].seconds / r["predict_batch"].seconds for r in rounds]
    header = ["", "time", "drawings/s", "CPU time", "memory"]
    return (
        f"{format_table(header, rows)}\n"
        f"predict_batch is {statistics.median(ratios):.2f} × as fast "
        f"({min(ratios):.2f} to {max(ratios):.2f}); the predictions are equal"
    )


def run() -> None:
    """Runs the benchmark."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
