"""Metrics as sums over drawings, divided once: a ragged last batch stays exact.

Sums can be weighted, in many columns at once: those of the drawings themselves and of
each bootstrap replicate (see `bootstrap`) are rows of one matrix product.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

TOP = 3
"""Ranks that MAP@3 rewards."""

BINS = 15
"""Of the confidence, for the calibration error; as many as its authors took."""

MISSED = np.iinfo(np.int64).max
"""The rank of a word whose logit is not a number."""


class Judged(NamedTuple):
    """What a model's answers to n drawings come to.

    Attributes:
      label: `<int64>[n]`, the class.
      guess: `<int64>[n]`, the class that was guessed first.
      rank: `<int64>[n]`, how many other classes come before the right one.
      confidence: `<float64>[n]`, probability of the first guess.
      own: `<float64>[n]`, probability of the right class.
      loss: `<float64>[n]`, cross-entropy, in nats.
    """

    label: np.ndarray
    guess: np.ndarray
    rank: np.ndarray
    confidence: np.ndarray
    own: np.ndarray
    loss: np.ndarray

    @property
    def right(self) -> np.ndarray:
        return self.rank == 0


def judge(logits: np.ndarray, class_index: np.ndarray) -> Judged:
    """Judges a batch: logits `<float>[batch, classes]`, labels `<int>[batch]`."""
    logits = logits.astype(np.float64)
    own = logits[np.arange(len(logits)), class_index]
    # Of equal logits the lower class counts as the better one, and any as better
    # than one that is not a number.
    better = (~(logits <= own[:, None])).sum(axis=1)
    before = np.arange(logits.shape[1]) < class_index[:, None]
    rank = better + ((logits == own[:, None]) & before).sum(axis=1)
    highest = logits.max(axis=1)
    log_sum = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    return Judged(
        label=class_index,
        guess=logits.argmax(axis=1),
        rank=np.where(np.isnan(own), MISSED, rank),
        confidence=np.nan_to_num(np.exp(highest - log_sum)),
        own=np.nan_to_num(np.exp(own - log_sum)),
        loss=log_sum - own,
    )


def values_of(judged: Judged) -> np.ndarray:
    """What is added up of each drawing: `<float64>[n, 6]`, 1 and then `MEANS`."""
    rank = judged.rank
    within = [rank < most for most in (1, 3, 5)]
    reciprocal = np.where(rank < TOP, 1 / (1 + np.minimum(rank, TOP)), 0)
    ones = np.ones(len(rank))
    return np.stack([ones, *within, reciprocal, judged.loss], axis=1)


MEANS = ("top1", "top3", "top5", "map3", "loss")


def means(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Divides sums `<float64>[6, columns]` of `values_of`; `[columns]` each."""
    with np.errstate(invalid="ignore"):
        return dict(zip(MEANS, sums[1:] / sums[0]))


class GroupSums(dict[int, np.ndarray]):
    """Weighted sums of values for each group that was met: `[values, columns]`."""

    def add(self, groups: np.ndarray, values: np.ndarray, weights: np.ndarray) -> None:
        """Adds drawings.

        Args:
          groups: `<int>[n]`, the group of each.
          values: `<float64>[n, values]`.
          weights: `<float>[n, columns]`; they decide how exact the sums of one call
            are, which are then added up in float64.
        """
        values = values.astype(weights.dtype)
        for group, rows in _split(groups):
            # Not by BLAS: its threads wait for each other where others compute.
            some = np.einsum("nv,nc->vc", values[rows], weights[rows])
            some = some.astype(np.float64)
            self[group] = self[group] + some if group in self else some

    def stacked(self, size: int, values: int, columns: int) -> np.ndarray:
        """The sums of groups 0 to `size` as `<float64>[size, values, columns]`."""
        stack = np.zeros((size, values, columns))
        for group, sums in self.items():
            stack[group] = sums
        return stack


def _split(groups: np.ndarray) -> Iterator[tuple[int, np.ndarray | slice]]:
    """Yields each group and the places of its drawings."""
    if not groups.size or groups.min() == groups.max():
        # A slice, which copies nothing.
        yield from ((group, slice(None)) for group in groups[:1].tolist())
        return
    order = np.argsort(groups, kind="stable")
    found, starts = np.unique(groups[order], return_index=True)
    yield from zip(found.tolist(), np.split(order, starts[1:]))


class MetricSums:
    """Adds up what the metrics need, batch by batch.

    top1, top3, top5  share of drawings whose word is the first, or among the first
                      three or five
    map3              mean of 1, 1/2, 1/3 or 0 for a word at rank 1, 2, 3 or below:
                      Kaggle's MAP@3
                      (https://www.kaggle.com/c/quickdraw-doodle-recognition)
    macro_top1        mean over classes of each class's top-1; classes without a
                      drawing have no say
    loss              mean cross-entropy, in nats
    ece               expected calibration error: how far the probability of the first
                      guess is from the share that is right, the mean over 15 bins of
                      that probability, each as heavy as its drawings
                      (https://arxiv.org/abs/1706.04599, equation 3)

    Attributes:
      examples: drawings so far.
    """

    def __init__(self, num_classes: int, columns: int = 1):
        self.examples = 0
        self._num_classes, self._columns = num_classes, columns
        self._all, self._classes, self._bins = GroupSums(), GroupSums(), GroupSums()

    def update(self, logits: np.ndarray, class_index: np.ndarray) -> None:
        """Adds a batch: logits `<float>[batch, classes]`, labels `<int>[batch]`."""
        ones = np.ones((len(class_index), self._columns))
        self.add(judge(logits, class_index), ones)

    def add_up(self, sum_of: Callable[[np.ndarray], np.ndarray]) -> None:
        """Makes them the sums of all workers; `sum_of` adds up their `<float64>[n]`."""
        whole = self._all.stacked(1, 1 + len(MEANS), self._columns)
        parts = [whole, self.per_class(), self.calibration()]
        flat = [np.array([self.examples]), *(part.ravel() for part in parts)]
        sums = sum_of(np.concatenate(flat))
        self.examples, at = round(sums[0]), 1
        for kept, part in zip((self._all, self._classes, self._bins), parts):
            kept.update(enumerate(sums[at : at + part.size].reshape(part.shape)))
            at += part.size

    def add(self, judged: Judged, weights: np.ndarray) -> None:
        """Adds judged drawings, with weights `<float>[n, columns]`."""
        self.examples += len(judged.label)
        ones, right = np.ones(len(judged.label)), judged.right
        self._all.add(np.zeros_like(judged.label), values_of(judged), weights)
        self._classes.add(judged.label, np.stack([ones, right], axis=1), weights)
        # Bin m holds what is above m/15 and at most (m + 1)/15.
        bins = np.clip(np.ceil(judged.confidence * BINS).astype(int) - 1, 0, BINS - 1)
        told = np.stack([ones, judged.confidence, right], axis=1)
        self._bins.add(bins, told, weights)

    def metrics(self) -> dict[str, np.ndarray]:
        """Gives the metrics of each column; ValueError if there was no drawing."""
        if not self.examples:
            raise ValueError("there is no drawing to evaluate on")
        count, confidence, right = self.calibration().transpose(1, 0, 2)
        gap = np.abs(right - confidence).sum(axis=0)
        ece = gap / np.maximum(count.sum(axis=0), 1)
        with np.errstate(invalid="ignore"):
            drawings, hits = self.per_class().transpose(1, 0, 2)
            shares = np.where(drawings > 0, hits / drawings, 0)
            macro = shares.sum(axis=0) / (drawings > 0).sum(axis=0)
        return means(self._all[0]) | {"macro_top1": macro, "ece": ece}

    def result(self) -> dict[str, float | int]:
        """Gives the metrics of the first column; ValueError if there is no drawing."""
        found = {name: float(values[0]) for name, values in self.metrics().items()}
        return found | {"examples": self.examples}

    def per_class(self) -> np.ndarray:
        """Drawings and hits of each class, `<float64>[classes, 2, columns]`."""
        return self._classes.stacked(self._num_classes, 2, self._columns)

    def calibration(self) -> np.ndarray:
        """Drawings, confidence and hits of each bin, `<float64>[15, 3, columns]`."""
        return self._bins.stacked(BINS, 3, self._columns)
