r"""Classifies drawings as a Beam job, on all cores of this machine or on a cluster.

    python -m serve_export.predict_batch --export_dir=exports/rnn \
      --input='drawings/*.ndjson.gz' --output_dir=predictions

The input is anything that create_dataset reads, or a data set. The guesses equal those
of predict; the output files, one after the other, have the order of the input. Flags
that are not listed here are passed to Beam: --runner=DataflowRunner --project=…
"""

from collections.abc import Sequence

from absl import flags

from pipeline import cli
from pipeline.beam_job.config import JobConfig, find_unknown_beam_args
from pipeline.formats import input_files

OUTPUT_FORMATS = ("ndjson", "csv", "parquet")


def predict_batch(
    inputs: Sequence[str],
    output_dir: str,
    *,
    export_dir: str | None = None,
    runtime: str = "auto",
    top_k: int = 3,
    output_format: str = "ndjson",
    num_files: int = 10,
    max_rejected: float = 0.01,
    input_format: str = "auto",
    label_names: tuple[str, ...] | None = None,
    overwrite: bool = False,
    beam_args: Sequence[str] = (),
) -> None:
    """Classifies the drawings of files and prints the counts.

    Args:
      inputs: paths, globs and folders, local or remote.
      output_dir: folder for the predictions, local or remote.
      export_dir: directory of an export or of its versions; the bundled model if None.
      runtime: one of `predictor.RUNTIMES`, or "auto".
      top_k: number of guesses per drawing.
      output_format: one of `OUTPUT_FORMATS`.
      num_files: maximum number of output files; there is at most one per input file.
      max_rejected: maximum fraction of items that are not drawings.
      input_format: one of `pipeline.formats.INPUT_FORMATS`.
      label_names: class names of integer labels, in the order of the labels.
      overwrite: replaces existing predictions.
      beam_args: command-line arguments for Beam; if they name no runner, the job runs
        on all cores of this machine.

    Raises:
      ValueError: the job cannot run or fails; existing predictions stay.
    """
    from serve_export.batch_prediction import launcher

    launcher.run_job(
        inputs,
        output_dir,
        JobConfig(
            num_shards=num_files,
            max_rejected=max_rejected,
            input_format=input_format,
            label_names=label_names,
        ),
        export_dir=export_dir,
        runtime=runtime,
        top_k=top_k,
        output_format=output_format,
        overwrite=overwrite,
        beam_args=beam_args,
    )


def _define_flags() -> None:
    from serve_export import predict

    cli.define_list(
        "input",
        None,
        "Files of drawings: comma-separated paths, globs and folders, local or gs://.",
    )
    input_files.define_flags()
    predict.define_model_flags()
    flags.DEFINE_string("output_dir", None, "Folder for the predictions.")
    flags.DEFINE_enum(
        "output_format", "ndjson", OUTPUT_FORMATS, "Format of the predictions."
    )
    flags.DEFINE_integer(
        "num_files", 10, "Output files; at most one per input file.", lower_bound=1
    )
    flags.DEFINE_float(
        "max_rejected",
        0.01,
        "Fail if more than this fraction of the input is not a drawing.",
    )
    flags.DEFINE_bool(
        "overwrite",
        False,
        "Replace existing predictions as soon as the new ones are complete.",
    )


def main() -> None:
    """Runs the job that the flags describe."""
    from pipeline.class_names import read_label_names

    values = flags.FLAGS
    cli.require("input", "output_dir")
    predict_batch(
        values.input,
        values.output_dir,
        export_dir=values.export_dir,
        runtime=values.runtime,
        top_k=values.top_k,
        output_format=values.output_format,
        num_files=values.num_files,
        max_rejected=values.max_rejected,
        input_format=values.input_format,
        label_names=read_label_names(values.label_names),
        overwrite=values.overwrite,
        beam_args=cli.extra_args,
    )


def run() -> None:
    """Runs the command `quickdraw-predict-batch`."""
    cli.run(
        main, _define_flags, doc=__doc__ or "", find_unknown_args=find_unknown_beam_args
    )


if __name__ == "__main__":
    run()
