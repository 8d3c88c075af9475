"""Some of the drawings that stream by: those of the smallest hashes."""

import numpy as np

from rnn_model.evaluation.example_gallery import drawing_of
from tfrecords import schema


class HashSample:
    """At most so many drawings; which, depends on their keys and the seed alone.

    Attributes:
      drawings: hash, class, and ink `<float32>[T, 3]` or a bitmap
        `<float32>[28, 28, 1]` of each, by hash.
    """

    def __init__(self, kind: str, size: int):
        self.drawings: list[tuple[int, int, np.ndarray]] = []
        self._kind, self._size = kind, size

    def offer(self, hashed: np.ndarray, batch: dict[str, np.ndarray]) -> None:
        """Takes what belongs to it of a batch, with hashes `<uint64>[n]`."""
        if len(self.drawings) < self._size:
            places = range(len(hashed))
        else:
            places = np.flatnonzero(hashed < self.drawings[-1][0]).tolist()
        labels = batch[schema.CLASS_INDEX]
        self.drawings += [
            (
                int(hashed[place]),
                int(labels[place]),
                drawing_of(batch, self._kind, place),
            )
            for place in places
        ]
        self.drawings.sort(key=lambda kept: kept[:2])
        del self.drawings[self._size :]
