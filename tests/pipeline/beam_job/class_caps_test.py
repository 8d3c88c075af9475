"""A cap keeps the smallest ranks, however the ranks are grouped."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.beam_job.class_caps import RunningCap, find_max_rank, smallest_ranks

ranks = st.lists(st.integers(0, 20), max_size=30)


@given(st.lists(ranks, max_size=5), st.integers(1, 8), st.booleans())
def test_smallest_ranks_is_associative(groups, count, distinct):
    arrays = [np.array(values, np.int64) for values in groups]
    together = smallest_ranks(arrays, count, distinct)
    apart = [smallest_ranks([array], count, distinct) for array in arrays]
    assert smallest_ranks(apart, count, distinct).tolist() == together.tolist()


@given(ranks, st.integers(1, 8), st.booleans())
def test_cap_is_never_exceeded_and_a_larger_cap_only_adds(values, count, distinct):
    values = sorted(set(values)) if distinct else values

    def kept(count):
        smallest = smallest_ranks([np.array(values, int)], count, distinct)
        max_rank = find_max_rank(smallest, count)
        return [value for value in values if max_rank is None or value <= max_rank]

    assert len(kept(count)) <= count
    assert set(kept(count)) <= set(kept(count + 1))
    if distinct:
        assert len(kept(count)) == min(count, len(values))


@given(st.lists(ranks, max_size=8), st.integers(1, 8), st.booleans())
def test_the_running_cap_changes_no_result(groups, count, distinct):
    running_cap = RunningCap(count)
    arrays = [np.array(values, np.int64) for values in groups]
    within = [array[running_cap.may_keep("cat", array)] for array in arrays]

    def kept(arrays):
        max_rank = find_max_rank(smallest_ranks(arrays, count, distinct), count)
        joined = np.sort(np.concatenate([*arrays, np.empty(0, np.int64)]))
        return joined[joined <= max_rank].tolist() if max_rank is not None else joined

    if sum(map(len, within)) < sum(map(len, arrays)):
        assert list(kept(within)) == list(kept(arrays))


def test_the_running_cap_excludes_most_of_a_large_class():
    running_cap = RunningCap(100)
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 1 << 62, (100, 1000))
    kept = sum(running_cap.may_keep("cat", block).sum() for block in blocks)
    assert 100 <= kept < 0.03 * blocks.size


@pytest.mark.parametrize(
    ("values", "count", "max_rank"),
    [([], 1, None), ([5, 3], 2, None), ([5, 3, 9], 2, 5), ([3, 3, 5], 1, -1)],
)
def test_find_max_rank(values, count, max_rank):
    smallest = smallest_ranks([np.array(values, int)], count, distinct=False)
    assert find_max_rank(smallest, count) == max_rank
