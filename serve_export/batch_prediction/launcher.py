"""Runs the batch prediction job: checks, locks the output folder, starts Beam."""

import functools
import sys
import time
from collections.abc import Sequence

from pipeline import file_lock
from pipeline.beam_job import cluster_runner, local_runner, output_dir
from pipeline.beam_job import launcher as beam_launcher
from pipeline.beam_job.config import JobConfig, JobContext
from pipeline.beam_job.result import JobResult
from pipeline.formats import input_files
from serve_export import layout
from serve_export.batch_prediction.pipeline import (
    PREDICTIONS,
    PredictionConfig,
    build_pipeline,
)
from serve_export.predictor import choose_runtime


def run_job(
    inputs: Sequence[str],
    output_path: str,
    job_config: JobConfig,
    *,
    export_dir: str | None,
    runtime: str,
    top_k: int,
    output_format: str,
    overwrite: bool,
    beam_args: Sequence[str],
) -> None:
    """Runs the job and prints its counts; see `predict_batch.predict_batch`."""
    options = local_runner.parse_options(list(beam_args))
    export_path = layout.find_newest_version(export_dir)
    runtime = choose_runtime(export_path, runtime)
    paths = [output_path, *inputs]
    if export_dir is not None:
        paths.append(export_dir)
    cluster_runner.check_options(options, paths)
    sizes = input_files.match_files(list(inputs))
    config = PredictionConfig(
        export_path,
        runtime,
        top_k,
        output_format,
        num_files=min(job_config.num_shards, len(sizes)),
    )
    input_bytes = sum(sizes.values())
    with file_lock.hold_lock(output_path) as owner:
        working_dir = output_dir.prepare_output_dir(output_path, overwrite, PREDICTIONS)
        started = time.monotonic()
        print(
            f"{len(sizes)} files, {input_bytes / 1e6:,.1f} MB → {output_path}, model "
            f"{export_path} ({runtime}), {local_runner.describe_runner(options)}",
            file=sys.stderr,
        )
        context = JobContext(job_config, output_path, working_dir, owner)
        try:
            build = functools.partial(build_pipeline, config=config)
            beam_launcher.run_beam(sizes, context, options, build)
            result = output_dir.read_result(working_dir)
        finally:
            output_dir.clean_up(output_path)
        if result.error:
            raise ValueError(result.error)
    _print_counts(result, time.monotonic() - started)


def _print_counts(result: JobResult, seconds: float) -> None:
    counts = result.counts
    rows = [("read", counts["read"])]
    rows += [(f"rejected: {kind}", n) for kind, n in counts["rejected"].items()]
    rows += [("blank", counts["blank"])] if counts["blank"] else []
    rows += [("written", counts["written"])]
    width = max(len(label) for label, _ in rows)
    for label, number in rows:
        print(f"{label:<{width}}  {number:>12,}")
    for note in result.notes:
        print(note)
    print(f"{seconds:.1f} s: {counts['written'] / seconds:,.0f} drawings/s")
