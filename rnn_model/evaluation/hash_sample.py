"""A sample of the drawings that is reproducible: those with the smallest hashes."""

from typing import NamedTuple

import numpy as np

from rnn_model.evaluation.example_gallery import get_drawing
from tfrecords import schema


class SampledDrawing(NamedTuple):
    """A drawing of the sample.

    Attributes:
      hash: hash of its key, see `bootstrap.hash_keys`.
      label: its class.
      drawing: ink `<float32>[T, 3]` or a bitmap `<float32>[28, 28, 1]`.
    """

    hash: int
    label: int
    drawing: np.ndarray


class HashSample:
    """At most `size` drawings; the choice depends on their hashes only.

    Args:
      kind: kind of drawing, one of `schema.KINDS`.
      size: number of drawings.

    Attributes:
      drawings: the sample, ordered by hash.
    """

    def __init__(self, kind: str, size: int):
        self.drawings: list[SampledDrawing] = []
        self._kind, self._size = kind, size

    def offer(self, hashes: np.ndarray, batch: dict[str, np.ndarray]) -> None:
        """Offers the drawings of a batch, with their hashes `<uint64>[n]`."""
        if len(self.drawings) < self._size:
            indices = np.arange(len(hashes))
        else:
            indices = np.flatnonzero(hashes < self.drawings[-1].hash)
        labels = batch[schema.CLASS_INDEX]
        self.drawings += [
            SampledDrawing(
                int(hashes[index]),
                int(labels[index]),
                get_drawing(batch, self._kind, index),
            )
            for index in indices.tolist()
        ]
        self.drawings.sort(key=lambda sampled: sampled[:2])
        del self.drawings[self._size :]
