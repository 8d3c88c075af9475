"""Evaluates runs on the same drawings.

    python evaluate.py --workdir=runs/rnn,runs/cnn --data_dir=DIR --report_dir=report

Prints a table and writes `<report_dir>/metrics.json`.
"""

from absl import flags

from pipeline import command
from rnn_model import evaluation
from rnn_model.workdir import file_errors


def _define_flags() -> None:
    flags.DEFINE_list("workdir", None, "Folders of the runs, by comma.")
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("split", "test", "The part of the data set to evaluate on.")
    flags.DEFINE_string("report_dir", None, "Folder for metrics.json.")


def main() -> None:
    """Evaluates as the flags say; prints the table."""
    values = flags.FLAGS
    command.require("workdir", "data_dir", "report_dir")
    with file_errors():
        report = evaluation.evaluate_runs(
            values.workdir, values.data_dir, values.split, values.report_dir
        )
    examples = report["runs"][0]["examples"]
    print(f"{examples:,} drawings of the split {values.split}\n")
    print(evaluation.table(report))


def run() -> None:
    """Entry point of `quickdraw-evaluate`."""
    command.run(main, _define_flags, doc=__doc__ or "")
