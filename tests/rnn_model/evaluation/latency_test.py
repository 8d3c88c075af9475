"""Latency: the median of the calls."""

import pytest

from rnn_model.evaluation import latency


def test_median_milliseconds_of_all_items(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(latency.time, "perf_counter", lambda: clock[0])

    def advance_clock(seconds):
        clock[0] += seconds

    milliseconds = latency.measure_latency(advance_clock, [0.005, 0.02, 0.2])
    assert milliseconds == pytest.approx(20)
