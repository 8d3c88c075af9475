"""The processes that run the model, and threads that do it for a SavedModel.

A LiteRT worker is a process: the geometry is Python, and threads would take turns.
Processes come from the fork server of `multiprocessing`, which is a program of its own:
it waits for them when they end, and none holds a client's connection. Each has a socket
pair that the event loop reads itself: if one side ends, the other side notices. With
`concurrent.futures`, whose threads pass each job on, the server answers 0.6 times as
many requests per second.

TensorFlow is too large to be loaded per process and releases the interpreter lock; a
SavedModel has threads.
"""

import asyncio
import contextlib
import faulthandler
import multiprocessing
import os
import pickle
import signal
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

from serve_export.api.settings import ServerSettings

if TYPE_CHECKING:  # with numpy and LiteRT, which only workers need
    from serve_export.api.workers.inference import Inference

MAX_JOB_SECONDS = 10.0
"""A job that takes longer is a fault; its worker process ends itself."""

_PRELOADED_MODULES = [
    "serve_export.api.workers.inference",
    "ai_edge_litert.interpreter",
]
_MESSAGE_SIZE = struct.Struct("<I")  # of the pickled message that follows


class LoadedModel(NamedTuple):
    """What the server needs to know of the model that its workers have loaded.

    Attributes:
      path: directory of the loaded version.
      classes: the words, in the order of the model's output.
      accepts_bitmaps: whether it classifies bitmaps too.
    """

    path: str
    classes: tuple[str, ...]
    accepts_bitmaps: bool


class WorkerDiedError(Exception):
    """A worker ended while it ran a job."""


class Worker(Protocol):
    """Runs one job at a time.

    Attributes:
      model: what it has loaded.
    """

    model: LoadedModel

    async def run(self, job: str, body: bytearray, is_small: bool) -> Any:
        """Runs a job of `Inference`.

        Raises:
          WorkerDiedError: the worker ended.
        """

    def is_alive(self) -> bool:
        """Returns whether it can run another job."""

    def close(self) -> None:
        """Ends it."""


class WorkerProcess:
    """A worker in a process; implements `Worker`."""

    def __init__(
        self,
        niceness: int,
        export_dir: str | None,
        runtime: str,
        settings: ServerSettings,
    ):
        """Starts the process and waits until it has loaded the model.

        Raises:
          ValueError: the export cannot be loaded.
          OSError: the process ended.
        """
        context = multiprocessing.get_context("forkserver")
        self._socket, remote = socket.socketpair()
        with remote:
            self._process = context.Process(
                target=_run_worker,
                args=(remote, niceness, export_dir, runtime, settings),
                daemon=True,
            )
            self._process.start()
        with self._socket.makefile("rb") as stream:
            loaded = _read_message(stream)
        if not isinstance(loaded, LoadedModel):
            self.close()
            raise loaded or OSError("a worker process ended while it loaded the model")
        self.model = loaded
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self, job: str, body: bytearray, is_small: bool) -> Any:
        """See `Worker`."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(sock=self._socket)
        reader, writer = self._streams
        try:
            writer.write(_encode_message((job, body, is_small)))
            (size,) = _MESSAGE_SIZE.unpack(await reader.readexactly(_MESSAGE_SIZE.size))
            return pickle.loads(await reader.readexactly(size))
        except (OSError, asyncio.IncompleteReadError):
            raise WorkerDiedError from None

    def is_alive(self) -> bool:
        """See `Worker`."""
        return self._streams is None or not self._streams[0].at_eof()

    def close(self) -> None:
        """See `Worker`; the process ends when its socket is closed."""
        with contextlib.suppress(OSError):  # it is closed
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._process.join(MAX_JOB_SECONDS)


class WorkerThread:
    """A worker in a thread of this process; implements `Worker`."""

    def __init__(self, inference: "Inference", model: LoadedModel):
        """Starts the thread."""
        self.model, self._inference = model, inference
        self._executor = ThreadPoolExecutor(1)

    async def run(self, job: str, body: bytearray, is_small: bool) -> Any:
        """See `Worker`."""
        function = getattr(self._inference, job)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, function, body, is_small)

    def is_alive(self) -> bool:
        """See `Worker`."""
        return True

    def close(self) -> None:
        """See `Worker`."""
        self._executor.shutdown(cancel_futures=True)


def prepare_fork_server() -> None:
    """Configures the program that worker processes are forked from."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED_MODULES)


def load_in_process(
    export_dir: str | None, runtime: str, settings: ServerSettings
) -> tuple["Inference", LoadedModel]:
    """Loads the model in this process."""
    from serve_export.api.workers.inference import Inference
    from serve_export.predictor import Predictor

    predictor = Predictor(export_dir, runtime)
    inference = Inference(predictor, settings)
    inference.warm_up()
    model = LoadedModel(
        predictor.path, tuple(predictor.classes), predictor.accepts_bitmaps
    )
    return inference, model


def _run_worker(
    connection: socket.socket,
    niceness: int,
    export_dir: str | None,
    runtime: str,
    settings: ServerSettings,
) -> None:
    """Runs jobs until the server closes the connection or ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server
    os.nice(niceness)
    stream = connection.makefile("rb")
    try:
        inference, model = load_in_process(export_dir, runtime, settings)
    except (ValueError, OSError) as error:
        connection.sendall(_encode_message(error))
        return
    connection.sendall(_encode_message(model))
    with contextlib.suppress(OSError):
        while (message := _read_message(stream)) is not None:
            job, body, is_small = message
            faulthandler.dump_traceback_later(MAX_JOB_SECONDS, exit=True)
            reply = getattr(inference, job)(body, is_small)
            faulthandler.cancel_dump_traceback_later()
            connection.sendall(_encode_message(reply))


def _encode_message(message: Any) -> bytes:
    data = pickle.dumps(message)
    return _MESSAGE_SIZE.pack(len(data)) + data


def _read_message(stream: BinaryIO) -> Any:
    """Returns the next message, None if the other side has closed the connection."""
    head = stream.read(_MESSAGE_SIZE.size)
    if len(head) < _MESSAGE_SIZE.size:
        return None
    (size,) = _MESSAGE_SIZE.unpack(head)
    return pickle.loads(stream.read(size))
