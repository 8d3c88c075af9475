"""Runs the trials of a sweep, so many at a time, until there are none left."""

import sys
from multiprocessing import connection

from tqdm import tqdm

from rnn_model.sweep import space, trial
from rnn_model.sweep.results import Result
from rnn_model.sweep.store import Claim, Store
from rnn_model.sweep.trial import Outcome, Process
from rnn_model.training import graceful_stop

POLL_SECONDS = 0.5
"""How soon a wish to stop is heard, and that another launcher left a trial."""


class Launcher:
    """The trials that this process has taken, and its bar.

    The bar counts trials, and of one at work the epochs that it has done.

    Args:
      store: where the trials come from.
      data_dir: what they train on.
      drawings: how many training drawings that has.
    """

    def __init__(self, store: Store, data_dir: str, drawings: int):
        self._store, self._data_dir, self._drawings = store, data_dir, drawings
        self._at_work: dict[connection.Connection, tuple[Claim, Process]] = {}
        self._shares: dict[int, float] = {}  # of each trial at work, what is done
        self._broken = ""

    def run(self, workers: int) -> None:
        """Returns once all trials of the sweep have ended, whoever ran them.

        Raises:
          OSError: a trial found that none can go on.
          KeyboardInterrupt: SIGTERM or Ctrl-C; the trials are saved where they are.
        """
        trial.prepare()  # others that want a trial are not to wait for it
        with graceful_stop.GracefulStop() as watch, self._opened_bar() as self._bar:
            while not (watch.requested or self._broken):
                self._begin(workers)
                if not self._at_work and not self._store.left():
                    break
                self._hear()
                self._show()
            for _, process in self._at_work.values():
                process.stop()
            while self._at_work:
                self._hear()
        if self._broken:
            raise OSError(self._broken)
        if self._store.left():
            raise KeyboardInterrupt(
                f"stopped after {self._done()} of {self._store.total()} trials; the "
                "same command goes on from there"
            )

    def _begin(self, workers: int) -> None:
        """Takes trials until so many are at work, or there are none to be taken."""
        while len(self._at_work) < workers:
            with self._store.taking(self._shares.keys()) as claim:
                if claim is None:
                    return
                folder = self._store.folder(claim.number)
                process = Process(claim.config, self._data_dir, folder)
            if claim.goes_on:
                self._bar.write(f"trial {claim.number} goes on")
            self._at_work[process.connection] = claim, process
            self._shares[claim.number] = 0.0

    def _hear(self) -> None:
        """Hears all that have something to say, for a moment."""
        for ready in connection.wait(list(self._at_work), POLL_SECONDS):
            claim, process = self._at_work[ready]
            said = process.hear()
            if isinstance(said, Outcome):
                self._end(claim, process, said)
            else:
                process.answer(self._store.hear(claim, said))
                epochs = claim.config.for_drawings(self._drawings).epochs
                self._shares[claim.number] = len(said) / epochs
        if not self._at_work:
            connection.wait([], POLL_SECONDS)

    def _end(self, claim: Claim, process: Process, outcome: Outcome) -> None:
        self._store.close(claim, outcome)
        process.let_go()
        del self._at_work[process.connection], self._shares[claim.number]
        if outcome.state == "broken":
            self._broken = f"trial {claim.number}: {outcome.reason}"
        elif outcome.state != "stopped":
            self._bar.write(_line(self._store.result(claim.number)))

    def _done(self) -> int:
        return self._store.total() - self._store.left()

    def _opened_bar(self) -> tqdm:
        return tqdm(
            total=self._store.total(),
            initial=self._done(),
            bar_format="{desc} {percentage:3.0f}% |{bar}| {elapsed}, left {remaining}",
            smoothing=0,  # trials are few and of many lengths
            mininterval=0.2 if sys.stderr.isatty() else 60.0,
            dynamic_ncols=True,
        )

    def _show(self) -> None:
        done = self._done()
        what = f"{done} of {self._store.total()} trials"
        if self._at_work:
            what += f" done, at work {', '.join(map(str, sorted(self._shares)))}"
        elif self._store.left():
            what += " done, waiting for another launcher's"
        self._bar.set_description_str(what, refresh=False)
        self._bar.update(done + sum(self._shares.values()) - self._bar.n)


def _line(result: Result) -> str:
    """What came of a trial, in a line."""
    what = result.state
    if result.reason:
        what += f": {result.reason}"
    if result.best:
        what += f"  top-1 {result.top1:.4f} in epoch {result.best['epoch']}"
    return f"trial {result.number}  {space.describe(result.params)}  {what}"
