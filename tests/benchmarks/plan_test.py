"""The estimates are work divided by rates."""

import pytest

from benchmarks import plan


def test_the_data_job_scales_linearly():
    one, four = plan.estimate_data_job(3_600_000, 1000, [1, 4])
    assert (one.hours, one.machine_hours) == (1, 1)
    assert (four.hours, four.machine_hours) == (0.25, 1)


def test_efficiency_increases_the_machine_hours_of_training():
    one, two = plan.estimate_training(3_600_000, 3, 1000, 0.5, [1, 2])
    assert one.hours == pytest.approx(3 * (0.8 + 0.1 / 3))
    assert two.hours == pytest.approx(one.hours)
    assert two.machine_hours == pytest.approx(2 * one.machine_hours)


def test_the_command_prints_the_estimates(run_benchmark):
    flags = {"drawings": 1_000_000, "data_rate": 1000, "training_rate": 100}
    flags |= {"machines": 2, "epochs": 7}
    done = run_benchmark(
        "plan", *[f"--{name}={value}" for name, value in flags.items()]
    )
    assert done.returncode == 0, done.stderr
    first, _, head, _, data, training = done.stdout.splitlines()
    assert first == "Estimate for 1,000,000 drawings and at most 7 epochs"
    assert head.split() == ["step", "machines", "hours", "machine-hours"]
    assert data.split() == ["data", "2", "0.14", "0.28"]
    assert training.split() == ["training", "2", "8.10", "16.20"]
