"""Runs the batch prediction job: checks, locks the output folder, starts Beam."""

import functools
import time
from collections.abc import Sequence

from pipeline.beam_job import cluster_runner, launcher, local_runner
from pipeline.beam_job.config import JobConfig
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
    started = time.monotonic()
    result = launcher.run_and_publish(
        sizes,
        output_path,
        job_config,
        options,
        functools.partial(build_pipeline, config=config),
        overwrite=overwrite,
        kind=PREDICTIONS,
        model=f"model {export_path} ({runtime}), ",
    )
    seconds = time.monotonic() - started
    written = result.counts["written"]
    launcher.print_counts(result, {"written": written})
    print(f"{seconds:.1f} s: {written / seconds:,.0f} drawings/s")
