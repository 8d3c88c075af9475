"""Confusion matrix: counts, most confused pairs, and an order of the classes."""

from typing import NamedTuple

import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial import distance


class ConfusionPair(NamedTuple):
    """Drawings of one class that were predicted as another.

    Attributes:
      drawn: the true class.
      predicted: the predicted class.
      drawings: number of such drawings.
      share: share of the drawings of the true class.
    """

    drawn: int
    predicted: int
    drawings: int
    share: float


class ConfusionMatrix:
    """Counts of predictions.

    Args:
      num_classes: number of classes.

    Attributes:
      counts: `<int64>[drawn, predicted]`.
    """

    def __init__(self, num_classes: int):
        self.counts = np.zeros((num_classes, num_classes), np.int64)

    def add(self, label: np.ndarray, predicted_class: np.ndarray) -> None:
        """Adds drawings with true and predicted classes `<int64>[n]`."""
        np.add.at(self.counts, (label, predicted_class), 1)

    def shares(self) -> np.ndarray:
        """Normalizes the rows, `<float64>[drawn, predicted]`; 0 without drawings."""
        return self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)

    def most_confused(self, count: int) -> list[ConfusionPair]:
        """Returns at most `count` pairs of classes, the most drawings first."""
        errors = self.counts * (1 - np.eye(len(self.counts), dtype=np.int64))
        order = np.argsort(-errors, axis=None, kind="stable")[:count]
        shares = self.shares()
        return [
            ConfusionPair(a, b, int(errors[a, b]), float(shares[a, b]))
            for a, b in (divmod(index, len(errors)) for index in order.tolist())
            if errors[a, b]
        ]


def order_by_similarity(shares: np.ndarray) -> list[int]:
    """Orders classes so that confused ones are adjacent.

    Average linkage clustering (UPGMA) with optimal leaf ordering.

    Args:
      shares: `<float64>[classes, classes]` from `ConfusionMatrix.shares`.
    """
    if len(shares) < 2:
        return list(range(len(shares)))
    similarity = shares + shares.T
    distances = similarity.max() - similarity
    np.fill_diagonal(distances, 0)
    condensed = distance.squareform(distances, checks=False)
    linkage = hierarchy.linkage(condensed, "average", optimal_ordering=True)
    return hierarchy.leaves_list(linkage).tolist()
