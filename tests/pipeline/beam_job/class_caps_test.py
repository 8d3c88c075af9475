"""Caps keep the smallest ranks, however the ranks are grouped."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.beam_job.class_caps import cap_of, smallest_ranks

ranks = st.lists(st.integers(0, 20), max_size=30)


@given(st.lists(ranks, max_size=5), st.integers(1, 8), st.booleans())
def test_any_grouping_gives_the_same(groups, count, distinct):
    arrays = [np.array(values, np.int64) for values in groups]
    together = smallest_ranks(arrays, count, distinct)
    apart = [smallest_ranks([array], count, distinct) for array in arrays]
    assert smallest_ranks(apart, count, distinct).tolist() == together.tolist()


@given(ranks, st.integers(1, 8), st.booleans())
def test_at_most_count_stay_and_a_larger_cap_only_adds(values, count, distinct):
    values = sorted(set(values)) if distinct else values

    def kept(count):
        cap = cap_of(smallest_ranks([np.array(values, int)], count, distinct), count)
        return [value for value in values if cap is None or value <= cap]

    assert len(kept(count)) <= count
    assert set(kept(count)) <= set(kept(count + 1))
    if distinct:
        assert len(kept(count)) == min(count, len(values))


@pytest.mark.parametrize(
    ("values", "count", "cap"),
    [([], 1, None), ([5, 3], 2, None), ([5, 3, 9], 2, 5), ([3, 3, 5], 1, -1)],
)
def test_cap_is_the_largest_rank_that_stays(values, count, cap):
    assert cap_of(smallest_ranks([np.array(values, int)], count, False), count) == cap
