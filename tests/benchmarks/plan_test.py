"""The estimates are work divided by rates."""

import pytest

from benchmarks import plan


def test_the_data_job_scales_linearly():
    one, four = plan.estimate_data_job(3_600_000, 1000, [1, 4])
    assert (one.hours, one.machine_hours) == (1, 1)
    assert (four.hours, four.machine_hours) == (0.25, 1)


def test_efficiency_increases_the_machine_hours_of_training():
    one, two = plan.estimate_training(3_600_000, 3, 1000, {1: 1.0, 2: 0.5})
    assert one.hours == pytest.approx(3 * (0.8 + 0.1 / 3))
    assert two.hours == pytest.approx(one.hours)
    assert two.machine_hours == pytest.approx(2 * one.machine_hours)


def test_an_allreduce_sends_twice_the_gradients_in_messages():
    assert plan.compute_allreduce_seconds(1, 10**6, 1, 100) == 0
    # 2 messages of half of 4 MB at 1 Gbit/s, and twice the latency.
    seconds = plan.compute_allreduce_seconds(2, 10**6, 1, 100)
    assert seconds == pytest.approx(0.032 + 0.0002)
    many = plan.compute_allreduce_seconds(1000, 10**6, 1, 0)
    assert many == pytest.approx(2 * 0.032, rel=0.01)


def test_large_batches_hide_the_allreduce():
    small, large = (plan.compute_efficiency(size, 1000, 0.1) for size in (100, 900))
    assert (small, large) == pytest.approx((0.5, 0.9))


def test_the_command_prints_the_estimates(run_benchmark):
    flags = {"drawings": 1_000_000, "data_rate": 1000, "training_rate": 100}
    flags |= {"machines": 2, "epochs": 7, "efficiency": 0.8}
    done = run_benchmark(
        "plan", *[f"--{name}={value}" for name, value in flags.items()]
    )
    assert done.returncode == 0, done.stderr
    first, _, head, _, data, training = done.stdout.splitlines()
    assert first == "Estimate for 1,000,000 drawings and at most 7 epochs"
    columns = ["step", "machines", "efficiency", "hours", "machine-hours"]
    assert head.split() == columns
    assert data.split() == ["data", "2", "100%", "0.14", "0.28"]
    assert training.split() == ["training", "2", "80%", "10.13", "20.25"]
