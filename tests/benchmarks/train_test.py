"""The benchmark trains all models on the same drawings and prints their speed."""

import json
import re

import pytest

from benchmarks import train as benchmark
from benchmarks.tutorial import model as tutorial_model
from benchmarks.tutorial import train as train_tutorial
from tfrecords.dataset_info import load_dataset_info


@pytest.mark.parametrize("model", ["mlp", "cnn, bitmaps", "tutorial"])
def test_a_model_trains(data_dir, model):
    info = load_dataset_info(str(data_dir))
    if model == "tutorial":
        network = tutorial_model.build_model(len(info.classes))
        step = tutorial_model.make_train_step(network)
        batches = benchmark.make_batches(info, str(data_dir), 8, augment=False)
    elif model == "mlp":
        step, batches = benchmark.make_trainer(info, str(data_dir), model)
    else:
        step, batches = benchmark.make_bitmap_trainer(info, str(data_dir))
    losses = []
    rates = benchmark.measure(lambda b: losses.append(step(b)), batches, steps=3)
    assert len(losses) == 3
    assert all(0.5 < loss < 3 for loss in losses)
    assert rates.per_second > 0
    assert rates.per_cpu_second > 0


def test_medians_are_compared_with_the_tutorial():
    def make_rates(*rates):
        return [benchmark.Rates(rate, 2 * rate) for rate in rates]

    table = benchmark.format_rates(
        {
            "tutorial, batch 128": make_rates(90, 110, 100),
            "rnn": make_rates(2000, 900, 1000),
            "cnn": make_rates(400),
            "cnn, bitmaps": make_rates(500),
        }
    )
    lines = [line.split() for line in table.splitlines()]
    numbers = ["1,000", "900", "2,000", "10.00", "2,000", "10.00", "0.50"]
    assert lines[3] == ["rnn", *numbers]
    assert "takes 20.0% of the cnn's step and 20.0% of its CPU time" in table


@pytest.mark.slow
def test_every_model_is_measured(run_benchmark, data_dir):
    done = run_benchmark(
        "train", f"--data_dir={data_dir}", "--rounds=1", "--seconds=0.1"
    )
    assert done.returncode == 0, done.stderr
    processors, head, _, *lines, last = done.stdout.splitlines()
    assert re.match(r"\d+ processors with ", processors)
    columns = "drawings/s min max × tutorial per CPU second × tutorial cores used"
    assert " ".join(head.split()) == columns
    rows = {
        line[:19].strip(): [float(cell.replace(",", "")) for cell in line[19:].split()]
        for line in lines
    }
    models = ["tutorial, batch 8", "tutorial, batch 128", "rnn", "cnn", "resnet"]
    assert list(rows) == [*models, "cnn, bitmaps"]
    base = rows[benchmark.BASELINE]
    for rate, lowest, highest, ratio, cpu_rate, cpu_ratio, cores in rows.values():
        assert 0 < lowest <= rate <= highest
        assert ratio == pytest.approx(rate / base[0], abs=0.01, rel=0.2)
        assert cpu_ratio == pytest.approx(cpu_rate / base[4], abs=0.01, rel=0.2)
        assert cores == pytest.approx(rate / cpu_rate, abs=0.02)
    share = r"-?[\d.]+%"
    assert re.fullmatch(
        f"the rasterizer takes {share} of the cnn's step and {share} of its CPU time",
        last,
    )


def test_a_missing_data_set_is_reported_in_one_line(run_benchmark, tmp_path):
    done = run_benchmark("train", f"--data_dir={tmp_path}")
    assert done.returncode == 1
    assert re.search(r"error: .* is not a data set.*\n$", done.stderr)


@pytest.mark.slow
def test_the_tutorial_model_is_trained_and_compared(
    run_benchmark, data_dir, trained_mlp, tmp_path
):
    flags = [f"--data_dir={data_dir}", f"--workdir={tmp_path}/tutorial"]
    flags += [f"--runs={trained_mlp}", "--hours=0.0001"]
    done = run_benchmark("tutorial.train", *flags)
    assert done.returncode == 0, done.stderr
    *epochs, tutorial, comparison = done.stdout.splitlines()
    history = json.loads((tmp_path / "tutorial/history.json").read_text())
    test = json.loads((tmp_path / "tutorial/metrics.json").read_text())
    assert len(epochs) == len(history) == 1
    assert history[0]["seconds"] > 0
    assert f"top-1 {history[0]['validation_top1']:.4f} after" in tutorial
    assert f"macro {test['macro_top1']:.4f}, MAP@3 {test['map3']:.4f}" in tutorial
    assert test["examples"] > 0
    assert comparison.startswith(f"{trained_mlp}: ")
    assert "reached validation top-1" in comparison
    again = run_benchmark("tutorial.train", *flags)
    assert again.stdout.splitlines() == [tutorial, comparison]


def test_the_time_to_a_top1_ends_with_an_epoch():
    tops = [(0.3, 10.0), (0.6, 11.0), (0.5, 12.0), (0.8, 13.0)]
    history = [{"validation_top1": top1, "seconds": took} for top1, took in tops]
    assert train_tutorial.compute_seconds_to(history, 0.3) == 10
    assert train_tutorial.compute_seconds_to(history, 0.55) == 21
    assert train_tutorial.compute_seconds_to(history, 0.6) == 21
    assert train_tutorial.compute_seconds_to(history, 0.7) == 46
    assert train_tutorial.compare(history, 0.7, 460).endswith(
        "after 46 s, 0.100 of the tutorial's time"
    )
    assert "never reached" in train_tutorial.compare(history, 0.81, 460)
