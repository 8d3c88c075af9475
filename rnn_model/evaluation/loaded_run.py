"""A trained run, loaded for evaluation: its best model and its training history."""

import dataclasses
import statistics
from collections.abc import Sequence
from typing import Any

from rnn_model.config import BFLOAT16_MODELS
from rnn_model.evaluation import evaluator
from rnn_model.evaluation.evaluator import LogitsFn
from rnn_model.workdir import Workdir
from tfrecords.dataset_info import DatasetInfo


@dataclasses.dataclass(frozen=True)
class LoadedRun:
    """A run with its best model.

    Attributes:
      name: name of the workdir; its whole path if two runs have the same name.
      workdir: path of the workdir.
      model_name: the architecture, such as `rnn`.
      num_parameters: number of weights of the model.
      history: one dict per epoch.
      logits_fn: computes logits from the inputs of the data set's kind.
    """

    name: str
    workdir: str
    model_name: str
    num_parameters: int
    history: list[dict[str, Any]]
    logits_fn: LogitsFn

    @property
    def train_seconds(self) -> float:
        """Duration of the training."""
        return sum(row["seconds"] for row in self.history)

    @property
    def train_drawings_per_second(self) -> float:
        """Training speed, the median of the epochs; NaN without a history."""
        speeds = [row["drawings_per_second"] for row in self.history]
        return statistics.median(speeds) if speeds else float("nan")


def load_runs(
    workdirs: Sequence[str],
    info: DatasetInfo,
    data_dir: str,
    precision: str = "float32",
) -> list[LoadedRun]:
    """Loads runs.

    Args:
      workdirs: paths of the runs.
      info: description of the data set.
      data_dir: folder of the data set, for messages.
      precision: to compute with; models that do not support it compute in float32.

    Raises:
      ValueError: a workdir is empty, holds no run or no checkpoint, is listed twice,
        was trained on other classes, or its model does not take the data set's kind of
        drawing.
    """
    paths = [path.rstrip("/") for path in workdirs]
    for path in paths:
        if not path:
            raise ValueError(f"A workdir is empty. Received: {','.join(workdirs)}")
        if paths.count(path) > 1:
            raise ValueError(f"The run {path} is listed twice.")
    last_parts = [path.rpartition("/")[2] for path in paths]
    names = [
        part if last_parts.count(part) == 1 else path
        for part, path in zip(last_parts, paths)
    ]
    return [
        _load_run(name, path, info, data_dir, precision)
        for name, path in zip(names, paths)
    ]


def _load_run(
    name: str, path: str, info: DatasetInfo, data_dir: str, precision: str
) -> LoadedRun:
    workdir = Workdir(path)
    config = workdir.read_config()
    if workdir.read_classes() != info.classes:
        raise ValueError(
            f"{path} was trained on other classes than those of {data_dir}: "
            + _describe_difference(set(workdir.read_classes()), set(info.classes))
        )
    if config.model not in BFLOAT16_MODELS:
        precision = "float32"
    model = workdir.load_best(precision=precision)
    return LoadedRun(
        name=name,
        workdir=path,
        model_name=config.model,
        num_parameters=model.count_params(),
        history=workdir.read_history(),
        logits_fn=evaluator.make_logits_fn(model, info.kind),
    )


def _describe_difference(run: set[str], data: set[str], limit: int = 5) -> str:
    words = sorted(run ^ data)
    if not words:
        return "the order differs"
    ellipsis = ", …" if len(words) > limit else ""
    return f"only one of the two has {', '.join(words[:limit])}{ellipsis}"
