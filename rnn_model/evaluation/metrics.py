"""Classification metrics, accumulated as sums over drawings and divided once.

Dividing once keeps the result exact when the last batch is smaller than the others.
Sums are weighted, with one column of weights for the drawings themselves and one for
each bootstrap replicate (see `bootstrap`), so that one matrix product updates all of
them.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

MAP_RANKS = 3
"""Ranks with a non-zero weight in MAP@3."""

CALIBRATION_BINS = 15
"""Bins of the confidence, as many as in Guo et al., 2017."""

NAN_RANK = np.iinfo(np.int64).max
"""Rank of a class whose logit is NaN."""

MEAN_METRICS = ("top1", "top3", "top5", "map3", "loss")
"""Metrics that are means over drawings, in the order of `per_drawing_values`."""


class Predictions(NamedTuple):
    """The predictions of a model for n drawings, compared with their labels.

    Attributes:
      label: `<int64>[n]`, the true class.
      predicted_class: `<int64>[n]`, the class with the highest logit.
      rank: `<int64>[n]`, number of classes that rank before the true class.
      confidence: `<float64>[n]`, probability of the predicted class.
      true_class_prob: `<float64>[n]`, probability of the true class.
      loss: `<float64>[n]`, cross-entropy in nats.
    """

    label: np.ndarray
    predicted_class: np.ndarray
    rank: np.ndarray
    confidence: np.ndarray
    true_class_prob: np.ndarray
    loss: np.ndarray

    @classmethod
    def from_logits(cls, logits: np.ndarray, label: np.ndarray) -> "Predictions":
        """Computes predictions from logits.

        Args:
          logits: `<float>[n, classes]`. Of equal logits, the lower class index ranks
            first. NaN ranks last.
          label: `<int>[n]`, the true classes.
        """
        logits = logits.astype(np.float64)
        true_logit = logits[np.arange(len(logits)), label]
        higher = (~(logits <= true_logit[:, None])).sum(axis=1)
        is_lower_index = np.arange(logits.shape[1]) < label[:, None]
        ties_before = ((logits == true_logit[:, None]) & is_lower_index).sum(axis=1)
        max_logit = logits.max(axis=1)
        log_sum_exp = max_logit + np.log(
            np.exp(logits - max_logit[:, None]).sum(axis=1)
        )
        return cls(
            label=label,
            predicted_class=logits.argmax(axis=1),
            rank=np.where(np.isnan(true_logit), NAN_RANK, higher + ties_before),
            confidence=np.nan_to_num(np.exp(max_logit - log_sum_exp)),
            true_class_prob=np.nan_to_num(np.exp(true_logit - log_sum_exp)),
            loss=log_sum_exp - true_logit,
        )

    @property
    def is_correct(self) -> np.ndarray:
        """Whether the predicted class is the true class, `<bool>[n]`."""
        return self.rank == 0

    def select(self, rows: np.ndarray) -> "Predictions":
        """Returns the predictions of some drawings, chosen by index or mask."""
        return Predictions(*(column[rows] for column in self))


def top_k(scores: np.ndarray, k: int) -> np.ndarray:
    """Returns the classes with the highest scores, the highest first.

    Args:
      scores: `<float>[..., classes]`, logits or probabilities. Of equal scores, the
        lower class index comes first.
      k: number of classes to return; all classes if there are fewer.

    Returns:
      Class indices, `<int64>[..., min(k, classes)]`.
    """
    return np.argsort(-scores, axis=-1, kind="stable")[..., :k]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Converts logits `<float>[..., classes]` to probabilities in float64."""
    logits = logits.astype(np.float64)
    exp = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def per_drawing_values(predictions: Predictions) -> np.ndarray:
    """Returns 1 and the values of `MEAN_METRICS` per drawing, `<float64>[n, 6]`."""
    rank = predictions.rank
    in_top = [rank < k for k in (1, 3, 5)]
    reciprocal_rank = np.where(
        rank < MAP_RANKS, 1 / (1 + np.minimum(rank, MAP_RANKS)), 0
    )
    ones = np.ones(len(rank))
    return np.stack([ones, *in_top, reciprocal_rank, predictions.loss], axis=1)


def compute_means(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Divides sums of `per_drawing_values`.

    Args:
      sums: `<float64>[6, columns]`.

    Returns:
      `MEAN_METRICS` by name, `<float64>[columns]` each; NaN where a column has no
      drawings.
    """
    with np.errstate(invalid="ignore"):
        return dict(zip(MEAN_METRICS, sums[1:] / sums[0]))


class GroupSums(dict[int, np.ndarray]):
    """Weighted sums of values by group, `<float64>[values, columns]` each."""

    def add(self, groups: np.ndarray, values: np.ndarray, weights: np.ndarray) -> None:
        """Adds drawings.

        Args:
          groups: `<int>[n]`, the group of each drawing.
          values: `<float64>[n, values]`.
          weights: `<float>[n, columns]`. Sums within one call have the precision of
            the weights; sums of several calls are accumulated in float64.
        """
        values = values.astype(weights.dtype)
        for group, rows in _rows_by_group(groups):
            # Not `@`: BLAS threads would compete with the model's threads.
            sums = np.einsum("nv,nc->vc", values[rows], weights[rows])
            sums = sums.astype(np.float64)
            self[group] = self[group] + sums if group in self else sums

    def stack(self, num_groups: int, num_values: int, columns: int) -> np.ndarray:
        """Stacks the sums to `<float64>[num_groups, num_values, columns]`."""
        stacked = np.zeros((num_groups, num_values, columns))
        for group, sums in self.items():
            stacked[group] = sums
        return stacked


def _rows_by_group(groups: np.ndarray) -> Iterator[tuple[int, np.ndarray | slice]]:
    """Yields each group with the rows of its drawings."""
    if not groups.size or groups.min() == groups.max():
        # A slice avoids a copy.
        yield from ((group, slice(None)) for group in groups[:1].tolist())
        return
    order = np.argsort(groups, kind="stable")
    unique, starts = np.unique(groups[order], return_index=True)
    yield from zip(unique.tolist(), np.split(order, starts[1:]))


class MetricSums:
    """Accumulates metrics batch by batch.

    top1, top3, top5  share of drawings whose class is predicted first, or is among the
                      first three or five predictions
    map3              mean of 1, 1/2, 1/3 or 0 for a class at rank 1, 2, 3 or below;
                      the score of https://www.kaggle.com/c/quickdraw-doodle-recognition
    macro_top1        unweighted mean of the top-1 of each class that has drawings
    loss              mean cross-entropy in nats
    ece               expected calibration error: mean absolute difference of confidence
                      and top-1 over 15 bins of the confidence, weighted by the number
                      of drawings (https://arxiv.org/abs/1706.04599, equation 3)

    Args:
      num_classes: number of classes.
      columns: columns of the weights.

    Attributes:
      examples: number of drawings so far.
    """

    def __init__(self, num_classes: int, columns: int = 1):
        self.examples = 0
        self._num_classes, self._columns = num_classes, columns
        self._totals, self._classes, self._bins = GroupSums(), GroupSums(), GroupSums()

    def update(self, logits: np.ndarray, label: np.ndarray) -> None:
        """Adds a batch with logits `<float>[n, classes]` and labels `<int>[n]`."""
        ones = np.ones((len(label), self._columns))
        self.add(Predictions.from_logits(logits, label), ones)

    def add(self, predictions: Predictions, weights: np.ndarray) -> None:
        """Adds predictions for n drawings with weights `<float>[n, columns]`."""
        label, confidence = predictions.label, predictions.confidence
        self.examples += len(label)
        ones, correct = np.ones(len(label)), predictions.is_correct
        values = per_drawing_values(predictions)
        self._totals.add(np.zeros_like(label), values, weights)
        self._classes.add(label, np.stack([ones, correct], axis=1), weights)
        # Bin b holds confidences in the interval (b / 15, (b + 1) / 15].
        bins = np.ceil(confidence * CALIBRATION_BINS).astype(int) - 1
        bins = np.clip(bins, 0, CALIBRATION_BINS - 1)
        self._bins.add(bins, np.stack([ones, confidence, correct], axis=1), weights)

    def all_reduce(self, sum_over_workers: Callable[[np.ndarray], np.ndarray]) -> None:
        """Replaces the sums of this worker by those of all workers.

        Args:
          sum_over_workers: returns the elementwise sum of the `<float64>[n]` arrays
            of all workers.
        """
        totals = self._totals.stack(1, 1 + len(MEAN_METRICS), self._columns)
        arrays = [totals, self.per_class(), self.calibration()]
        flat = [np.array([self.examples]), *(array.ravel() for array in arrays)]
        reduced = sum_over_workers(np.concatenate(flat))
        self.examples, start = round(reduced[0]), 1
        for sums, array in zip((self._totals, self._classes, self._bins), arrays):
            stop = start + array.size
            sums.update(enumerate(reduced[start:stop].reshape(array.shape)))
            start = stop

    def compute(self) -> dict[str, np.ndarray]:
        """Computes the metrics, `<float64>[columns]` each.

        Raises:
          ValueError: no drawing was added.
        """
        if not self.examples:
            raise ValueError("No drawings to evaluate on.")
        count, confidence, correct = self.calibration().transpose(1, 0, 2)
        gap = np.abs(correct - confidence).sum(axis=0)
        ece = gap / np.maximum(count.sum(axis=0), 1)
        with np.errstate(invalid="ignore"):
            drawings, correct = self.per_class().transpose(1, 0, 2)
            class_top1 = np.where(drawings > 0, correct / drawings, 0)
            macro_top1 = class_top1.sum(axis=0) / (drawings > 0).sum(axis=0)
        means = compute_means(self._totals[0])
        return means | {"macro_top1": macro_top1, "ece": ece}

    def result(self) -> dict[str, float | int]:
        """Returns the metrics of the first column and the number of examples.

        Raises:
          ValueError: no drawing was added.
        """
        metrics = {name: float(values[0]) for name, values in self.compute().items()}
        return metrics | {"examples": self.examples}

    def per_class(self) -> np.ndarray:
        """Returns drawings and correct ones of each class, `[classes, 2, columns]`."""
        return self._classes.stack(self._num_classes, 2, self._columns)

    def calibration(self) -> np.ndarray:
        """Returns the sums of each confidence bin, `<float64>[15, 3, columns]`.

        The values are the number of drawings, the sum of their confidences and the
        number of correct ones.
        """
        return self._bins.stack(CALIBRATION_BINS, 3, self._columns)
