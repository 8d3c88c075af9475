"""Evaluates trained runs on the same drawings.

    python evaluate.py --workdir=runs/rnn,runs/cnn --data_dir=DIR --report_dir=report

Prints a table and writes `<report_dir>/index.html`, a self-contained page, its plots as
PNG files, and `metrics.json`.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from absl import flags

from pipeline import cli
from tfrecords import storage

Path = str | os.PathLike[str]

METRICS_FILE, PAGE_FILE = "metrics.json", "index.html"


def _define_flags() -> None:
    cli.define_list("workdir", None, "Workdirs of the runs, separated by commas.")
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("split", "test", "The split to evaluate on.")
    flags.DEFINE_string(
        "report_dir", None, "Folder for the page, its plots and metrics.json."
    )
    flags.DEFINE_integer(
        "partial_drawings",
        5000,
        "Number of drawings that are also evaluated on the first 25, 50 and 75 % of "
        "their points. They are chosen by a hash of their keys.",
        lower_bound=0,
    )
    flags.DEFINE_string(
        "unknown_data_dir",
        "",
        "Data set with drawings of words that the runs do not know, to measure how "
        "well the confidence separates known from unknown words. Known words in it "
        "are skipped.",
    )
    flags.DEFINE_integer(
        "seed", 0, "Seed of the bootstrap and of the choice of partial drawings."
    )


def main() -> None:
    """Evaluates the runs of the flags and prints a table."""
    values = flags.FLAGS
    cli.require("workdir", "data_dir", "report_dir")
    report = evaluate(
        values.workdir,
        values.data_dir,
        values.report_dir,
        split=values.split,
        partial_drawings=values.partial_drawings,
        seed=values.seed,
        unknown_data_dir=values.unknown_data_dir,
    )
    from rnn_model.evaluation.report import metrics_json

    examples = report["runs"][0]["examples"]
    print(f"{examples:,} drawings of the split {values.split}\n")
    print(metrics_json.format_runs(report))


def evaluate(
    workdirs: Path | Sequence[Path],
    data_dir: Path,
    report_dir: Path = "",
    *,
    split: str = "test",
    partial_drawings: int = 5000,
    seed: int = 0,
    unknown_data_dir: Path = "",
) -> dict[str, Any]:
    """Evaluates runs on the same drawings.

    Args:
      workdirs: workdir of a run, or of several runs to compare.
      data_dir: data set with the classes of the runs.
      report_dir: folder for `metrics.json`, the page and its plots. If empty, no files
        are written. Without the extra `report`, only `metrics.json` is written.
      split: the split to evaluate on.
      partial_drawings: number of drawings that are also evaluated in parts.
      seed: seed of the bootstrap and of the choice of partial drawings.
      unknown_data_dir: data set with drawings of words that the runs do not know.

    Returns:
      The content of `metrics.json`.

    Raises:
      ValueError: the runs cannot be evaluated on this data set.
      OSError: a file cannot be read or written.
    """
    from rnn_model.evaluation import compare_runs
    from rnn_model.evaluation.report import metrics_json
    from rnn_model.workdir import file_errors_as_oserror

    if isinstance(workdirs, (str, os.PathLike)):
        workdirs = [workdirs]
    data_dir, report_dir = os.fspath(data_dir), os.fspath(report_dir)
    with file_errors_as_oserror():
        if report_dir:
            # Fail before the evaluation if the folder cannot be written.
            storage.make_dirs(report_dir)
        result = compare_runs.compare_runs(
            [os.fspath(workdir) for workdir in workdirs],
            data_dir,
            split,
            partial_drawings,
            seed,
            os.fspath(unknown_data_dir),
        )
        report = metrics_json.to_json(result)
        if report_dir:
            _write_report(result, report, report_dir)
    if missing := report["classes_without_drawings"]:
        names = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        _warn(
            f"the split {split} has no drawings of {len(missing)} classes ({names}); "
            "macro top-1 is the mean of the other classes"
        )
    return report


def _write_report(result: Any, report: dict[str, Any], report_dir: str) -> None:
    """Writes `metrics.json` and, if the extra `report` is installed, the page."""
    from rnn_model.evaluation.report import html_report

    content = json.dumps(report, indent=1, allow_nan=False) + "\n"
    storage.write_atomic(storage.join(report_dir, METRICS_FILE), content)
    try:
        for name in ("jinja2", "matplotlib", "PIL.Image"):
            cli.import_extra(name, "report")
    except ValueError as error:
        _warn(f"only {METRICS_FILE} was written, without the page and plots: {error}")
        return
    page = html_report.build_page(result, report)
    for name, png in page.plots.items():
        storage.write_atomic(storage.join(report_dir, name), png)
    storage.write_atomic(storage.join(report_dir, PAGE_FILE), page.html)


def _warn(message: str) -> None:
    print(f"warning: {message}", file=sys.stderr)


def run() -> None:
    """Entry point of `quickdraw-evaluate`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
