"""The store of a sweep: which trials there are, whose turn it is, what came of them.

It is a study of Optuna in an SQLite file in the sweep's workdir, which any number of
launchers share. SQLite locks no row, so that two of them could take the same trial:
whoever takes one holds the lock of the workdir until its process holds that of its
folder.

    sweep.sqlite     the study
    trials/<number>/ the run of each trial, as `train.py` leaves it, and its log.txt
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
from rnn_model.sweep.results import Result
from rnn_model.sweep.space import Params, Range, Space
from rnn_model.training.loop import History
from rnn_model.workdir import Workdir

NAME = "sweep.sqlite"

PRUNERS = ("median", "halving", "none")

_PLAN = "plan"
_REASON = "reason"

_STATES = {
    "COMPLETE": "completed",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "waiting",
}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What decides a sweep.

    Attributes:
      space: the settings to try.
      search: how many trials are sampled from it; 0 tries its whole product.
      pruner: one of `PRUNERS`; a product is tried without.
      seed: decides what is sampled.
      classes: the data set's.
    """

    space: Space
    search: int
    pruner: str
    seed: int
    classes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """All but the number of trials, as a search may go on longer."""
        plan = {"search": bool(self.search), "classes": list(self.classes)}
        if self.search:
            plan |= {"pruner": self.pruner, "search_seed": self.seed}
        return plan | self.space.to_json()


@dataclasses.dataclass
class Claim:
    """A trial that this process has taken.

    Attributes:
      number: its place among the trials.
      params: what it has for itself.
      config: its settings.
      goes_on: whether another process began it.
    """

    number: int
    params: Params
    config: TrainConfig
    goes_on: bool
    _trial: Any
    _told: set[int]


class Store:
    """The trials of a sweep.

    Raises:
      ValueError: the workdir holds a sweep of other settings, or Optuna is not
        installed.
    """

    def __init__(self, workdir: str, plan: Plan):
        self._workdir, self._plan = workdir, plan
        self._optuna = _import_optuna()
        with self._locked():
            if not os.path.exists(self._path(NAME)):
                self._create()
            self._study = self._optuna.load_study(
                study_name="sweep",
                storage=self._storage(NAME),
                pruner=_pruner(self._optuna, plan.pruner if plan.search else "none"),
            )
            self._compare()

    def total(self) -> int:
        """How many trials the sweep has in all."""
        return self._plan.search or len(self._study.get_trials(deepcopy=False))

    def folder(self, number: int) -> str:
        return self._path("trials", str(number))

    @contextlib.contextmanager
    def taking(self, mine: Collection[int]) -> Iterator[Claim | None]:
        """Takes the next trial: one that a killed launcher left, else a new one.

        Until it is left nobody else takes one: it is to be begun within.

        Args:
          mine: the trials that this launcher has.

        Yields:
          The trial, None if there is none to be taken, now.
        """
        with self._locked():
            yield self._next(mine)

    def _next(self, mine: Collection[int]) -> Claim | None:
        for frozen in self._trials("RUNNING"):
            number = frozen.number
            if number not in mine and not trial.is_at_work(self.folder(number)):
                self._study.sampler = self._sampler(number)
                left = self._optuna.trial.Trial(self._study, frozen._trial_id)
                return self._claim(left, set(frozen.intermediate_values), True)
        begun = len(self._study.get_trials(deepcopy=False))
        if self._trials("WAITING") or begun < self._plan.search:
            self._study.sampler = self._sampler(begun)
            return self._claim(self._study.ask(), set(), False)
        return None

    def left(self) -> int:
        """How many trials have not ended yet."""
        return max(self.total() - len(self._trials("COMPLETE", "PRUNED", "FAIL")), 0)

    def hear(self, claim: Claim, history: History) -> bool:
        """Takes down a trial's epochs; says whether it is to be pruned."""
        for row in history:
            if row["epoch"] not in claim._told:
                claim._trial.report(row["validation_top1"], row["epoch"])
                claim._told.add(row["epoch"])
        return bool(history) and claim._trial.should_prune()

    def close(self, claim: Claim, outcome: trial.Outcome) -> None:
        """Takes down how a trial ended; one that was stopped may go on."""
        with self._locked():
            # If its process died, another launcher may have taken it already.
            if outcome.state != "died" or not trial.is_at_work(
                self.folder(claim.number)
            ):
                self._close(claim, outcome)

    def _close(self, claim: Claim, outcome: trial.Outcome) -> None:
        states = self._optuna.trial.TrialState
        history = Workdir(self.folder(claim.number)).history()
        if outcome.state == "completed":
            self.hear(claim, history)
            best = max(row["validation_top1"] for row in history)
            self._study.tell(claim.number, best)
        elif outcome.state in ("pruned", "failed", "died"):
            claim._trial.set_user_attr(_REASON, outcome.reason)
            state = states.PRUNED if outcome.state == "pruned" else states.FAIL
            self._study.tell(claim.number, state=state)

    def results(self) -> list[Result]:
        """All trials, in the order of their numbers."""
        return list(map(self._result, self._study.get_trials(deepcopy=False)))

    def result(self, number: int) -> Result:
        return self._result(self._study.get_trials(deepcopy=False)[number])

    def _result(self, frozen: Any) -> Result:
        folder = self.folder(frozen.number)
        return Result(
            number=frozen.number,
            params=self._params(frozen),
            state=_STATES[frozen.state.name],
            reason=frozen.user_attrs.get(_REASON, ""),
            folder=folder,
            history=Workdir(folder).history(),
        )

    def _params(self, frozen: Any) -> Params:
        waiting = frozen.system_attrs.get("fixed_params", {})
        params = frozen.params or waiting
        return {name: params[name] for name in self._plan.space.names if name in params}

    def _claim(self, asked: Any, told: set[int], goes_on: bool) -> Claim:
        """Has Optuna say what the trial tries, which it may know already."""
        space = self._plan.space
        params = {
            name: asked.suggest_categorical(name, values)
            for name, values in space.choices.items()
        }
        for name, span in space.ranges.items():
            params[name] = _sample(asked, name, span)
        config = space.config(params)
        return Claim(asked.number, params, config, goes_on, asked, told)

    def _sampler(self, number: int) -> Any:
        # Seeded by trial: a sweep that goes on does not sample its first trials again.
        state = np.random.SeedSequence([self._plan.seed, number]).generate_state(1)
        return self._optuna.samplers.TPESampler(seed=int(state[0]))

    def _trials(self, *states: str) -> list[Any]:
        wanted = tuple(self._optuna.trial.TrialState[state] for state in states)
        return self._study.get_trials(deepcopy=False, states=wanted)

    def _create(self) -> None:
        """Makes the study under another name first: one in place is a whole one."""
        temporary = f"{NAME}.tmp"
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._path(temporary))
        storage = self._storage(temporary)
        study = self._optuna.create_study(
            study_name="sweep", storage=storage, direction="maximize"
        )
        study.set_user_attr(_PLAN, self._plan.to_json())
        if not self._plan.search:
            for params in self._plan.space.product():
                study.enqueue_trial(params)
        storage.engine.dispose()
        os.replace(self._path(temporary), self._path(NAME))

    def _compare(self) -> None:
        """Refuses the workdir of another sweep."""
        mine = json.loads(json.dumps(self._plan.to_json()))
        theirs = self._study.user_attrs[_PLAN]
        if differences := list(_differences(theirs, mine)):
            raise ValueError(
                f"{self._workdir} holds a sweep of other settings "
                f"({'; '.join(differences)}); go on with the same, or take a new "
                "--workdir"
            )

    def _storage(self, name: str) -> Any:
        url = f"sqlite:///{os.path.abspath(self._path(name))}"
        arguments = {"connect_args": {"timeout": 60}}  # seconds, for another's write
        return self._optuna.storages.RDBStorage(url, engine_kwargs=arguments)

    def _path(self, *parts: str) -> str:
        return os.path.join(self._workdir, *parts)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with file_lock.hold_lock(self._workdir, wait=True):
            yield


@contextlib.contextmanager
def store_errors() -> Iterator[None]:
    """Makes an OSError, which a command tells in a line, of SQLite's own."""
    optuna = _import_optuna()
    sqlalchemy = cli.import_extra("sqlalchemy.exc", "sweep")
    try:
        yield
    except (
        optuna.exceptions.StorageInternalError,
        sqlalchemy.SQLAlchemyError,
    ) as error:
        reason = str(error.__cause__ or error).partition("\n")[0]
        raise OSError(f"{NAME} cannot be read or written: {reason}")


def _import_optuna() -> ModuleType:
    optuna = cli.import_extra("optuna", "sweep")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _pruner(optuna: ModuleType, name: str) -> Any:
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3)
    if name == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(1, reduction_factor=3)
    return optuna.pruners.NopPruner()


def _sample(asked: Any, name: str, span: Range) -> int | float:
    suggest = asked.suggest_int if type(span.low) is int else asked.suggest_float
    return suggest(name, span.low, span.high, log=span.log)


def _differences(theirs: dict[str, Any], mine: dict[str, Any]) -> Iterator[str]:
    """Names what differs between two plans."""
    for key in theirs.keys() | mine.keys():
        was, now = theirs.get(key), mine.get(key)
        if was == now:
            continue
        if isinstance(was, dict) and isinstance(now, dict):
            yield from _differences(was, now)
        elif key == "classes":
            yield "the data set has other classes"
        else:
            yield f"--{key} was {was}, now {now}"
