"""Beam on this machine, in worker processes that end with the launcher.

Beam runs in a thread of the launcher, beside the main thread, which shows the progress
and handles Ctrl-C. Launcher and workers share a scratch folder: for the runs of the
shuffle (`shard_shuffle`) and for the progress (`progress`).
"""

import contextlib
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    StandardOptions,
)
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.portability.fn_api_runner.fn_runner import (
    ExtendedProvisionInfo,
)
from apache_beam.runners.runner import PipelineRunner

from pipeline.beam_job import progress, worker_pool
from pipeline.beam_job.errors import make_job_error

LOCAL_ARGS = (
    "--runner=FnApiRunner",
    "--direct_running_mode=multi_processing",
    "--direct_num_workers=0",  # one per core
)
"""Beam's default runner first tries to download another one."""

POLL_SECONDS = 0.25


def parse_options(beam_args: list[str]) -> PipelineOptions:
    """Parses Beam's arguments; adds those of a local run if they name no runner."""
    runner = PipelineOptions(beam_args).view_as(StandardOptions).runner
    return PipelineOptions(beam_args if runner else [*LOCAL_ARGS, *beam_args])


def is_local(options: PipelineOptions) -> bool:
    """Returns whether the job runs on this machine, in processes of the launcher."""
    return options.view_as(StandardOptions).runner == "FnApiRunner"


def count_workers(options: PipelineOptions) -> int:
    """Returns the number of workers of a local run."""
    return options.view_as(DirectOptions).direct_num_workers or os.cpu_count() or 1


def count_readers(options: PipelineOptions, num_files: int) -> int:
    """Returns how many workers should share the reading of each file."""
    workers = count_workers(options)
    return 1 if num_files >= 16 * workers else workers


def describe_runner(options: PipelineOptions) -> str:
    """Describes the runner in a few words."""
    name = options.view_as(StandardOptions).runner
    if not is_local(options):
        return f"runner {name}"
    mode = options.view_as(DirectOptions).direct_running_mode
    workers = 1 if mode == "in_memory" else count_workers(options)
    return f"runner {name} ({mode}, {workers} workers on this machine)"


def run(
    build: Callable[[beam.Pipeline], None],
    options: PipelineOptions,
    scratch_dir: str,
    input_bytes: int,
) -> None:
    """Runs a job and shows its progress.

    Args:
      build: adds the steps of the job to a pipeline.
      options: Beam's options.
      scratch_dir: folder that launcher and workers share.
      input_bytes: bytes that the workers are going to read.

    Raises:
      ValueError: the job failed; the message is one line.
      KeyboardInterrupt: Ctrl-C or SIGTERM. The workers end themselves, but threads of
        Beam may remain: the caller should exit the process.
    """
    errors: list[BaseException] = []
    is_done = threading.Event()

    def run_pipeline() -> None:
        try:
            runner = _make_runner(options, pool)
            with beam.Pipeline(runner=runner, options=options) as pipeline:
                build(pipeline)
        except BaseException as error:
            errors.append(error)
        finally:
            is_done.set()

    def handle_thread_error(args: threading.ExceptHookArgs) -> None:
        if args.thread is not None and args.thread.name == worker_pool.THREAD_NAME:
            errors.append(RuntimeError(f"{args.exc_value} (out of memory?)"))
            is_done.set()

    with _open_worker_pool(options) as pool, interrupt_on(signal.SIGTERM):
        bar = progress.ProgressBar(scratch_dir, input_bytes)
        with _replace_thread_hook(handle_thread_error):
            # Started after the workers were forked, as forking threads is unsafe.
            threading.Thread(target=run_pipeline, name="beam", daemon=True).start()
            try:
                was_done = False
                while not was_done:
                    was_done = is_done.wait(POLL_SECONDS)
                    bar.update()
            finally:
                bar.close()
    if errors:
        raise make_job_error(traceback.format_exception_only(errors[0])[-1])


@contextlib.contextmanager
def interrupt_on(number: signal.Signals) -> Iterator[None]:
    """Raises KeyboardInterrupt on a signal.

    Also useful for SIGINT, which a shell makes its background jobs ignore; programs
    started meanwhile do not ignore it. Does nothing outside of the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, previous)


@contextlib.contextmanager
def _replace_thread_hook(
    hook: Callable[[threading.ExceptHookArgs], None],
) -> Iterator[None]:
    """Handles uncaught errors of the threads that start meanwhile.

    Threads of Beam outlive a job that failed, and fail in turn: their errors are
    ignored after the end, too.
    """
    previous, other_threads = threading.excepthook, set(threading.enumerate())

    def handle(args: threading.ExceptHookArgs) -> None:
        (previous if args.thread in other_threads else hook)(args)

    threading.excepthook = handle
    try:
        yield
    finally:
        remaining = set(threading.enumerate()) - other_threads

        def handle_others(args: threading.ExceptHookArgs) -> None:
            if args.thread not in remaining:
                previous(args)

        threading.excepthook = handle_others if remaining else previous


@contextlib.contextmanager
def _open_worker_pool(
    options: PipelineOptions,
) -> Iterator[worker_pool.WorkerPool | None]:
    """Opens the worker pool of a run that uses worker processes."""
    mode = options.view_as(DirectOptions).direct_running_mode
    if mode != "multi_processing":
        yield None
        return
    with worker_pool.open_pool(count_workers(options)) as pool:
        yield pool


def _make_runner(
    options: PipelineOptions, pool: worker_pool.WorkerPool | None
) -> PipelineRunner:
    """Makes Beam's local runner.

    Args:
      options: Beam's options.
      pool: provides the workers; if None, the runner works in this process.
    """
    provision_info = beam_provision_api_pb2.ProvisionInfo()
    provision_info.pipeline_options["default_sdk_harness_log_level"] = "CRITICAL"
    environment = None
    if pool is not None:
        # In the mode "multi_processing" Beam ignores the environment it is given.
        options.view_as(DirectOptions).direct_running_mode = "in_memory"
        environment = pool.make_environment()
    return FnApiRunner(
        environment, provision_info=ExtendedProvisionInfo(provision_info)
    )
