"""SIGTERM and Ctrl-C as a request to stop after the current step."""

import signal
import threading
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class GracefulStop:
    """Context manager in which the first signal sets `requested`.

    A second signal is handled as if there were no context manager.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous_handlers: dict[int, Any] = {}

    def __enter__(self) -> "GracefulStop":
        # Python handles signals in the main thread only.
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.signal(number, self._request)
                self._previous_handlers[number] = handler
        return self

    def __exit__(self, *error: object) -> None:
        while self._previous_handlers:
            signal.signal(*self._previous_handlers.popitem())

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self.__exit__()
