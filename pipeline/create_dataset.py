"""Turns Quick, Draw! drawings into a data set of TFRecords, as a Beam job.

    python -m pipeline.create_dataset --input='data/*.ndjson.gz' --output_dir=DIR

Flags that are not listed here go to Beam: --runner=DataflowRunner --project=…
"""

import argparse
import contextlib
import logging
import sys
import tempfile
import time

from absl import flags
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import cli, file_lock
from pipeline.beam_job import cluster_runner, local_runner
from pipeline.beam_job import output_dir as output_folder
from pipeline.beam_job import pipeline as job
from pipeline.beam_job.config import Recipe, parse_splits
from pipeline.beam_job.result import Outcome
from pipeline.beam_job.transforms import Job
from pipeline.class_names import label_names, wanted_classes
from pipeline.formats import input_files, reader
from tfrecords import dataset_info, schema

TOLERANT_RUNNERS = ("FlinkRunner", "SparkRunner", "PortableRunner")
"""Their job servers know options that Beam's Python side does not."""

_beam_args: list[str] = []


def _define_flags() -> None:
    flags.DEFINE_list(
        "input",
        None,
        "Files of drawings, plain or .gz: globs, local or gs://, by comma.",
    )
    input_files.define_flags()
    flags.DEFINE_string("output_dir", None, "Folder for the data set.")
    flags.DEFINE_list(
        "classes", None, "Wanted words, by comma. Without it, all words that are found."
    )
    flags.DEFINE_string("classes_file", None, "File with one wanted word a line.")
    flags.DEFINE_integer(
        "max_per_class",
        None,
        "Keep at most so many drawings of a class; which, depends on their keys alone.",
    )
    flags.DEFINE_string(
        "splits",
        "train:0.8,validation:0.1,test:0.1",
        "Names of the splits and their shares. A drawing's split depends on its key "
        "and the seed alone, so adding data moves nothing.",
    )
    flags.DEFINE_integer("seed", 0, "Decides splits, order and choice of drawings.")
    flags.DEFINE_integer("num_shards", 10, "Files per split.")
    flags.DEFINE_bool(
        "keep_duplicates",
        False,
        "Keep all drawings that share a key, not just the smallest record.",
    )
    flags.DEFINE_bool(
        "recognized_only", False, "Drop the drawings with recognized=false."
    )
    flags.DEFINE_enum(
        "compression", "none", schema.COMPRESSIONS, "How the shards are compressed."
    )
    flags.DEFINE_float(
        "max_rejected",
        0.01,
        "Fail when more than this fraction of the drawings is rejected.",
    )
    flags.DEFINE_bool(
        "overwrite",
        False,
        "Replace the data set that is there, once the new one is whole.",
    )


def main() -> None:
    """Runs the job that the flags describe."""
    values = flags.FLAGS
    cli.require("input", "output_dir")
    create_dataset(
        inputs=values.input,
        output_dir=values.output_dir,
        recipe=Recipe(
            classes=wanted_classes(values.classes, values.classes_file),
            max_per_class=values.max_per_class,
            splits=parse_splits(values.splits),
            seed=values.seed,
            num_shards=values.num_shards,
            keep_duplicates=values.keep_duplicates,
            recognized_only=values.recognized_only,
            compression=values.compression,
            max_rejected=values.max_rejected,
            input_format=values.input_format,
            label_names=label_names(values.label_names),
        ),
        overwrite=values.overwrite,
        beam_args=_beam_args,
    )


def create_dataset(
    inputs: list[str],
    output_dir: str,
    recipe: Recipe,
    overwrite: bool = False,
    beam_args: list[str] | None = None,
) -> None:
    """Reads drawings and writes a data set; prints what became of the lines.

    Args:
      inputs: globs of files.
      output_dir: where to; made if it is not there.
      recipe: what the data set is to hold.
      overwrite: replaces a data set that is there.
      beam_args: command-line arguments for Beam; without a runner in them the job
        runs on all cores of this machine.

    Raises:
      ValueError: the job cannot run or gives no data set; nothing but the rejected
        lines is left behind.
    """
    options = local_runner.beam_options(beam_args or [])
    cluster_runner.check_paths(options, [output_dir, *inputs])
    sizes = input_files.match_files(inputs)
    with file_lock.hold_lock(output_dir) as check_lock:
        folder = output_folder.prepare(output_dir, overwrite)
        started = time.monotonic()
        print(
            f"{len(sizes)} files, {sum(sizes.values()) / 1e6:,.1f} MB → {output_dir}, "
            f"{local_runner.describe(options)}",
            file=sys.stderr,
        )
        try:
            outcome = _run(sizes, folder, recipe, options)
            check_lock()
            output_folder.publish(outcome, output_dir, folder)
        finally:
            output_folder.clean_up(output_dir)
        if outcome.problem:
            raise ValueError(outcome.problem)
    _report(outcome, sum(sizes.values()), time.monotonic() - started)


def _run(
    sizes: dict[str, int], folder: str, recipe: Recipe, options: PipelineOptions
) -> Outcome:
    """Runs the job in its folder; gives the outcome that its last step wrote down."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    if local_runner.is_local(options):
        _run_here(sizes, folder, recipe, options)
    else:
        shares = reader.share_out(sizes, cluster_runner.readers(options, len(sizes)))
        told = Job(folder, recipe)
        cluster_runner.run(lambda pipeline: job.build(pipeline, told, shares), options)
    path = FileSystems.join(folder, job.OUTCOME)
    try:
        return Outcome.from_json(output_folder.read_text(path))
    except FileNotFoundError:
        raise ValueError(
            f"the workers wrote to a {folder} that is not this machine's; --output_dir "
            "must be on storage that they share with it"
        ) from None


def _run_here(
    sizes: dict[str, int], folder: str, recipe: Recipe, options: PipelineOptions
) -> None:
    """Runs the job in processes of this machine."""
    shares = reader.share_out(sizes, local_runner.num_workers(options))
    with contextlib.ExitStack() as stack:
        scratch = folder
        if not file_lock.is_local(folder):
            scratch = stack.enter_context(tempfile.TemporaryDirectory())
        told = Job(folder, recipe, scratch)
        local_runner.run(
            lambda pipeline: job.build(pipeline, told, shares),
            options,
            scratch,
            input_bytes=sum(share.size for share in shares),
        )


def take_beam_args(rest: list[str]) -> None:
    """Takes the arguments that are none of our flags; refuses those nobody knows."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, conflict_handler="resolve", exit_on_error=False
    )
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    try:
        known, unknown = parser.parse_known_args(rest)
    except argparse.ArgumentError as error:
        raise flags.Error(str(error)) from None
    if unknown and known.runner not in TOLERANT_RUNNERS:
        raise flags.Error(f"neither we nor Beam know the flag {unknown[0]!r}")
    _beam_args[:] = rest


def _report(outcome: Outcome, input_bytes: int, seconds: float) -> None:
    info = dataset_info.DatasetInfo.from_json(outcome.info, dataset_info.FILE_NAME)
    counts = outcome.counts
    rows = [("read", counts["read"])]
    rows += [(f"rejected: {kind}", n) for kind, n in counts["rejected"].items()]
    rows += [(f"filtered: {why}", n) for why, n in counts["filtered"].items()]
    rows += [(what, counts[what]) for what in ("blank", "duplicates") if counts[what]]
    rows += [(f"written: {name}", s.examples) for name, s in info.splits.items()]
    width = max(len(label) for label, _ in rows)
    for label, number in rows:
        print(f"{label:<{width}}  {number:>12,}")
    size = sum(shard.bytes for s in info.splits.values() for shard in s.shards)
    print(
        f"{len(info.classes)} classes, {size / 1e6:,.1f} MB in {seconds:.1f} s: "
        f"{counts['read'] / seconds:,.0f} drawings/s, "
        f"{input_bytes / 1e6 / seconds:,.1f} MB/s read"
    )


def run() -> None:
    """Entry point of `quickdraw-create-dataset`."""
    cli.run(main, _define_flags, doc=__doc__ or "", take_rest=take_beam_args)


if __name__ == "__main__":
    run()
