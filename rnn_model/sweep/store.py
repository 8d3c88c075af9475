"""The trials of a sweep and their states, shared by any number of launchers.

    sweep.sqlite       the trials, an Optuna study
    trials/<number>/   workdir of the training run of each trial, with its log.txt

Optuna samples and prunes; this module claims trials. Optuna alone is not enough because
SQLite has no row locks: in five experiments in which four processes called
`Study.ask()` for 40 queued trials (Optuna 5.0), 5 to 8 of the 40 calls returned a trial
that another process had received too. Here, a launcher holds the lock of the sweep's
workdir while it claims a trial and starts its process. The process then holds the lock
of the trial's folder, so a trial whose launcher was killed is noticed at once and
resumes from its checkpoint. Optuna would notice it by a missing heartbeat and start it
again.
"""

import contextlib
import dataclasses
import json
import os
from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from pipeline import cli, file_lock
from rnn_model.config import TrainConfig
from rnn_model.sweep import trial
from rnn_model.sweep.results import TrialResult
from rnn_model.sweep.space import Params, Range, SearchSpace
from rnn_model.workdir import History, Workdir

FILE_NAME = "sweep.sqlite"

_STUDY_NAME = "sweep"
_CONFIG_ATTRIBUTE = "plan"
_REASON_ATTRIBUTE = "reason"

_STATES = {
    "COMPLETE": "completed",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "waiting",
}
"""State of a `TrialResult` by Optuna's name."""


@dataclasses.dataclass(frozen=True)
class SweepConfig:
    """The settings of a sweep.

    Attributes:
      space: the settings to try.
      num_samples: number of trials to sample; 0 tries all combinations.
      pruner: median, halving or none; only used if trials are sampled.
      seed: seed of the sampling.
      classes: classes of the data set.
    """

    space: SearchSpace
    num_samples: int
    pruner: str
    seed: int
    classes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Converts the config to JSON, without `num_samples`, which may grow."""
        config = {"search": bool(self.num_samples), "classes": list(self.classes)}
        if self.num_samples:
            config |= {"pruner": self.pruner, "search_seed": self.seed}
        return config | self.space.to_json()


@dataclasses.dataclass
class ClaimedTrial:
    """A trial that this process has claimed.

    Attributes:
      number: number of the trial.
      params: settings that differ between trials.
      config: all settings.
      is_resumed: whether another process has started it.
      optuna_trial: the trial of the study.
      reported_epochs: epochs whose top-1 the study has.
    """

    number: int
    params: Params
    config: TrainConfig
    is_resumed: bool
    optuna_trial: Any
    reported_epochs: set[int]


class TrialStore:
    """The trials of a sweep.

    Args:
      workdir: local folder of the sweep.
      config: settings of the sweep.

    Raises:
      ValueError: the workdir has a sweep with other settings, or Optuna is not
        installed.
    """

    def __init__(self, workdir: str, config: SweepConfig):
        self._workdir, self._config = workdir, config
        self._optuna = _import_optuna()
        with self._lock():
            if not os.path.exists(self._path(FILE_NAME)):
                self._create_study()
            pruner = config.pruner if config.num_samples else "none"
            self._study = self._optuna.load_study(
                study_name=_STUDY_NAME,
                storage=self._open_storage(FILE_NAME),
                pruner=_make_pruner(self._optuna, pruner),
            )
            self._check_config()

    def num_trials(self) -> int:
        """Returns the total number of trials."""
        return self._config.num_samples or len(self._frozen_trials())

    def num_unfinished(self) -> int:
        """Returns the number of trials that have not ended."""
        ended = self._frozen_trials("COMPLETE", "PRUNED", "FAIL")
        return max(self.num_trials() - len(ended), 0)

    def folder(self, number: int) -> str:
        """Returns the workdir of a trial."""
        return self._path("trials", str(number))

    @contextlib.contextmanager
    def claim_next(self, own_trials: Collection[int]) -> Iterator[ClaimedTrial | None]:
        """Claims the next trial: an abandoned one or a new one.

        Start its process within the context; until then no other launcher can claim a
        trial.

        Args:
          own_trials: numbers of the trials that this launcher is running.

        Yields:
          The trial, or None if none is available.
        """
        with self._lock():
            yield self._claim_next(own_trials)

    def _claim_next(self, own_trials: Collection[int]) -> ClaimedTrial | None:
        for frozen in self._frozen_trials("RUNNING"):
            number = frozen.number
            if number not in own_trials and not trial.is_running(self.folder(number)):
                self._study.sampler = self._make_sampler(number)
                abandoned = self._optuna.trial.Trial(self._study, frozen._trial_id)
                return self._claim(abandoned, set(frozen.intermediate_values), True)
        num_started = len(self._frozen_trials())
        if self._frozen_trials("WAITING") or num_started < self._config.num_samples:
            self._study.sampler = self._make_sampler(num_started)
            return self._claim(self._study.ask(), set(), False)
        return None

    def _claim(
        self, optuna_trial: Any, reported_epochs: set[int], is_resumed: bool
    ) -> ClaimedTrial:
        """Samples the params of a trial; those of a resumed trial are known."""
        space = self._config.space
        params = {
            name: optuna_trial.suggest_categorical(name, values)
            for name, values in space.choices.items()
        }
        for name, span in space.ranges.items():
            params[name] = _sample_range(optuna_trial, name, span)
        return ClaimedTrial(
            optuna_trial.number,
            params,
            space.config(params),
            is_resumed,
            optuna_trial,
            reported_epochs,
        )

    def report(self, claimed: ClaimedTrial, history: History) -> bool:
        """Records the epochs of a trial; returns whether to prune it."""
        for row in history:
            if row["epoch"] not in claimed.reported_epochs:
                claimed.optuna_trial.report(row["validation_top1"], row["epoch"])
                claimed.reported_epochs.add(row["epoch"])
        return bool(history) and claimed.optuna_trial.should_prune()

    def finish(self, claimed: ClaimedTrial, outcome: trial.Outcome) -> None:
        """Records the outcome of a trial; a stopped one can be resumed."""
        with self._lock():
            folder = self.folder(claimed.number)
            if outcome.state == "died" and trial.is_running(folder):
                return  # another launcher has already resumed it
            self._finish(claimed, outcome)

    def _finish(self, claimed: ClaimedTrial, outcome: trial.Outcome) -> None:
        states = self._optuna.trial.TrialState
        if outcome.state == "completed":
            history = Workdir(self.folder(claimed.number)).read_history()
            self.report(claimed, history)
            best_top1 = max(row["validation_top1"] for row in history)
            self._study.tell(claimed.number, best_top1)
        elif outcome.state in ("pruned", "failed", "died"):
            claimed.optuna_trial.set_user_attr(_REASON_ATTRIBUTE, outcome.reason)
            state = states.PRUNED if outcome.state == "pruned" else states.FAIL
            self._study.tell(claimed.number, state=state)

    def results(self) -> list[TrialResult]:
        """Returns all trials, ordered by number."""
        return list(map(self._to_result, self._frozen_trials()))

    def result(self, number: int) -> TrialResult:
        """Returns one trial."""
        return self._to_result(self._frozen_trials()[number])

    def _to_result(self, frozen: Any) -> TrialResult:
        folder = self.folder(frozen.number)
        # A waiting trial has its params in the system attributes.
        params = frozen.params or frozen.system_attrs.get("fixed_params", {})
        names = self._config.space.names
        return TrialResult(
            number=frozen.number,
            params={name: params[name] for name in names if name in params},
            state=_STATES[frozen.state.name],
            reason=frozen.user_attrs.get(_REASON_ATTRIBUTE, ""),
            folder=folder,
            history=Workdir(folder).read_history(),
        )

    def _make_sampler(self, number: int) -> Any:
        # One seed per trial: a resumed sweep must not repeat its first samples.
        sequence = np.random.SeedSequence([self._config.seed, number])
        seed = int(sequence.generate_state(1)[0])
        return self._optuna.samplers.TPESampler(seed=seed)

    def _frozen_trials(self, *states: str) -> list[Any]:
        """Returns the trials in any of some states, or all trials."""
        trial_states = [self._optuna.trial.TrialState[state] for state in states]
        return self._study.get_trials(deepcopy=False, states=trial_states or None)

    def _create_study(self) -> None:
        """Creates the study under a temporary name, so that it is always complete."""
        temporary = f"{FILE_NAME}.tmp"
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._path(temporary))
        storage = self._open_storage(temporary)
        study = self._optuna.create_study(
            study_name=_STUDY_NAME, storage=storage, direction="maximize"
        )
        study.set_user_attr(_CONFIG_ATTRIBUTE, self._config.to_json())
        if not self._config.num_samples:
            for params in self._config.space.combinations():
                study.enqueue_trial(params)
        storage.engine.dispose()
        os.replace(self._path(temporary), self._path(FILE_NAME))

    def _check_config(self) -> None:
        """Raises ValueError if the workdir has a sweep with other settings."""
        new = json.loads(json.dumps(self._config.to_json()))
        old = self._study.user_attrs[_CONFIG_ATTRIBUTE]
        if differences := list(_describe_differences(old, new)):
            raise ValueError(
                f"{self._workdir} has a sweep with other settings "
                f"({'; '.join(differences)}). Use the same settings or another "
                "--workdir."
            )

    def _open_storage(self, name: str) -> Any:
        url = f"sqlite:///{os.path.abspath(self._path(name))}"
        # Seconds to wait while another process writes.
        arguments = {"connect_args": {"timeout": 60}}
        return self._optuna.storages.RDBStorage(url, engine_kwargs=arguments)

    def _path(self, *parts: str) -> str:
        return os.path.join(self._workdir, *parts)

    def _lock(self) -> contextlib.AbstractContextManager[Any]:
        return file_lock.hold_lock(self._workdir, wait=True)


@contextlib.contextmanager
def store_errors() -> Iterator[None]:
    """Converts SQLite's errors to OSError."""
    optuna = _import_optuna()
    sqlalchemy = cli.import_extra("sqlalchemy.exc", "sweep")
    try:
        yield
    except (
        optuna.exceptions.StorageInternalError,
        sqlalchemy.SQLAlchemyError,
    ) as error:
        reason = str(error.__cause__ or error).partition("\n")[0]
        raise OSError(f"{FILE_NAME} cannot be read or written: {reason}")


def _import_optuna() -> ModuleType:
    optuna = cli.import_extra("optuna", "sweep")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _make_pruner(optuna: ModuleType, name: str) -> Any:
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3)
    if name == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(1, reduction_factor=3)
    return optuna.pruners.NopPruner()


def _sample_range(optuna_trial: Any, name: str, span: Range) -> int | float:
    is_int = type(span.low) is int
    suggest = optuna_trial.suggest_int if is_int else optuna_trial.suggest_float
    return suggest(name, span.low, span.high, log=span.log)


def _describe_differences(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Yields the differences between two configs."""
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _describe_differences(before, after)
        elif key == "classes":
            yield "the data set has other classes"
        else:
            yield f"--{key} was {before}, now {after}"
