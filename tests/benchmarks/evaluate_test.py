"""The benchmark compares an evaluation with the forward pass."""

from benchmarks import evaluate as benchmark
from benchmarks.evaluate import Duration, Round


def test_the_ratio_is_the_median_of_the_rounds():
    rounds = [
        Round(Duration(2.0, 4.0), Duration(2.2, 5.0)),
        Round(Duration(1.0, 4.0), Duration(1.2, 5.0)),
        Round(Duration(4.0, 4.0), Duration(6.0, 5.0)),
    ]
    lines = benchmark.format_rounds(rounds, 100).splitlines()[1:]
    assert lines[1].split() == ["forward", "50", "25"]
    assert lines[2].split() == ["evaluation", "45", "20"]
    assert lines[3] == (
        "evaluation takes 1.20 × the forward pass (1.10 to 1.50), 1.25 × its CPU time"
    )


def test_an_untrained_model_is_measured(run_benchmark, data_dir):
    done = run_benchmark(
        "evaluate", "--rounds=1", f"--data_dir={data_dir}", "--model=mlp"
    )
    assert done.returncode == 0, done.stderr
    *_, last = done.stdout.splitlines()
    assert last.startswith("evaluation takes ")
