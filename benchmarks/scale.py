"""Measures how the data job scales with drawings, and training with processes.

    python -m benchmarks.scale --data_dir=DIR --output=scale.png

The data job reads the lines of --input, repeated with new keys, once for each number in
--drawings. Its cost is linear if seconds = start-up + slope × drawings. The line is
fitted to minimize relative deviations, because the sizes differ widely; the table shows
each deviation. Memory is the peak of the process tree.

Training runs on --data_dir with rnn_model.launch, once for each number in --workers.
Each process has the same number of processors in all runs. Efficiency is the drawings/s
per process relative to the smallest number of processes. The first epoch, in which the
step is compiled, is not counted.

Without --data_dir only the data job is measured; with an empty --drawings only
training. Linux only: reads `/proc`.
"""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from absl import flags

from benchmarks import data_job, processes
from benchmarks.data_job import Measurement
from pipeline import cli
from pipeline.report.figures import (
    FULL_WIDTH,
    MUTED,
    SERIES,
    Figure,
    use_thousands_separators,
)
from pipeline.report.text_table import format_table
from rnn_model.config import MODELS

PLOT_HEIGHT = 330


class TrainingRun(NamedTuple):
    """Drawings/s of all processes together, and their peak memory in bytes."""

    workers: int
    drawings_per_second: float
    peak_bytes: int


class LinearCost(NamedTuple):
    """Seconds of the data job: for its start, and per drawing."""

    startup: float
    slope: float

    def compute_deviation(self, run: Measurement) -> float:
        """Returns the deviation of a run from the line, as a share of the line."""
        return run.seconds / (self.startup + self.slope * run.drawings) - 1


def _define_flags() -> None:
    sizes = ["100000", "400000", "1000000", "4000000"]
    flags.DEFINE_list(
        "drawings",
        sizes,
        "Numbers of drawings for the data job; at least 3 for a line.",
    )
    flags.DEFINE_string(
        "input",
        None,
        "Glob of simplified ndjson files, plain or .gz, one per class. Default: the "
        "files in $QUICKDRAW_DIR if it is set, else synthetic drawings.",
    )
    flags.DEFINE_string(
        "work_dir",
        None,
        "Folder on a disk for input and output; needs 1 GB per million drawings.",
    )
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_list("workers", ["1", "2"], "Numbers of training processes.")
    flags.DEFINE_enum("model", MODELS[0], MODELS, "Name of the model.")
    flags.DEFINE_integer("epochs", 2, "Number of epochs; the first is not counted.", 2)
    flags.DEFINE_string("output", "scale.png", "PNG file for the plot.")


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    sizes = parse_numbers("drawings", values.drawings)
    workers = parse_numbers("workers", values.workers) if values.data_dir else []
    if not sizes and not workers:
        raise ValueError("--drawings or --data_dir is required")
    cores = compute_cores_per_worker(workers)
    if not (parent := Path(values.output).absolute().parent).is_dir():
        raise ValueError(
            f"--output={values.output}: the folder {parent} does not exist"
        )
    cli.import_extra("matplotlib", "report")
    data_runs, training_runs = [], []
    with tempfile.TemporaryDirectory(dir=values.work_dir) as folder:
        if sizes:
            files = data_job.find_input_files(values.input, Path(folder))
            data_runs = [measure_data_job(files, folder, size) for size in sizes]
            print(format_data_runs(data_runs), flush=True)
        for count in workers:
            workdir = Path(folder) / f"{count}"
            training_runs.append(measure_training(count, cores * count, workdir))
    if data_runs and training_runs:
        print()
    if training_runs:
        print(format_training_runs(training_runs))
    Path(values.output).write_bytes(draw_plot(data_runs, training_runs))


def parse_numbers(flag: str, values: Sequence[str]) -> list[int]:
    """Parses the positive integers of a flag; returns them sorted and unique."""
    if not all(value.isdecimal() and int(value) for value in values):
        raise ValueError(f"--{flag} must be integers > 0. Received: {','.join(values)}")
    return sorted(set(map(int, values)))


def compute_cores_per_worker(workers: Sequence[int]) -> int:
    """Returns the number of processors of a worker, the same in all runs."""
    cores = len(os.sched_getaffinity(0))
    max_workers = max(workers, default=1)
    if max_workers > cores:
        raise ValueError(
            f"--workers must be ≤ {cores}, the number of processors. "
            f"Received: {max_workers}"
        )
    return cores // max_workers


# The data job.


def measure_data_job(files: list[str], folder: str, num_drawings: int) -> Measurement:
    """Runs the data job on a number of drawings, then removes its files."""
    with tempfile.TemporaryDirectory(dir=folder) as run_folder:
        input_dir = Path(run_folder) / "input"
        data_job.write_input(files, input_dir, num_drawings)
        program = data_job.command_line(input_dir)
        return data_job.measure(program, run_folder, num_drawings)


def fit_line(runs: Sequence[Measurement]) -> LinearCost | None:
    """Fits a line to at least three runs; returns None for fewer."""
    if len(runs) < 3:
        return None
    drawings, seconds = np.array([(run.drawings, run.seconds) for run in runs]).T
    slope, startup = np.polyfit(drawings, seconds, 1, w=1 / seconds)
    return LinearCost(float(startup), float(slope))


def format_data_runs(runs: Sequence[Measurement]) -> str:
    """Formats a table of the runs with their deviations from the line."""
    line = fit_line(runs)
    head = ["drawings", "seconds", "drawings/s", "peak MiB"]
    head += ["µs each after start-up", "deviation"]
    rows = []
    for run in runs:
        each, deviation = "–", "–"
        if line:
            each = f"{1e6 * (run.seconds - line.startup) / run.drawings:.2f}"
            deviation = f"{line.compute_deviation(run):+.1%}"
        rows.append(
            [
                run.drawings,
                f"{run.seconds:.1f}",
                round(run.drawings / run.seconds),
                round(run.peak_bytes / 2**20),
                each,
                deviation,
            ]
        )
    table = format_table(head, rows)
    if line is None:
        return f"{table}\nat least three sizes are needed to fit a line"
    maximum = max(abs(line.compute_deviation(run)) for run in runs)
    return (
        f"{table}\ncost: {line.startup:.1f} s + {1e6 * line.slope:.2f} µs per drawing; "
        f"maximum deviation {maximum:.1%}"
    )


# Training.


def measure_training(workers: int, cores: int, workdir: Path) -> TrainingRun:
    """Trains with a number of processes on a number of processors."""
    values = flags.FLAGS
    print(f"training with {workers} processes", file=sys.stderr, flush=True)
    settings = {"data_dir": values.data_dir, "workdir": workdir, "model": values.model}
    settings |= {"epochs": values.epochs, "patience": values.epochs}
    usage = processes.run_measured(
        [sys.executable, "-m", "rnn_model.launch", f"--workers={workers}", "--"]
        + [f"--{name}={value}" for name, value in settings.items()],
        cores=sorted(os.sched_getaffinity(0))[:cores],
    )
    history = json.loads((workdir / "history.json").read_text())
    rates = [row["drawings_per_second"] for row in history[1:]]
    return TrainingRun(workers, statistics.harmonic_mean(rates), usage.peak_bytes)


def compute_efficiency(run: TrainingRun, runs: Sequence[TrainingRun]) -> float:
    """Returns the rate per process relative to the run with the fewest processes."""
    first = min(runs)
    base_rate = first.drawings_per_second / first.workers
    return run.drawings_per_second / run.workers / base_rate


def format_training_runs(runs: Sequence[TrainingRun]) -> str:
    """Formats a table of the runs with their efficiency."""
    head = ["processes", "drawings/s", "per process", "efficiency", "peak MiB"]
    rows = [
        [
            run.workers,
            round(run.drawings_per_second),
            round(run.drawings_per_second / run.workers),
            f"{compute_efficiency(run, runs):.1%}",
            round(run.peak_bytes / 2**20),
        ]
        for run in runs
    ]
    return format_table(head, rows)


# The plot.


def draw_plot(
    data_runs: Sequence[Measurement], training_runs: Sequence[TrainingRun]
) -> bytes:
    """Draws the measurements and, dashed, linear scaling; returns a PNG file."""
    num_panels = 2 * bool(data_runs) + bool(training_runs)
    with Figure(FULL_WIDTH, PLOT_HEIGHT) as figure:
        panels = list(figure.subplots(1, num_panels, squeeze=False)[0])
        if data_runs:
            sizes = [run.drawings / 1e6 for run in data_runs]
            if line := fit_line(data_runs):
                ends = np.array([0, data_runs[-1].drawings])
                _draw_dashed(panels[0], ends / 1e6, line.startup + line.slope * ends)
            _draw_dots(panels[0], sizes, [run.seconds for run in data_runs])
            _draw_dots(panels[1], sizes, [run.peak_bytes / 2**20 for run in data_runs])
            panels[0].set(xlabel="million drawings", ylabel="data job, seconds")
            panels[1].set(xlabel="million drawings", ylabel="data job, peak MiB")
        if training_runs:
            workers = [run.workers for run in training_runs]
            base_rate = training_runs[0].drawings_per_second / workers[0]
            ends = np.array([0, workers[-1]])
            _draw_dashed(panels[-1], ends, base_rate * ends)
            rates = [run.drawings_per_second for run in training_runs]
            _draw_dots(panels[-1], workers, rates)
            panels[-1].set(xlabel="processes", ylabel="training, drawings/s")
            panels[-1].set_xticks(workers)
        for panel in panels:
            panel.set(xlim=(0, None), ylim=(0, None))
            panel.locator_params(axis="y", integer=True)
            use_thousands_separators(panel.yaxis)
        return figure.png()


def _draw_dots(panel: Any, x: Sequence[float], y: Sequence[float]) -> None:
    panel.plot(x, y, "o", color=SERIES[0], ms=7, clip_on=False)


def _draw_dashed(panel: Any, x: np.ndarray, y: np.ndarray) -> None:
    panel.plot(x, y, color=MUTED, lw=1, ls=(0, (4, 3)))


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
