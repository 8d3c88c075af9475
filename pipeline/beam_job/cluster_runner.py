"""Beam on another engine: Flink, Spark, Dataflow or any other that Beam supports.

The launcher submits the job and waits. It shares only storage with the workers: the
input and the output folder. The engine retries steps that failed. The files of failed
attempts lie in the job's working folder, under other names, until it is removed.
"""

import contextlib
import logging
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    JobServerOptions,
    PipelineOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)
from apache_beam.runners import create_runner
from apache_beam.runners.runner import PipelineResult, PipelineRunner, PipelineState
from apache_beam.utils.subprocess_server import SubprocessServer
from tqdm import tqdm

from pipeline.beam_job import local_runner
from pipeline.beam_job.errors import make_job_error
from tfrecords import storage

LOG_INTERVAL = 60
"""Seconds between two lines with the state of the job."""

MAX_PASSES = 16
"""Maximum number of workers that each pass over all of the same file."""

REMOTE_RUNNERS = ("DataflowRunner",)
"""Runners whose workers never share a disk with the launcher."""


SPARK_JVM_PROPERTY = "--add-opens=java.base/sun.security.action=ALL-UNNAMED"
"""Without it Spark on Java 17 waits forever when a task fails."""

_MACHINE_CORES = re.compile(r"-(\d+)$")  # as in n1-standard-2


def check_options(options: PipelineOptions, paths: list[str]) -> None:
    """Checks that the workers of this runner can read the paths and have the code.

    Raises:
      ValueError: they cannot, or do not.
    """
    name = options.view_as(StandardOptions).runner
    if name not in REMOTE_RUNNERS:
        return
    local = [path for path in paths if not storage.is_remote(path)]
    if local:
        raise ValueError(
            f"{local[0]} is on this machine, where the workers of {name} cannot read "
            "it; name a path such as gs://BUCKET/FOLDER"
        )
    setup = options.view_as(SetupOptions)
    image = options.view_as(WorkerOptions).sdk_container_image
    if not (setup.setup_file or setup.extra_packages or image):
        raise ValueError(
            f"the workers of {name} need this package: add --setup_file=./setup.py "
            "(in a checkout), --extra_package=SDIST or --sdk_container_image=IMAGE"
        )


def count_readers(options: PipelineOptions, num_files: int) -> int:
    """Returns how many workers should share the reading of each file.

    Aims at four tasks for each core of the workers that the flags name, so that no
    worker waits long for the last one.
    """
    flags = options.get_all_options(retain_unknown_options=True)
    machines = max(int(flags.get(n) or 1) for n in ("max_num_workers", "num_workers"))
    cores_per_machine = _MACHINE_CORES.search(flags.get("machine_type") or "")
    cores = machines * (int(cores_per_machine.group(1)) if cores_per_machine else 1)
    cores = max(cores, int(flags.get("parallelism") or 1))
    if cores < 2:
        return 1
    return -(-4 * cores // num_files)


def run(build: Callable[[beam.Pipeline], None], options: PipelineOptions) -> None:
    """Runs a job to its end and prints its state each minute.

    Must be called in the main thread, as Beam's job servers handle Ctrl-C.

    Args:
      build: adds the steps of the job to a pipeline.
      options: Beam's options.

    Raises:
      ValueError: the job failed; the message is one line.
      KeyboardInterrupt: Ctrl-C or SIGTERM; the job was canceled on the engine.
    """
    try:
        with (
            local_runner.interrupt_on(signal.SIGTERM),
            local_runner.interrupt_on(signal.SIGINT),  # Beam ends its job server by it
            _make_runner(options) as runner,
            _disable_logging(),
        ):
            pipeline = beam.Pipeline(runner=runner, options=options)
            build(pipeline)
            result = pipeline.run()
            _print_job_page(result, options)
            with _cancel_on_interrupt(result), _print_state(result):
                state = result.wait_until_finish()
    except Exception as error:
        raise make_job_error(str(error)) from None
    if state != PipelineState.DONE:
        raise ValueError(f"the job ended in state {state}")


@contextlib.contextmanager
def _make_runner(options: PipelineOptions) -> Iterator[PipelineRunner]:
    """Makes the runner; stops the job server that it may start, and waits for it."""
    name = options.view_as(StandardOptions).runner
    runner = create_runner(name)
    if name == "SparkRunner":
        properties = options.view_as(JobServerOptions).job_server_jvm_properties
        if SPARK_JVM_PROPERTY not in properties:
            properties.append(SPARK_JVM_PROPERTY)
    if not hasattr(runner, "default_job_server"):
        yield runner
        return
    cache = SubprocessServer._cache
    stop_process = cache._destructor

    def stop_process_and_wait(process_and_endpoint: tuple) -> None:
        stop_process(process_and_endpoint)  # sends signals, but does not wait
        if process := process_and_endpoint[0]:
            process.wait()

    cache._destructor = stop_process_and_wait
    servers = []
    make_server = runner.default_job_server

    def make_and_remember(options: PipelineOptions):
        servers.append(make_server(options))
        return servers[-1]

    runner.default_job_server = make_and_remember
    try:
        yield runner
    finally:
        for server in servers:
            server.stop()
        cache._destructor = stop_process


def _print_job_page(result: Any, options: PipelineOptions) -> None:
    """Prints the id and the web page of a Dataflow job."""
    if options.view_as(StandardOptions).runner == "DataflowRunner":
        cloud = options.view_as(GoogleCloudOptions)
        print(
            f"Dataflow job {result.job_id()}: https://console.cloud.google.com/"
            f"dataflow/jobs/{cloud.region}/{result.job_id()}?project={cloud.project}",
            file=sys.stderr,
            flush=True,
        )


@contextlib.contextmanager
def _disable_logging() -> Iterator[None]:
    """Disables logging, as Beam logs the stack traces of the engine."""
    previous = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(previous)


@contextlib.contextmanager
def _cancel_on_interrupt(result: PipelineResult) -> Iterator[None]:
    """Cancels the job on the engine if the launcher is interrupted."""
    # Beam's own handler would end the job server before it could cancel the job.
    with local_runner.interrupt_on(signal.SIGINT):
        try:
            yield
        except KeyboardInterrupt:
            with contextlib.suppress(Exception):  # the engine may have exited
                result.cancel()
            raise


@contextlib.contextmanager
def _print_state(result: PipelineResult) -> Iterator[None]:
    """Prints the state of the job each minute."""
    started = time.monotonic()
    is_over = threading.Event()

    def print_repeatedly() -> None:
        while not is_over.wait(LOG_INTERVAL):
            with contextlib.suppress(Exception):  # the state may be unavailable
                elapsed = tqdm.format_interval(time.monotonic() - started)
                state = result.state.lower()
                print(f"{state} {elapsed}", file=sys.stderr, flush=True)

    threading.Thread(target=print_repeatedly, name="job-state", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()
