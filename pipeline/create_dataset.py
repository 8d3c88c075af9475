"""Makes a data set of TFRecords from Quick, Draw! drawings, with Apache Beam.

    python -m pipeline.create_dataset --input='data/*.ndjson.gz' --output_dir=DIR

Flags that are not listed here are passed to Beam: --runner=DataflowRunner --project=…
"""

from collections.abc import Sequence
from typing import Any

from absl import flags

from pipeline import cli
from pipeline.beam_job.config import (
    DEFAULT_SPLITS,
    JobConfig,
    find_unknown_beam_args,
    parse_splits,
)
from tfrecords import schema


def create_dataset(
    inputs: Sequence[str],
    output_dir: str,
    *,
    overwrite: bool = False,
    beam_args: Sequence[str] | None = None,
    **settings: Any,
) -> None:
    """Reads drawings and writes a data set; prints the counts of all lines.

    For example, `create_dataset(["in/*.ndjson"], "data", max_per_class=1000)`.

    Args:
      inputs: globs of input files.
      output_dir: the output folder, local or remote; created if it does not exist.
      overwrite: replaces an existing data set.
      beam_args: command-line arguments for Beam; if they name no runner, the job runs
        on all cores of this machine.
      **settings: fields of `pipeline.beam_job.config.JobConfig`.

    Raises:
      ValueError: the job cannot run or makes no data set; only the rejected lines are
        kept.
    """
    from pipeline.beam_job import launcher

    launcher.run_job(
        list(inputs),
        output_dir,
        JobConfig(**settings),
        overwrite=overwrite,
        beam_args=list(beam_args or []),
    )


def main() -> None:
    """Runs the job that the flags describe."""
    from pipeline.class_names import read_classes, read_label_names

    values = flags.FLAGS
    cli.require("input", "output_dir")
    create_dataset(
        values.input,
        values.output_dir,
        overwrite=values.overwrite,
        beam_args=cli.extra_args,
        classes=read_classes(values.classes, values.classes_file),
        max_per_class=values.max_per_class,
        splits=parse_splits(values.splits),
        seed=values.seed,
        num_shards=values.num_shards,
        keep_duplicates=values.keep_duplicates,
        recognized_only=values.recognized_only,
        compression=values.compression,
        max_rejected=values.max_rejected,
        input_format=values.input_format,
        label_names=read_label_names(values.label_names),
    )


def _define_flags() -> None:
    from pipeline.formats import input_files

    cli.define_list(
        "input",
        None,
        "Files of drawings, plain or .gz: comma-separated globs, local or gs://.",
    )
    input_files.define_flags()
    flags.DEFINE_string("output_dir", None, "Folder for the data set.")
    cli.define_list(
        "classes",
        None,
        "Words to keep, comma-separated. Default: all words in the input.",
    )
    flags.DEFINE_string("classes_file", None, "File with one word to keep per line.")
    flags.DEFINE_integer(
        "max_per_class",
        None,
        "Maximum number of drawings per class. The keys of the drawings and --seed "
        "decide which are kept.",
    )
    flags.DEFINE_string(
        "splits",
        DEFAULT_SPLITS,
        "Names of the splits and their fractions. A drawing's split depends on its "
        "key and --seed only, so adding data moves no drawing to another split.",
    )
    flags.DEFINE_integer(
        "seed",
        JobConfig.seed,
        "Decides the splits, the order, and which drawings --max_per_class keeps.",
    )
    flags.DEFINE_integer("num_shards", JobConfig.num_shards, "Files per split.")
    flags.DEFINE_bool(
        "keep_duplicates",
        JobConfig.keep_duplicates,
        "Keep all drawings that share a key, not only the one with the smallest "
        "record.",
    )
    flags.DEFINE_bool(
        "recognized_only",
        JobConfig.recognized_only,
        "Drop the drawings with recognized=false.",
    )
    flags.DEFINE_enum(
        "compression",
        JobConfig.compression,
        schema.COMPRESSIONS,
        "Compression of the shards.",
    )
    flags.DEFINE_float(
        "max_rejected",
        JobConfig.max_rejected,
        "Fail if more than this fraction of the lines is rejected.",
    )
    flags.DEFINE_bool(
        "overwrite",
        False,
        "Replace an existing data set as soon as the new one is complete.",
    )


def run() -> None:
    """Runs the command `quickdraw-create-dataset`."""
    cli.run(
        main, _define_flags, doc=__doc__ or "", find_unknown_args=find_unknown_beam_args
    )


if __name__ == "__main__":
    run()
