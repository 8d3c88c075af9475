"""Beam on this machine: its own worker processes, watched over by the launcher.

The launcher runs Beam in a thread beside the one that shows the progress and takes
Ctrl-C. It shares a folder with the workers, the scratch folder, for the chunks that the
shuffle hands on (`pipeline.beam_job.sorted_runs`), the counts (`pipeline.beam_job.progress`) and the pipe that
tells a worker when the launcher dies (`pipeline.beam_job.worker`, `pipeline.beam_job.worker_pool`).
"""

import contextlib
import os
import re
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

from pipeline.beam_job import progress, worker, worker_pool

LOCAL_ARGS = (
    "--runner=FnApiRunner",
    "--direct_running_mode=multi_processing",
    "--direct_num_workers=0",  # as many as there are cores
)
"""Beam's own default tries to download another runner first; we say which."""

POLL_SECONDS = 0.25


def beam_options(beam_args: list[str]) -> PipelineOptions:
    """Reads Beam's arguments; without a runner among them the job runs here."""
    given = PipelineOptions(beam_args).view_as(StandardOptions).runner
    return PipelineOptions(beam_args if given else [*LOCAL_ARGS, *beam_args])


def is_local(options: PipelineOptions) -> bool:
    """Says whether the job runs in processes of this machine that we start."""
    return options.view_as(StandardOptions).runner == "FnApiRunner"


def num_workers(options: PipelineOptions) -> int:
    """The number of worker processes of a local run."""
    return options.view_as(DirectOptions).direct_num_workers or os.cpu_count() or 1


def describe(options: PipelineOptions) -> str:
    """Names the runner, for people."""
    name = options.view_as(StandardOptions).runner
    if not is_local(options):
        return f"runner {name}"
    mode = options.view_as(DirectOptions).direct_running_mode
    workers = 1 if mode == "in_memory" else num_workers(options)
    return f"runner {name} ({mode}, {workers} workers on this machine)"


def run(
    build: Callable[[beam.Pipeline], None],
    options: PipelineOptions,
    scratch: str,
    input_bytes: int,
) -> None:
    """Runs a job and shows how far it is.

    Args:
      build: lays out the job's steps.
      options: Beam's.
      scratch: folder that the launcher shares with the workers.
      input_bytes: how many the workers are going to read.

    Raises:
      ValueError: the job failed; the message is one line.
      KeyboardInterrupt: Ctrl-C or SIGTERM. Workers end themselves, but threads of
        Beam may hang on: the caller should end the process.
    """
    failures: list[str] = []
    done = threading.Event()

    def work() -> None:
        try:
            with beam.Pipeline(runner=runner(options, pool), options=options) as job:
                build(job)
        except BaseException as error:
            failures.append(_last_line(error))
        finally:
            done.set()

    def worker_died(args: threading.ExceptHookArgs) -> None:
        if args.thread is not None and args.thread.name == worker.THREAD:
            failures.append(f"{_last_line(args.exc_value)} (out of memory?)")
            done.set()

    with _workers(options, scratch) as pool, as_interrupt(signal.SIGTERM):
        # Not before the workers were forked does this process have other threads.
        bar = progress.Bar(scratch, input_bytes)
        with _thread_hook(worker_died):
            threading.Thread(target=work, name="beam", daemon=True).start()
            try:
                over = False
                while not over:
                    over = done.wait(POLL_SECONDS)
                    bar.update()
            finally:
                bar.close()
    if failures:
        raise ValueError(f"the job failed: {failures[0]}")


@contextlib.contextmanager
def as_interrupt(number: signal.Signals) -> Iterator[None]:
    """A signal is a Ctrl-C, to those that are started meanwhile what it always is.

    SIGTERM is one from elsewhere; SIGINT one also where a shell, which started us in
    the background, has it ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextlib.contextmanager
def _thread_hook(hook: Callable[[threading.ExceptHookArgs], None]) -> Iterator[None]:
    """Hears of the threads that start meanwhile, and silences what is left of them."""
    before, others = threading.excepthook, set(threading.enumerate())

    def hear(args: threading.ExceptHookArgs) -> None:
        (before if args.thread in others else hook)(args)

    threading.excepthook = hear
    try:
        yield
    finally:
        # Threads of Beam outlive a job that failed, and fail in turn.
        left = set(threading.enumerate()) - others

        def hear_others(args: threading.ExceptHookArgs) -> None:
            if args.thread not in left:
                before(args)

        threading.excepthook = hear_others if left else before


@contextlib.contextmanager
def _workers(
    options: PipelineOptions, scratch: str
) -> Iterator[worker_pool.WorkerPool | None]:
    """Makes the workers of a run that has any of ours."""
    mode = options.view_as(DirectOptions).direct_running_mode
    if mode != "multi_processing":
        yield None
        return
    pipe = os.path.join(scratch, "launcher")
    with worker_pool.opened(pipe, num_workers(options)) as pool:
        yield pool


def runner(
    options: PipelineOptions, pool: worker_pool.WorkerPool | None
) -> PipelineRunner:
    """Makes the local runner.

    Args:
      options: Beam's.
      pool: where the runner's workers come from; None if it works in this process.
    """
    quiet = beam_provision_api_pb2.ProvisionInfo()
    quiet.pipeline_options["default_sdk_harness_log_level"] = "CRITICAL"
    environment = None
    if pool is not None:
        # In its own mode Beam would start workers of its own, whatever environment it
        # is given; in the other it takes the one that it is given.
        options.view_as(DirectOptions).direct_running_mode = "in_memory"
        environment = pool.environment()
    return FnApiRunner(environment, provision_info=ExtendedProvisionInfo(quiet))


def _last_line(error: BaseException | None) -> str:
    """What went wrong, without Beam's wrapping."""
    line = traceback.format_exception_only(error)[-1].strip().splitlines()[-1]
    return re.sub(r" \[while running '[^']*'\]$", "", line).removeprefix(
        "RuntimeError: "
    )
