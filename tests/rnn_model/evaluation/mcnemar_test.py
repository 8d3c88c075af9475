"""McNemar's test against known values."""

import pytest

from rnn_model.evaluation.mcnemar import mcnemar_test


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (0, 5, 2 / 32),
        (1, 9, 2 * 11 / 1024),  # (1 + 10) of 2¹⁰ outcomes on each side
        (9, 1, 2 * 11 / 1024),
        # The chi-square approximation (|b - c| - 1)² / (b + c) gives 0.0517.
        (1044, 956, 0.0517),
    ],
)
def test_exact_p_values(only_first, only_second, p_value):
    assert mcnemar_test(only_first, only_second) == pytest.approx(p_value, rel=0.01)
