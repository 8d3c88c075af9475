"""The sample depends on the hashes only, not on order or batches."""

import numpy as np
import pytest

from rnn_model.evaluation.hash_sample import HashSample


@pytest.mark.parametrize("size", [1, 7, 30, 99])
@pytest.mark.parametrize("batch_size", [1, 4, 30])
def test_smallest_hashes_are_kept(size, batch_size):
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 1 << 64, 30, np.uint64)
    order = rng.permutation(30)
    sample = HashSample("ink", size)
    for start in range(0, 30, batch_size):
        rows = order[start : start + batch_size]
        ink = np.broadcast_to(rows[:, None, None], (len(rows), 5, 3)).astype(np.float32)
        batch = {"ink": ink, "length": 1 + rows % 4, "class_index": rows}
        sample.offer(hashes[rows], batch)
    expected = np.argsort(hashes)[:size]
    assert [sampled.label for sampled in sample.drawings] == expected.tolist()
    for sampled in sample.drawings:
        assert sampled.hash == hashes[sampled.label]
        assert sampled.drawing.shape == (1 + sampled.label % 4, 3)
        assert (sampled.drawing == sampled.label).all()
