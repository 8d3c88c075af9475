"""The benchmark compares batch prediction with predict."""

from benchmarks import predict_batch as benchmark
from benchmarks.processes import Usage


def test_the_ratio_is_the_median_of_the_rounds():
    rounds = [
        {"predict": Usage(10, 10, 2**20), "predict_batch": Usage(time, 12, 2**21)}
        for time in (5, 4, 8)
    ]
    *_, last = benchmark.format_rounds(rounds, 100).splitlines()
    assert last.startswith("predict_batch is 2.00 × as fast (1.25 to 2.50)")


def test_it_compares_the_predictions(run_benchmark, doodles, exported_rnn):
    flags = ["--rounds=1", "--drawings=300", f"--input={doodles}/*.ndjson"]
    done = run_benchmark("predict_batch", *flags, f"--export_dir={exported_rnn}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith("the predictions are equal")
