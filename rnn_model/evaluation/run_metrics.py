"""All that is kept of one run's answers while the drawings stream by."""

from typing import NamedTuple

import numpy as np

from rnn_model.evaluation import bootstrap, example_gallery, metrics, subgroups
from rnn_model.evaluation.confusion_matrix import Confusion
from rnn_model.evaluation.example_gallery import Gallery, Shown
from rnn_model.evaluation.metrics import Judged, MetricSums
from rnn_model.evaluation.subgroups import Breakdowns, Grouping
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo

SHOWN = 24
"""Drawings in a gallery."""


def per_class(num_classes: int) -> int:
    """How many of a class a gallery needs at most, to fill it."""
    return -(-SHOWN // num_classes)


class Answered(NamedTuple):
    """A batch, what the runs say to it, and what comes of that.

    Attributes:
      batch: see `input_pipeline.evaluation_batches`, as numpy.
      hashed: `<uint64>[n]`, of the keys.
      groups: see `breakdowns.Grouping`.
      logits: `<float32>[n, classes]` of each run.
      judged: of each run.
    """

    batch: dict[str, np.ndarray]
    hashed: np.ndarray
    groups: dict[str, np.ndarray]
    logits: list[np.ndarray]
    judged: list[Judged]

    def shown(self, kind: str, place: int, score: float, *runs: int) -> Shown:
        """A drawing with the answers of some of the runs."""
        return Shown(
            score,
            self.batch[schema.KEY_ID][place].decode(errors="replace"),
            int(self.batch[schema.CLASS_INDEX][place]),
            example_gallery.drawing_of(self.batch, kind, place),
            tuple(example_gallery.answer(self.logits[run][place]) for run in runs),
        )


class Scorecard:
    """What one run is worth.

    Attributes:
      all, recognized: metrics of all drawings, and of those that the game recognised.
      breakdowns: means of parts of the drawings.
      confusion: which class was taken for which.
      right, wrong: drawings of the highest confidence.
      doubtful: drawings of the lowest.
    """

    def __init__(self, info: DatasetInfo, grouping: Grouping, place: int):
        classes = len(info.classes)
        self._kind, self._place = info.kind, place
        self.all = MetricSums(classes, bootstrap.COLUMNS)
        self.recognized = MetricSums(classes, bootstrap.COLUMNS)
        self.breakdowns = Breakdowns(grouping)
        self.confusion = Confusion(classes)
        self.right, self.wrong, self.doubtful = (
            Gallery(classes, per_class(classes)) for _ in range(3)
        )

    def look(self, answered: Answered) -> None:
        """Keeps drawings for the galleries."""
        judged = answered.judged[self._place]

        def show(place: int, score: float) -> Shown:
            return answered.shown(self._kind, place, score, self._place)

        sure, right = judged.confidence, judged.right
        for kept, scores in (
            (self.right, np.where(right, sure, -np.inf)),
            (self.wrong, np.where(right, -np.inf, sure)),
            (self.doubtful, -sure),
        ):
            kept.offer(scores, judged.label, show)

    def add(
        self, judged: Judged, groups: dict[str, np.ndarray], weights: np.ndarray
    ) -> None:
        """Adds drawings: the same weights `<float>[n, COLUMNS]` for every run."""
        self.all.add(judged, weights)
        self.breakdowns.add(groups, metrics.values_of(judged), weights)
        self.confusion.add(judged.label, judged.guess)
        known = groups[subgroups.RECOGNIZED] == 1
        some = Judged(*(column[known] for column in judged))
        self.recognized.add(some, weights[known])
