"""The benchmark evaluates the whole split, and tells how it stands to the model."""

from benchmarks import evaluate as benchmark


def test_the_ratio_is_that_of_each_round():
    rounds = [
        benchmark.Round((2.0, 4.0), (2.2, 5.0)),
        benchmark.Round((1.0, 4.0), (1.2, 5.0)),
        benchmark.Round((4.0, 4.0), (6.0, 5.0)),
    ]
    lines = benchmark.table(rounds, 100).splitlines()
    assert lines[1].split() == ["forward", "50", "25"]
    assert lines[2].split() == ["evaluation", "45", "20"]
    assert lines[3] == (
        "evaluation takes 1.20 × the forward pass (1.10 to 1.50), 1.25 × its CPU time"
    )


def test_an_untrained_model_is_measured(measure, data_dir):
    done = measure("evaluate", "--rounds=1", f"--data_dir={data_dir}", "--model=mlp")
    assert done.returncode == 0, done.stderr
    *_, last = done.stdout.splitlines()
    assert last.startswith("evaluation takes ")
