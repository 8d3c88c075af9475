"""A run that is evaluated: its best model, and what its training took."""

import statistics
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pipeline import strokes
from rnn_model.evaluation import evaluator
from rnn_model.evaluation.evaluator import LogitsFunction
from rnn_model.workdir import Workdir
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo


class Contender(NamedTuple):
    """A run.

    Attributes:
      name: of its folder; the whole path where two are named alike.
      workdir: its folder.
      model: what kind of model it is.
      parameters: numbers that the model holds.
      history: a dict per epoch.
      logits_of: its answers, from the inputs of the data set's kind.
    """

    name: str
    workdir: str
    model: str
    parameters: int
    history: list[dict[str, Any]]
    logits_of: LogitsFunction

    @property
    def train_seconds(self) -> float:
        return sum(row["seconds"] for row in self.history)

    @property
    def drawings_per_second(self) -> float:
        """Of training, the median of the epochs; nan without any."""
        speeds = [row["drawings_per_second"] for row in self.history]
        return statistics.median(speeds) if speeds else float("nan")


def load(paths: Sequence[str], info: DatasetInfo, data_dir: str) -> list[Contender]:
    """Loads runs.

    Raises:
      ValueError: no run, no checkpoint, other classes than the data set's, a model that
        does not read its kind of drawing, or a run that is given twice.
    """
    paths = [path.rstrip("/") for path in paths]
    for path in paths:
        if paths.count(path) > 1:
            raise ValueError(f"{path} is given twice: a run is compared with others")
    last = [path.rpartition("/")[2] for path in paths]
    names = [name if last.count(name) == 1 else path for name, path in zip(last, paths)]
    return [_load(*pair, info, data_dir) for pair in zip(names, paths)]


def _load(name: str, path: str, info: DatasetInfo, data_dir: str) -> Contender:
    workdir = Workdir(path)
    config = workdir.config()
    if workdir.classes() != info.classes:
        raise ValueError(
            f"{path} was trained on other classes than {data_dir} has: "
            + _difference(set(workdir.classes()), set(info.classes))
        )
    model = workdir.load_best()
    return Contender(
        name=name,
        workdir=path,
        model=config.model,
        parameters=int(sum(weight.shape.num_elements() for weight in model.weights)),
        history=workdir.history(),
        logits_of=evaluator.logits_function(model, info.kind),
    )


def latency(run: Contender, drawings: Sequence[np.ndarray], kind: str) -> float:
    """Median milliseconds that a model takes for a drawing alone."""
    taken = []
    for drawing in drawings:
        ink = kind == schema.INK
        inputs = strokes.pad_ink([drawing]) if ink else (drawing[None],)
        began = time.perf_counter()
        np.asarray(run.logits_of(*inputs))
        taken.append(time.perf_counter() - began)
    return 1e3 * statistics.median(taken)


def _difference(some: set[str], others: set[str], limit: int = 5) -> str:
    words = sorted(some ^ others)
    if not words:
        return "the same in another order"
    more = ", …" if len(words) > limit else ""
    return f"{', '.join(words[:limit])}{more} only in one of them"
