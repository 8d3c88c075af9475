"""Metrics as sums over drawings, divided once: a ragged last batch stays exact."""

from collections.abc import Callable

import numpy as np

TOP = 3


class MetricSums:
    """Adds up what the metrics need, batch by batch.

    top1, top3   share of drawings whose word is the first, or among the first three
    map3         mean of 1, 1/2, 1/3 or 0 for a word at rank 1, 2, 3 or below: Kaggle's
                 MAP@3 (https://www.kaggle.com/c/quickdraw-doodle-recognition)
    macro_top1   mean over classes of each class's top-1; classes without a drawing
                 have no say
    loss         mean cross-entropy, in nats
    """

    def __init__(self, num_classes: int):
        self._examples = np.zeros(num_classes, np.int64)
        self._at_rank = np.zeros((TOP, num_classes), np.int64)
        self._loss = 0.0

    @property
    def examples(self) -> int:
        return int(self._examples.sum())

    def update(self, logits: np.ndarray, class_index: np.ndarray) -> None:
        """Adds a batch: logits `<float>[batch, classes]`, labels `<int>[batch]`."""
        logits = logits.astype(np.float64)
        own = logits[np.arange(len(logits)), class_index]
        # Of equal logits the lower class counts as the better one, and any as better
        # than one that is not a number.
        better = (~(logits <= own[:, None])).sum(axis=1)
        before = np.arange(logits.shape[1]) < class_index[:, None]
        rank = better + ((logits == own[:, None]) & before).sum(axis=1)
        highest = logits.max(axis=1)
        log_sum = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
        self._loss += float((log_sum - own).sum())
        np.add.at(self._examples, class_index, 1)
        hit = (rank < TOP) & ~np.isnan(own)
        np.add.at(self._at_rank, (rank[hit], class_index[hit]), 1)

    def add_up(self, sum_of: Callable[[np.ndarray], np.ndarray]) -> None:
        """Makes them the sums of all workers; `sum_of` adds up their `<float64>[n]`."""
        counts = [self._examples, *self._at_rank]
        *counts, loss = sum_of(np.concatenate([*counts, [self._loss]]))
        self._examples, *at_rank = np.array(counts, np.int64).reshape(TOP + 1, -1)
        self._at_rank, self._loss = np.stack(at_rank), float(loss)

    def result(self) -> dict[str, float | int]:
        """Gives the metrics; ValueError if there was no drawing."""
        if not self.examples:
            raise ValueError("there is no drawing to evaluate on")
        seen = self._examples > 0
        at_rank = self._at_rank.sum(axis=1) / self.examples
        per_class = self._at_rank[0, seen] / self._examples[seen]
        return {
            "top1": float(at_rank[0]),
            "top3": float(at_rank.sum()),
            "map3": float(at_rank @ (1 / np.arange(1, TOP + 1))),
            "macro_top1": float(per_class.mean()),
            "loss": self._loss / self.examples,
            "examples": self.examples,
        }
