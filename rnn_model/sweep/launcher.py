"""Runs the trials of a sweep, several at a time, until all have ended."""

import sys
from multiprocessing import connection

from tqdm import tqdm

from rnn_model.sweep import space, trial
from rnn_model.sweep.results import TrialResult
from rnn_model.sweep.store import ClaimedTrial, TrialStore
from rnn_model.sweep.trial import Outcome, TrialProcess
from rnn_model.training.graceful_stop import GracefulStop

POLL_SECONDS = 0.5
"""Interval for noticing signals and trials that another launcher has abandoned."""


class Launcher:
    """Runs trials in processes and shows a progress bar.

    The bar counts ended trials and the epochs of running ones.

    Args:
      store: the trials of the sweep.
      data_dir: the data set.
      num_drawings: number of training drawings.
    """

    def __init__(self, store: TrialStore, data_dir: str, num_drawings: int):
        self._store, self._data_dir = store, data_dir
        self._num_drawings = num_drawings
        self._running: list[tuple[ClaimedTrial, TrialProcess]] = []
        self._progress: dict[int, float] = {}  # share of the epochs, by trial number
        self._broken = ""

    def run(self, workers: int) -> None:
        """Runs trials until all have ended, including those of other launchers.

        Args:
          workers: number of trials that run at the same time.

        Raises:
          OSError: no trial can be trained, for example because the disk is full.
          KeyboardInterrupt: SIGTERM or Ctrl-C; the trials have saved checkpoints.
        """
        trial.start_fork_server()  # before the store is locked for the first trial
        with GracefulStop() as stop, self._make_bar() as self._bar:
            while not (stop.requested or self._broken):
                self._start_trials(workers)
                if not self._running and not self._store.num_unfinished():
                    break
                self._receive_messages()
                self._update_bar()
            for _, process in self._running:
                process.stop()
            while self._running:
                self._receive_messages()
        if self._broken:
            raise OSError(self._broken)
        if self._store.num_unfinished():
            raise KeyboardInterrupt(
                f"stopped after {self._num_finished()} of {self._store.num_trials()} "
                "trials; run the same command again to resume"
            )

    def _start_trials(self, workers: int) -> None:
        """Starts trials until all workers are busy or no trial is available."""
        while len(self._running) < workers:
            with self._store.claim_next(self._progress.keys()) as claimed:
                if claimed is None:
                    return
                folder = self._store.folder(claimed.number)
                process = TrialProcess(claimed.config, self._data_dir, folder)
            if claimed.is_resumed:
                self._bar.write(f"trial {claimed.number} resumes")
            self._running.append((claimed, process))
            self._progress[claimed.number] = 0.0

    def _receive_messages(self) -> None:
        """Handles messages of the trials that arrive within `POLL_SECONDS`."""
        connections = [process.connection for _, process in self._running]
        ready = connection.wait(connections, POLL_SECONDS)
        for claimed, process in list(self._running):
            if process.connection not in ready:
                continue
            message = process.receive()
            if isinstance(message, Outcome):
                self._finish(claimed, process, message)
            else:
                process.send_decision(self._store.report(claimed, message))
                epochs = claimed.config.resolve_epochs(self._num_drawings).epochs
                self._progress[claimed.number] = len(message) / epochs

    def _finish(
        self, claimed: ClaimedTrial, process: TrialProcess, outcome: Outcome
    ) -> None:
        self._store.finish(claimed, outcome)
        process.join()
        self._running.remove((claimed, process))
        del self._progress[claimed.number]
        if outcome.state == "broken":
            self._broken = f"trial {claimed.number}: {outcome.reason}"
        elif outcome.state != "stopped":
            self._bar.write(_describe_result(self._store.result(claimed.number)))

    def _num_finished(self) -> int:
        return self._store.num_trials() - self._store.num_unfinished()

    def _make_bar(self) -> tqdm:
        return tqdm(
            total=self._store.num_trials(),
            initial=self._num_finished(),
            bar_format="{desc} {percentage:3.0f}% |{bar}| {elapsed}, left {remaining}",
            smoothing=0,  # trials are few and differ in duration
            mininterval=0.2 if sys.stderr.isatty() else 60.0,
            dynamic_ncols=True,
        )

    def _update_bar(self) -> None:
        finished = self._num_finished()
        description = f"{finished} of {self._store.num_trials()} trials"
        if self._running:
            running = ", ".join(map(str, sorted(self._progress)))
            description += f" ended, running: {running}"
        elif self._store.num_unfinished():
            description += " ended, waiting for other launchers"
        self._bar.set_description_str(description, refresh=False)
        self._bar.update(finished + sum(self._progress.values()) - self._bar.n)


def _describe_result(result: TrialResult) -> str:
    """Formats the result of a trial as one line."""
    state = f"{result.state}: {result.reason}" if result.reason else result.state
    if result.history:
        epoch = result.best_epoch["epoch"]
        state += f"  top-1 {result.top1:.4f} in epoch {epoch}"
    return f"trial {result.number}  {space.describe(result.params)}  {state}"
