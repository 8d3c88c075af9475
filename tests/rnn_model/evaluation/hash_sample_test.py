"""Which drawings are sampled depends on their hashes alone."""

import numpy as np
import pytest

from rnn_model.evaluation.hash_sample import HashSample


@pytest.mark.parametrize("size", [1, 7, 30, 99])
@pytest.mark.parametrize("batch_size", [1, 4, 30])
def test_the_smallest_hashes_are_kept(size, batch_size):
    rng = np.random.default_rng(0)
    hashed = rng.integers(0, 1 << 64, 30, np.uint64)
    order = rng.permutation(30)
    sample = HashSample("ink", size)
    for start in range(0, 30, batch_size):
        some = order[start : start + batch_size]
        ink = np.broadcast_to(some[:, None, None], (len(some), 5, 3)).astype(np.float32)
        length = 1 + some % 4
        batch = {"ink": ink, "length": length, "class_index": some}
        sample.offer(hashed[some], batch)
    expected = np.argsort(hashed)[:size]
    assert [label for _, label, _ in sample.drawings] == expected.tolist()
    for number, label, drawing in sample.drawings:
        assert number == hashed[label]
        assert drawing.shape == (1 + label % 4, 3)
        assert (drawing == label).all()
