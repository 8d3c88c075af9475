"""SIGTERM and Ctrl-C as a wish to stop, heard between two steps."""

import signal
import threading
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Watch:
    """Within it, the first signal sets `stopped`; a second one acts as ever."""

    def __init__(self) -> None:
        self.stopped = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Watch":
        # Python lets no other thread handle signals.
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *error: object) -> None:
        while self._before:
            signal.signal(*self._before.popitem())

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True
        self.__exit__()
