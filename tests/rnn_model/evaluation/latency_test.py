"""Latency: the median of the calls."""

import time

import pytest

from rnn_model.evaluation.latency import measure_latency


def test_median_milliseconds_of_all_items():
    milliseconds = measure_latency(time.sleep, [0.005, 0.02, 0.2])
    assert milliseconds == pytest.approx(20, abs=10)
