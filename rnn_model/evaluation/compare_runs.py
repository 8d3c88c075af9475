"""Runs side by side: one pass over a split, the same drawings for each of them.

What is kept grows with the classes, the countries and the runs, not with the drawings.
"""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pipeline import cli
from rnn_model import input_pipeline, models
from rnn_model.evaluation import bootstrap, loaded_run, mcnemar, metrics
from rnn_model.evaluation import partial_drawings as partial
from rnn_model.evaluation.evaluator import BATCH_SIZE
from rnn_model.evaluation.example_gallery import Shown
from rnn_model.evaluation.hash_sample import HashSample
from rnn_model.evaluation.loaded_run import Contender
from rnn_model.evaluation.mcnemar import Pair
from rnn_model.evaluation.metrics import Judged, MetricSums
from rnn_model.evaluation.run_metrics import Answered, Scorecard, per_class
from rnn_model.evaluation.subgroups import Grouping
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

Batch = dict[str, tf.Tensor]

CHUNK = 1024
"""Drawings that are added up at once."""

AHEAD = 4
"""Batches that the runs may be ahead of the sums, which come by chunks."""

TIMED = 100
"""Drawings that are answered one by one, for the time it takes."""


class Found(NamedTuple):
    """What came of it.

    Attributes:
      data_dir, info, split: on which drawings.
      contenders: the runs; `scorecards` and `milliseconds` follow their order.
      pairs: by the places of the two runs.
      sampled: how many drawings were cut short.
      partial: see `partial.evaluate`; empty where there is no ink, or no sample.
      milliseconds: for a drawing alone.
    """

    data_dir: str
    info: DatasetInfo
    split: str
    contenders: list[Contender]
    scorecards: list[Scorecard]
    pairs: dict[tuple[int, int], Pair]
    sampled: int
    partial: dict[float, list[MetricSums]]
    milliseconds: list[float]

    @property
    def unseen(self) -> list[str]:
        """Classes of which the split has no drawing."""
        drawings = self.scorecards[0].all.per_class()[:, 0, 0]
        return [word for word, count in zip(self.info.classes, drawings) if not count]


def evaluate_runs(
    workdirs: Sequence[str],
    data_dir: str,
    split: str,
    partial_drawings: int = 5000,
    seed: int = 0,
) -> Found:
    """Evaluates runs on the same drawings.

    Args:
      workdirs: the runs.
      data_dir: a data set with the runs' classes.
      split: on which part of it.
      partial_drawings: so many are evaluated in progress too.
      seed: of the bootstrap and of which drawings those are.

    Raises:
      ValueError: no run, no checkpoint, other classes, no such split, no drawing in it,
        or drawings of a kind that a run's model does not read.
    """
    info = load_dataset_info(data_dir)
    if not info.split(split).examples:
        raise ValueError(f"{data_dir}: the split {split} has no drawing")
    contenders = loaded_run.load(workdirs, info, data_dir)
    survey = Pass(info, contenders, max(partial_drawings, TIMED), seed)
    batches = input_pipeline.evaluation_batches(info, data_dir, split, BATCH_SIZE)
    with cli.progress(info.split(split).examples, "evaluate") as bar:
        for taken in survey.over(batches):
            bar.update(taken)
    drawings = survey.sample.drawings
    timed = [drawing for _, _, drawing in drawings[:TIMED]]
    ink = drawings[:partial_drawings] if info.kind == schema.INK else []
    return Found(
        data_dir=data_dir,
        info=info,
        split=split,
        contenders=contenders,
        scorecards=survey.scorecards,
        pairs=survey.pairs,
        sampled=len(ink),
        partial=_in_progress(contenders, len(info.classes), ink) if ink else {},
        milliseconds=[loaded_run.latency(run, timed, info.kind) for run in contenders],
    )


def _in_progress(
    contenders: Sequence[Contender], classes: int, drawings: partial.Drawings
) -> dict[float, list[MetricSums]]:
    functions = [run.logits_of for run in contenders]
    total = len(drawings) * len(partial.PARTS)
    with cli.progress(total, "in progress") as bar:
        return partial.evaluate(functions, classes, drawings, bar.update)


class Pass:
    """One pass over the drawings, batch by batch (see `over`)."""

    def __init__(
        self, info: DatasetInfo, contenders: Sequence[Contender], sample: int, seed: int
    ):
        classes = len(info.classes)
        self._kind, self._contenders, self._seed = info.kind, contenders, seed
        self._grouping = Grouping(info.kind)
        places = range(len(contenders))
        self.scorecards = [Scorecard(info, self._grouping, place) for place in places]
        self.pairs = {
            pair: Pair(classes, per_class(classes))
            for pair in itertools.combinations(places, 2)
        }
        self.sample = HashSample(info.kind, sample)
        self._waiting: list[Answered] = []

    def over(self, batches: Iterable[Batch]) -> Iterator[int]:
        """Takes all batches; yields how many drawings each held.

        The runs answer the next ones while what they said to the last is judged.

        Args:
          batches: of `input_pipeline.evaluation_batches`.
        """
        with ThreadPoolExecutor(max_workers=1) as ahead:
            asked: deque[tuple[Batch, Future[list[np.ndarray]]]] = deque()
            for batch in batches:
                asked.append((batch, ahead.submit(self._ask, batch)))
                if len(asked) > AHEAD:
                    yield self._take(*asked.popleft())
            while asked:
                yield self._take(*asked.popleft())
        self._add_up()

    def _ask(self, batch: Batch) -> list[np.ndarray]:
        """The logits of every run."""
        inputs = [batch[name] for name in models.INPUT_SPECS[self._kind]]
        return [run.logits_of(*inputs).numpy() for run in self._contenders]

    def _take(self, tensors: Batch, asked: Future[list[np.ndarray]]) -> int:
        """Judges the answers to a batch; gives its drawings."""
        logits = asked.result()
        batch = {name: tensor.numpy() for name, tensor in tensors.items()}
        labels = batch[schema.CLASS_INDEX]
        hashed = bootstrap.hashes(batch[schema.KEY_ID].tolist(), self._seed)
        answered = Answered(
            batch,
            hashed,
            self._grouping.of(batch),
            logits,
            [metrics.judge(some, labels) for some in logits],
        )
        self.sample.offer(hashed, batch)
        for scorecard in self.scorecards:
            scorecard.look(answered)
        for runs in self.pairs:
            self._compare(answered, *runs)
        self._waiting.append(answered._replace(batch={}, logits=[]))
        if sum(len(some.hashed) for some in self._waiting) >= CHUNK:
            self._add_up()
        return len(labels)

    def _add_up(self) -> None:
        """Adds up what was only looked at so far."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        weights = bootstrap.weights(np.concatenate([some.hashed for some in waiting]))
        groups = {
            name: np.concatenate([some.groups[name] for some in waiting])
            for name in waiting[0].groups
        }
        judged = [
            Judged(*map(np.concatenate, zip(*some)))
            for some in zip(*(answered.judged for answered in waiting))
        ]
        for scorecard, some in zip(self.scorecards, judged):
            scorecard.add(some, groups, weights)
        for (one, other), pair in self.pairs.items():
            pair.add(judged[one], judged[other])

    def _compare(self, answered: Answered, one: int, other: int) -> None:
        """Keeps drawings that one of two runs gets alone."""
        pair, judged = self.pairs[one, other], answered.judged

        def show(place: int, score: float) -> Shown:
            return answered.shown(self._kind, place, score, one, other)

        for kept, gets, misses in (
            (pair.first_gets, judged[one], judged[other]),
            (pair.second_gets, judged[other], judged[one]),
        ):
            kept.offer(mcnemar.surer(gets, misses), gets.label, show)
