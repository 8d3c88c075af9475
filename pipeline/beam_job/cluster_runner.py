"""Beam on an engine of its own: Flink, Spark, Dataflow or another that Beam knows.

The launcher hands the job over and waits. It has matched the input before and moves
what the job made into place after, so what it shares with the workers is storage only:
the input and the output folder. The engine runs a step that failed again, and the
files of an attempt that came to nothing lie beside those that count, under names of
their own, until the launcher clears the job's folder.
"""

import contextlib
import logging
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners import create_runner
from apache_beam.runners.runner import PipelineResult, PipelineRunner, PipelineState
from tqdm import tqdm

from pipeline.beam_job import local_runner

LINE_SECONDS = 60
"""How often there is a line that says how the job is."""

MOST_READERS = 16
"""Workers that read the same file, each to take its part of it."""

REMOTE_ONLY = ("DataflowRunner",)
"""Runners whose workers never share a disk with the launcher."""

_REASON = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception)\b: .+")


def check_paths(options: PipelineOptions, paths: list[str]) -> None:
    """Refuses paths that this runner's workers cannot see.

    Raises:
      ValueError: one is on this machine.
    """
    name = options.view_as(StandardOptions).runner
    local = [path for path in paths if "://" not in path]
    if name in REMOTE_ONLY and local:
        raise ValueError(
            f"{local[0]} is on this machine, where the workers of {name} cannot see "
            "it; name a path such as gs://BUCKET/FOLDER"
        )


def readers(options: PipelineOptions, files: int) -> int:
    """Says how many workers are to share the reading of each file, if files are few.

    Four tasks for each worker that the flags promise, so that none waits long for the
    last; a file is not passed over by more than `MOST_READERS` though.
    """
    given = options.get_all_options(retain_unknown_options=True)
    flags = ("parallelism", "max_num_workers", "num_workers")
    workers = max(int(given.get(flag) or 1) for flag in flags)
    if workers < 2:
        return 1
    return min(MOST_READERS, -(-4 * workers // files))


def run(build: Callable[[beam.Pipeline], None], options: PipelineOptions) -> None:
    """Runs a job to its end; says each minute that it is still at it.

    Only the main thread can: Beam's job servers want to hear of Ctrl-C.

    Args:
      build: lays out the job's steps.
      options: Beam's.

    Raises:
      ValueError: the job failed; the message is one line.
      KeyboardInterrupt: Ctrl-C or SIGTERM; the engine was told to end the job.
    """
    try:
        with (
            local_runner.as_interrupt(signal.SIGTERM),
            local_runner.as_interrupt(signal.SIGINT),  # by it Beam ends its job server
            _runner(options) as runner,
            _silence(),
        ):
            pipeline = beam.Pipeline(runner=runner, options=options)
            build(pipeline)
            result = pipeline.run()
            with _interruptible(result), _told_of(result):
                state = result.wait_until_finish()
    except Exception as error:
        raise ValueError(f"the job failed: {reason(str(error))}") from None
    if state != PipelineState.DONE:
        raise ValueError(f"the job ended as {state}")


def reason(text: str) -> str:
    """Finds what went wrong in what an engine says: stack traces of two languages.

    A worker's own error, the last line of a Python traceback, comes before all that
    was wrapped around it.
    """
    text = re.sub(r"^Pipeline \S+ failed in state \w+: ", "", text)
    python = text.partition("Traceback (most recent call last)")[2].splitlines()
    found = [line for line in python if _REASON.match(line)]
    line = (found or text.strip().splitlines() or ["no reason was given"])[0]
    return re.sub(r" \[while running '.*?'\]$", "", line).removeprefix("RuntimeError: ")


@contextlib.contextmanager
def _runner(options: PipelineOptions) -> Iterator[PipelineRunner]:
    """Makes the runner; the job server that it may start ends with the run."""
    runner = create_runner(options.view_as(StandardOptions).runner)
    if not hasattr(runner, "default_job_server"):
        yield runner
        return
    servers = []
    make = runner.default_job_server

    def remembered(options: PipelineOptions):
        servers.append(make(options))
        return servers[-1]

    runner.default_job_server = remembered
    try:
        yield runner
    finally:
        for server in servers:
            server.stop()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keeps the stack traces of the engine, which Beam logs, from people."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _interruptible(result: PipelineResult) -> Iterator[None]:
    """Ends the job on the engine when its launcher is interrupted."""
    # Beam's own handler would end the job server before it can be told so.
    with local_runner.as_interrupt(signal.SIGINT):
        try:
            yield
        except KeyboardInterrupt:
            with contextlib.suppress(Exception):  # the engine may be gone already
                result.cancel()
            raise


@contextlib.contextmanager
def _told_of(result: PipelineResult) -> Iterator[None]:
    """Has a thread print a line each minute; what was done the engine's page shows."""
    started = time.monotonic()
    over = threading.Event()

    def tell() -> None:
        while not over.wait(LINE_SECONDS):
            with contextlib.suppress(Exception):  # a state that cannot be had now
                lasted = tqdm.format_interval(time.monotonic() - started)
                print(f"{result.state.lower()} {lasted}", file=sys.stderr, flush=True)

    threading.Thread(target=tell, name="told", daemon=True).start()
    try:
        yield
    finally:
        over.set()
