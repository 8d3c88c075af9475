"""Turns Quick, Draw! ndjson into a data set of TFRecords, as a Beam job.

    python -m pipeline.create_dataset --input='data/*.ndjson.gz' --output_dir=DIR

Flags that are not listed here go to Beam: --runner=DataflowRunner --project=…
"""

import argparse
import contextlib
import fcntl
import glob
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from absl import flags
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.portability.fn_api_runner.fn_runner import (
    ExtendedProvisionInfo,
)
from apache_beam.runners.runner import PipelineRunner

from pipeline import command, transforms
from pipeline.recipe import Recipe, parse_splits
from pipeline.wanted import wanted_classes
from tfrecords import dataset_info, schema

LOCAL_ARGS = (
    "--runner=FnApiRunner",
    "--direct_running_mode=multi_processing",
    "--direct_num_workers=0",  # as many as there are cores
)
"""Beam's own default tries to download another runner first; we say which."""

TOLERANT_RUNNERS = ("FlinkRunner", "SparkRunner", "PortableRunner")
"""Their job servers know options that Beam's Python side does not."""

LOCK = ".lock"

_beam_args: list[str] = []


def _define_flags() -> None:
    flags.DEFINE_list(
        "input", None, "Files of ndjson, plain or .gz: globs, local or gs://, by comma."
    )
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
        "recognized_only", False, "Drop the drawings with recognized=false."
    )
    flags.DEFINE_enum(
        "compression", "none", schema.COMPRESSIONS, "How the shards are compressed."
    )
    flags.DEFINE_float(
        "max_rejected",
        0.01,
        "Fail when more than this fraction of the lines is rejected.",
    )
    flags.DEFINE_bool("overwrite", False, "Replace the data set that is there.")


def main() -> None:
    """Runs the job that the flags describe."""
    values = flags.FLAGS
    command.require("input", "output_dir")
    create_dataset(
        inputs=values.input,
        output_dir=values.output_dir,
        recipe=Recipe(
            classes=wanted_classes(values.classes, values.classes_file),
            max_per_class=values.max_per_class,
            splits=parse_splits(values.splits),
            seed=values.seed,
            num_shards=values.num_shards,
            recognized_only=values.recognized_only,
            compression=values.compression,
            max_rejected=values.max_rejected,
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
    """Reads ndjson and writes a data set; prints what became of the lines.

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
    options = _beam_options(beam_args or [])
    files = match_files(inputs)
    with _locked(output_dir):
        _clear(output_dir, overwrite)
        unfinished = FileSystems.join(output_dir, transforms.UNFINISHED)
        FileSystems.mkdirs(unfinished)
        started = time.monotonic()
        print(
            f"{len(files)} files → {output_dir}, "
            f"runner {options.view_as(StandardOptions).runner}",
            file=sys.stderr,
        )
        try:
            outcome = _run(files, output_dir, recipe, options)
        finally:
            FileSystems.delete([unfinished])
        if outcome["problem"]:
            raise ValueError(outcome["problem"])
        _report(output_dir, outcome["counts"], time.monotonic() - started)


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


def _beam_options(beam_args: list[str]) -> PipelineOptions:
    given = PipelineOptions(beam_args).view_as(StandardOptions).runner
    return PipelineOptions(beam_args if given else [*LOCAL_ARGS, *beam_args])


def _runner(options: PipelineOptions) -> PipelineRunner | None:
    """Makes the local runner, whose workers else would log every step they take."""
    if options.view_as(StandardOptions).runner != "FnApiRunner":
        return None
    quiet = beam_provision_api_pb2.ProvisionInfo()
    quiet.pipeline_options["default_sdk_harness_log_level"] = "CRITICAL"
    return FnApiRunner(provision_info=ExtendedProvisionInfo(quiet))


def match_files(patterns: list[str]) -> list[str]:
    """Expands globs to a sorted list of files, each once.

    Raises:
      ValueError: a glob that finds nothing, or a folder.
    """
    files = set()
    for pattern in patterns:
        try:
            found = _glob(pattern)
        except BeamIOError as error:
            raise ValueError(f"--input={pattern}: {error}") from None
        if not found:
            raise ValueError(f"--input={pattern}: there is no such file")
        files.update(found)
    for file in files:
        if os.path.isdir(file):
            within = os.path.join(file, "*")
            raise ValueError(f"--input={file} is a folder; name files, as {within}")
    return sorted(files)


def _glob(pattern: str) -> list[str]:
    if not _is_local(pattern):
        return [found.path for found in FileSystems.match([pattern])[0].metadata_list]
    # Beam's own matching knows no pattern without a folder and no name with brackets.
    if os.path.exists(pattern):
        return [pattern]
    found = glob.glob(pattern, recursive=True)
    return [path for path in found if not os.path.isdir(path)]


def _is_local(path: str) -> bool:
    return FileSystems.get_scheme(path) is None


@contextlib.contextmanager
def _locked(output_dir: str) -> Iterator[None]:
    """Keeps a second job out of a local output folder; the lock dies with us."""
    if not _is_local(output_dir):
        yield
        return
    os.makedirs(output_dir, exist_ok=True)
    path = os.path.join(output_dir, LOCK)
    with open(path, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"{output_dir} is in use by another job") from None
        try:
            yield
        finally:
            os.unlink(path)


def _clear(output_dir: str, overwrite: bool) -> None:
    """Removes what an earlier job left; refuses a data set and files not ours."""
    if _is_local(output_dir):
        found = [os.path.join(output_dir, name) for name in os.listdir(output_dir)]
    else:
        found = _glob(FileSystems.join(output_dir, "*"))
    paths = {os.path.basename(path.rstrip("/")): path for path in found}
    paths.pop(LOCK, None)
    strange = [name for name in paths if not _is_ours(name)]
    if strange:
        raise ValueError(
            f"{output_dir} is in use: {min(strange)!r} there is no part of a data set"
        )
    whole = paths.pop(dataset_info.FILE_NAME, None)
    if whole and not overwrite:
        raise ValueError(
            f"{output_dir} is in use: it holds a data set (--overwrite replaces it)"
        )
    unfinished = FileSystems.join(output_dir, transforms.UNFINISHED)
    if FileSystems.exists(unfinished):
        FileSystems.delete([unfinished])
    # First the file that makes it a data set.
    for path in [whole, *paths.values()]:
        if path and FileSystems.exists(path):
            FileSystems.delete([path])


def _is_ours(name: str) -> bool:
    return (
        name in (dataset_info.FILE_NAME, transforms.UNFINISHED)
        or schema.is_shard_name(name)
        or (name.startswith("rejected-") and name.endswith(".ndjson"))
    )


def _run(
    files: list[str], output_dir: str, recipe: Recipe, options: PipelineOptions
) -> dict[str, Any]:
    """Runs the job; gives the outcome that its last step wrote down."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    try:
        with beam.Pipeline(runner=_runner(options), options=options) as job:
            transforms.build(job, files, output_dir, recipe)
    except Exception as error:
        last = traceback.format_exception_only(error)[-1].strip().splitlines()[-1]
        raise ValueError(f"the job failed: {last}") from error
    path = FileSystems.join(output_dir, transforms.UNFINISHED, transforms.OUTCOME)
    with FileSystems.open(path) as file:
        return json.loads(file.read())


def _report(output_dir: str, counts: dict[str, Any], seconds: float) -> None:
    with FileSystems.open(FileSystems.join(output_dir, dataset_info.FILE_NAME)) as file:
        info = dataset_info.DatasetInfo.from_json(file.read().decode(), output_dir)
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
        f"{counts['read'] / seconds:,.0f} drawings/s"
    )


def run() -> None:
    """Entry point of `quickdraw-create-dataset`."""
    command.run(main, _define_flags, doc=__doc__ or "", take_rest=take_beam_args)


if __name__ == "__main__":
    run()
