"""Evaluates runs on the same drawings.

    python evaluate.py --workdir=runs/rnn,runs/cnn --data_dir=DIR --report_dir=report

Prints a table and writes `<report_dir>/index.html`, a page that needs nothing else, its
plots as PNG files beside it, and `metrics.json`.
"""

import json
import sys

import tensorflow as tf
from absl import flags

from pipeline import cli
from rnn_model import files
from rnn_model.evaluation import compare_runs, metrics_json
from rnn_model.evaluation.report import html_report
from rnn_model.workdir import file_errors

METRICS, PAGE = "metrics.json", "index.html"


def _define_flags() -> None:
    flags.DEFINE_list("workdir", None, "Folders of the runs, by comma.")
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("split", "test", "The part of the data set to evaluate on.")
    flags.DEFINE_string("report_dir", None, "Folder for page, plots and metrics.json.")
    flags.DEFINE_integer(
        "partial_drawings",
        5000,
        "So many drawings, picked by a hash of their keys, are evaluated in progress "
        "too: as far as 25, 50 and 75 % of their points. 0: none.",
        lower_bound=0,
    )
    flags.DEFINE_integer(
        "seed", 0, "Decides the bootstrap, and which drawings are shown in progress."
    )


def main() -> None:
    """Evaluates as the flags say; prints the table."""
    values = flags.FLAGS
    cli.require("workdir", "data_dir", "report_dir")
    missing = _missing_extra()
    with file_errors():
        # What can go wrong at the end is better known before the work.
        tf.io.gfile.makedirs(values.report_dir)
        found = compare_runs.evaluate_runs(
            values.workdir,
            values.data_dir,
            values.split,
            values.partial_drawings,
            values.seed,
        )
        told = write(found, values.report_dir, with_page=not missing)
    for warning in _warnings(told, missing):
        print(f"warning: {warning}", file=sys.stderr)
    examples = told["runs"][0]["examples"]
    print(f"{examples:,} drawings of the split {values.split}\n")
    print(metrics_json.table(told))


def write(found: compare_runs.Found, folder: str, with_page: bool) -> html_report.Told:
    """Writes `metrics.json`, and page and plots if they are asked for, to a folder.

    Returns:
      What stands in `metrics.json`.
    """
    told = metrics_json.to_json(found)
    files.write(folder, METRICS, json.dumps(told, indent=1, allow_nan=False) + "\n")
    if with_page:
        page = html_report.build_page(found, told)
        for name, picture in page.pictures.items():
            files.write(folder, name, picture)
        files.write(folder, PAGE, page.html)
    return told


def _missing_extra() -> str:
    """Why there can be no page, empty if there can."""
    try:
        cli.import_extra("matplotlib", "report")
        cli.import_extra("PIL.Image", "report")
    except ValueError as error:
        return str(error)
    return ""


def _warnings(told: html_report.Told, missing: str) -> list[str]:
    warnings = []
    if missing:
        warnings.append(f"{METRICS} alone, without page and plots: {missing}")
    if unseen := told["classes_without_drawings"]:
        some = ", ".join(unseen[:5]) + (", …" if len(unseen) > 5 else "")
        warnings.append(
            f"the split {told['split']} has no drawing of {len(unseen)} of the classes "
            f"({some}); macro top-1 is the mean of the others"
        )
    return warnings


def run() -> None:
    """Entry point of `quickdraw-evaluate`."""
    cli.run(main, _define_flags, doc=__doc__ or "")
