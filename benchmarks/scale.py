"""Measures how the data job grows with the drawings, and training with its processes.

    python -m benchmarks.scale --data_dir=DIR --output=scale.png

The data job reads the lines of --input, repeated with new keys until there are as many
as each of --drawings says. Cost is linear if all sizes are on a line, seconds =
start-up + slope × drawings. It is that of the least squares of relative deviations, as
sizes differ by far; the table has each size's. Memory is the peak of the process tree.

Training takes --data_dir, with each of --workers processes in turn, by
rnn_model.launch. A process has the same number of processors whether it is alone or
not: efficiency is drawings/s of each, beside those where there are the fewest. The
first epoch, in which the step is compiled, does not count.

Without --data_dir, or with --drawings= empty, that half is left out. Linux only, as it
reads `/proc`.
"""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import flags

from benchmarks import data_job, processes
from benchmarks.data_job import Measured
from pipeline import cli
from pipeline.report.figures import (
    FULL_WIDTH,
    MUTED,
    SERIES,
    Figure,
    use_thousands_separators,
)
from rnn_model.config import MODELS

PLOT_HEIGHT = 330


class Trained(NamedTuple):
    """Drawings/s of so many processes together, and their peak of memory in bytes."""

    workers: int
    rate: float
    peak: int


class Line(NamedTuple):
    """Seconds that the data job takes: those of its start, and those of a drawing."""

    start: float
    slope: float

    def deviation(self, run: Measured) -> float:
        """How much longer than the line says a run took, as a share of the line's."""
        return run.seconds / (self.start + self.slope * run.drawings) - 1


def _define_flags() -> None:
    sizes = ["100000", "400000", "1000000", "4000000"]
    flags.DEFINE_list("drawings", sizes, "Sizes of the data job; three tell a line.")
    flags.DEFINE_string(
        "input",
        None,
        "Files of simplified ndjson, plain or .gz, one per class. Without it those of "
        "QUICKDRAW_DIR, or the sample.",
    )
    flags.DEFINE_string(
        "work_dir", None, "Folder for input and output, on a disk: 1 GB per million."
    )
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_list("workers", ["1", "2"], "Numbers of processes that train.")
    flags.DEFINE_enum("model", MODELS[0], MODELS, "Which to train.")
    flags.DEFINE_integer("epochs", 2, "Of each training, the first left out.", 2)
    flags.DEFINE_string("output", "scale.png", "The plot.")


def main() -> None:
    """Measures, prints a table of each half, writes the plot."""
    args = flags.FLAGS
    sizes = numbers("drawings", args.drawings)
    workers = numbers("workers", args.workers) if args.data_dir else []
    if not sizes and not workers:
        raise ValueError("nothing to measure: give --drawings or --data_dir")
    cores = share_of_cores(workers)
    if not (folder := Path(args.output).absolute().parent).is_dir():
        raise ValueError(f"--output={args.output}: there is no folder {folder}")
    cli.import_extra("matplotlib", "report")
    made, trained = [], []
    with tempfile.TemporaryDirectory(dir=args.work_dir) as folder:
        if sizes:
            files = data_job.input_files(args.input, Path(folder))
            made = [make(files, folder, size) for size in sizes]
            print(data_table(made), flush=True)
        for count in workers:
            trained.append(train(count, cores * count, Path(folder) / f"{count}"))
    if made and trained:
        print()
    if trained:
        print(training_table(trained))
    Path(args.output).write_bytes(plot(made, trained))


def numbers(flag: str, given: Sequence[str]) -> list[int]:
    """The whole numbers that a flag was given, rising, each once."""
    if not all(number.isdecimal() and int(number) for number in given):
        raise ValueError(f"--{flag}={','.join(given)}: whole numbers > 0, please")
    return sorted(set(map(int, given)))


def share_of_cores(workers: Sequence[int]) -> int:
    """How many processors each process has, whatever their number."""
    cores = len(os.sched_getaffinity(0))
    most = max(workers, default=1)
    if most > cores:
        raise ValueError(
            f"--workers={most}: each is to have a processor, and there are {cores}"
        )
    return cores // most


# The data job.


def make(files: list[str], folder: str, drawings: int) -> Measured:
    """Runs the data job on so many drawings, and removes what it read and wrote."""
    with tempfile.TemporaryDirectory(dir=folder) as some:
        source = Path(some) / "input"
        data_job.write_input(files, source, drawings)
        return data_job.measure(data_job.command_line(source), some, drawings)


def fit(runs: Sequence[Measured]) -> Line | None:
    """The line nearest to all runs; None if any two would be on one."""
    if len(runs) < 3:
        return None
    drawings, seconds = np.array([(run.drawings, run.seconds) for run in runs]).T
    slope, start = np.polyfit(drawings, seconds, 1, w=1 / seconds)
    return Line(float(start), float(slope))


def data_table(runs: Sequence[Measured]) -> str:
    """Lays the sizes out, each beside the line that is nearest to all."""
    line = fit(runs)
    rows = [
        f"{'drawings':>11}{'seconds':>9}{'drawings/s':>12}{'peak MiB':>10}"
        f"{'µs each, started':>18}{'off the line':>14}"
    ]
    for run in runs:
        each, off = "-", "-"
        if line:
            each = f"{1e6 * (run.seconds - line.start) / run.drawings:.2f}"
            off = f"{line.deviation(run):+.1%}"
        rate = run.drawings / run.seconds
        rows.append(
            f"{run.drawings:>11,}{run.seconds:>9.1f}{rate:>12,.0f}"
            f"{run.peak / 2**20:>10,.0f}{each:>18}{off:>14}"
        )
    if line is None:
        return "\n".join([*rows, "whether cost is linear takes three sizes to tell"])
    most = max(abs(line.deviation(run)) for run in runs)
    rows.append(
        f"cost is {line.start:.1f} s + {1e6 * line.slope:.2f} µs a drawing; the size "
        f"farthest off that line is off by {most:.1%}"
    )
    return "\n".join(rows)


# Training.


def train(workers: int, cores: int, workdir: Path) -> Trained:
    """Trains with so many processes, that share so many processors."""
    args = flags.FLAGS
    print(f"training, processes: {workers}", file=sys.stderr, flush=True)
    settings = {"data_dir": args.data_dir, "workdir": workdir, "model": args.model}
    settings |= {"epochs": args.epochs, "patience": args.epochs}
    taken = processes.watch(
        [sys.executable, "-m", "rnn_model.launch", f"--workers={workers}", "--"]
        + [f"--{name}={value}" for name, value in settings.items()],
        cores=sorted(os.sched_getaffinity(0))[:cores],
    )
    history = json.loads((workdir / "history.json").read_text())
    rates = [row["drawings_per_second"] for row in history[1:]]
    return Trained(workers, statistics.harmonic_mean(rates), taken.peak)


def efficiency(run: Trained, runs: Sequence[Trained]) -> float:
    """Drawings/s of a process beside those where there are the fewest."""
    first = min(runs)
    return run.rate / run.workers / (first.rate / first.workers)


def training_table(runs: Sequence[Trained]) -> str:
    """Lays the trainings out, each beside that with the fewest processes."""
    rows = [
        f"{'processes':>11}{'drawings/s':>12}{'of each':>10}{'efficiency':>12}"
        f"{'peak MiB':>10}"
    ]
    for run in runs:
        rows.append(
            f"{run.workers:>11}{run.rate:>12,.0f}{run.rate / run.workers:>10,.0f}"
            f"{efficiency(run, runs):>12.1%}{run.peak / 2**20:>10,.0f}"
        )
    return "\n".join(rows)


# The plot.


def plot(made: Sequence[Measured], trained: Sequence[Trained]) -> bytes:
    """Shows what was measured, and what would be linear as a dashed line."""
    panels = 2 * bool(made) + bool(trained)
    with Figure(FULL_WIDTH, PLOT_HEIGHT) as figure:
        axes = list(figure.subplots(1, panels, squeeze=False)[0])
        if made:
            sizes = [run.drawings / 1e6 for run in made]
            if line := fit(made):
                ends = np.array([0, made[-1].drawings])
                _dashed(axes[0], ends / 1e6, line.start + line.slope * ends)
            _dots(axes[0], sizes, [run.seconds for run in made])
            _dots(axes[1], sizes, [run.peak / 2**20 for run in made])
            axes[0].set(xlabel="million drawings", ylabel="data job, seconds")
            axes[1].set(xlabel="million drawings", ylabel="data job, peak MiB")
        if trained:
            workers = [run.workers for run in trained]
            each = trained[0].rate / workers[0]
            ends = np.array([0, workers[-1]])
            _dashed(axes[-1], ends, each * ends)
            _dots(axes[-1], workers, [run.rate for run in trained])
            axes[-1].set(xlabel="processes", ylabel="training, drawings/s")
            axes[-1].set_xticks(workers)
        for each_of in axes:
            each_of.set(xlim=(0, None), ylim=(0, None))
            each_of.locator_params(axis="y", integer=True)
            use_thousands_separators(each_of.yaxis)
        return figure.png()


def _dots(axes, x: Sequence[float], y: Sequence[float]) -> None:
    axes.plot(x, y, "o", color=SERIES[0], ms=7, clip_on=False)


def _dashed(axes, x: np.ndarray, y: np.ndarray) -> None:
    axes.plot(x, y, color=MUTED, lw=1, ls=(0, (4, 3)))


def run() -> None:
    """Entry point of the benchmark."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
