"""Runs the job: checks, locks the output folder, and starts Beam."""

import contextlib
import functools
import logging
import math
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable

from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import file_lock
from pipeline.beam_job import cluster_runner, local_runner, output_dir
from pipeline.beam_job.config import JobConfig, JobContext
from pipeline.beam_job.output_dir import OutputKind
from pipeline.beam_job.pipeline import build_pipeline
from pipeline.beam_job.result import JobResult
from pipeline.class_names import describe_unofficial_words
from pipeline.formats import input_files, reader
from tfrecords import dataset_info, storage

MAX_SHARD_BYTES = 1e9
GOOD_SHARD_BYTES = 200e6
"""Bytes of a shard: a size to warn of, and a size to recommend."""

MAX_CLASSES_PRINTED = 20
"""Of more classes only the largest and the smallest are printed."""

GZIP_RATIO = 4
"""Size of ndjson relative to its `.gz`, about."""


def run_job(
    inputs: list[str],
    output_path: str,
    config: JobConfig,
    *,
    overwrite: bool = False,
    beam_args: list[str] | None = None,
) -> None:
    """Runs the job and prints its counts; see `create_dataset.create_dataset`."""
    options = local_runner.parse_options(beam_args or [])
    cluster_runner.check_options(options, [output_path, *inputs])
    sizes = input_files.match_files(inputs)
    _warn_of_large_shards(sizes, config)
    started = time.monotonic()
    result = run_and_publish(
        sizes, output_path, config, options, build_pipeline, overwrite=overwrite
    )
    _print_counts(result, sum(sizes.values()), time.monotonic() - started)


def run_and_publish(
    sizes: dict[str, int],
    output_path: str,
    config: JobConfig,
    options: PipelineOptions,
    build_pipeline: Callable[..., None],
    *,
    overwrite: bool,
    kind: OutputKind = output_dir.DATA_SET,
    model: str = "",
) -> JobResult:
    """Locks the output folder and runs a job, the last step of which publishes.

    Args:
      sizes: input file to its size in bytes.
      output_path: the output folder; created if it does not exist.
      config: the settings of the job.
      options: Beam's options.
      build_pipeline: adds the steps of the job, see `pipeline.build_pipeline`.
      overwrite: replaces an existing output.
      kind: what the job writes.
      model: names the model in the first line on stderr, if there is one.

    Raises:
      ValueError: the output folder cannot be used, or the job failed.
    """
    with file_lock.hold_lock(output_path) as owner:
        working_dir = output_dir.prepare_output_dir(output_path, overwrite, kind)
        print(
            f"{len(sizes)} files, {sum(sizes.values()) / 1e6:,.1f} MB → {output_path}, "
            f"{model}{local_runner.describe_runner(options)}",
            file=sys.stderr,
        )
        context = JobContext(config, output_path, working_dir, owner)
        try:
            _run_beam(sizes, context, options, build_pipeline)
            result = output_dir.read_result(working_dir)
        finally:
            output_dir.clean_up(output_path)
    if result.error:
        raise ValueError(result.error)
    return result


def _warn_of_large_shards(sizes: dict[str, int], config: JobConfig) -> None:
    """Warns if the shards will be too large to be read in parallel or shuffled."""
    if config.max_per_class is not None or config.classes is not None:
        return
    input_bytes = sum(
        size * (GZIP_RATIO if path.endswith(".gz") else 1)
        for path, size in sizes.items()
    )
    split_bytes = input_bytes * max(config.splits.values())
    if split_bytes > config.num_shards * MAX_SHARD_BYTES:
        num_shards = math.ceil(split_bytes / GOOD_SHARD_BYTES)
        print(
            f"warning: with --num_shards={config.num_shards} a shard will have about "
            f"{split_bytes / config.num_shards / 1e9:.1f} GB; "
            f"--num_shards={num_shards} is better",
            file=sys.stderr,
        )


def _run_beam(
    sizes: dict[str, int],
    context: JobContext,
    options: PipelineOptions,
    build_pipeline: Callable[..., None],
) -> None:
    """Runs the steps of a job, the last of which publishes its result."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    if not local_runner.is_local(options):
        readers = cluster_runner.count_readers(options, len(sizes))
        shares = reader.divide_files(sizes, readers, cluster_runner.MAX_PASSES)
        build = functools.partial(build_pipeline, context=context, shares=shares)
        cluster_runner.run(build, options)
        return
    readers = local_runner.count_readers(options, len(sizes))
    shares = reader.divide_files(sizes, readers)
    with contextlib.ExitStack() as stack:
        scratch_dir = context.working_dir
        if storage.is_remote(scratch_dir):
            scratch_dir = stack.enter_context(tempfile.TemporaryDirectory())
        build = functools.partial(
            build_pipeline,
            context=context._replace(scratch_dir=scratch_dir),
            shares=shares,
        )
        local_runner.run(build, options, scratch_dir, sum(sizes.values()))


def print_counts(result: JobResult, written: dict[str, int]) -> None:
    """Prints a table of the counts of a job and of what it wrote, and its notes."""
    counts = result.counts
    rows = {"read": counts["read"]}
    rows |= {f"rejected: {kind}": n for kind, n in counts["rejected"].items()}
    rows |= {f"filtered: {name}": n for name, n in counts.get("filtered", {}).items()}
    rows |= {n: counts[n] for n in ("blank", "duplicates") if counts.get(n)}
    rows |= written
    width = max(map(len, rows))
    for label, number in rows.items():
        print(f"{label:<{width}}  {number:>12,}")
    for note in result.notes:
        print(note)


def _print_counts(result: JobResult, input_bytes: int, seconds: float) -> None:
    assert result.info is not None
    info = dataset_info.DatasetInfo.from_json(result.info, dataset_info.FILE_NAME)
    print_counts(
        result, {f"written: {name}": s.examples for name, s in info.splits.items()}
    )
    totals = map(sum, zip(*(split.class_counts for split in info.splits.values())))
    classes = _describe_classes(dict(zip(info.classes, totals)))
    print(textwrap.fill(f"classes: {classes}", 88, subsequent_indent="  "))
    for warning in describe_unofficial_words(info.classes):
        print(f"warning: {warning}", file=sys.stderr)
    size = sum(shard.bytes for s in info.splits.values() for shard in s.shards)
    print(
        f"{len(info.classes)} classes, {size / 1e6:,.1f} MB in {seconds:.1f} s: "
        f"{result.counts['read'] / seconds:,.0f} drawings/s, "
        f"{input_bytes / 1e6 / seconds:,.1f} MB/s read"
    )


def _describe_classes(counts: dict[str, int]) -> str:
    """Describes the number of drawings of each class, or of the extremes."""
    if len(counts) <= MAX_CLASSES_PRINTED:
        return ", ".join(f"{word} {count:,}" for word, count in counts.items())
    by_count = sorted(counts.items(), key=lambda item: item[1])
    items = [f"{word} {count:,}" for word, count in by_count]
    return (
        f"largest {', '.join(items[:-6:-1])}; smallest {', '.join(items[:5])}; "
        f"{len(items) - 10} more are in {dataset_info.FILE_NAME} and in the report of "
        "pipeline.describe"
    )
