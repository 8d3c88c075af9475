"""The benchmark measures whole epochs and their padding."""

import pytest

from benchmarks import input_pipeline as benchmark
from rnn_model import input_pipeline
from tfrecords.dataset_info import load_dataset_info


def test_every_variant_is_measured(run_benchmark, data_dir):
    done = run_benchmark("input_pipeline", "--rounds=1", f"--data_dir={data_dir}")
    assert done.returncode == 0, done.stderr
    head, _, *lines = done.stdout.splitlines()
    assert head.split() == ["drawings/s", "per", "CPU", "second", "padding"]
    rows = {line[:20].strip(): line[20:].split() for line in lines}
    assert list(rows) == list(benchmark.VARIANTS)
    for speed, per_cpu_second, _ in rows.values():
        assert int(speed.replace(",", "")) > 0
        assert int(per_cpu_second.replace(",", "")) > 0
    padding = {name: float(row[2].rstrip("%")) for name, row in rows.items()}
    assert 0 < padding["by length"] < padding["shuffled"] < 100


def test_padding_is_the_share_of_time_steps_without_points(data_dir):
    info = load_dataset_info(str(data_dir))
    settings = {"sort_by_length": False, "augment": False}
    measured = benchmark.measure_epoch(info, str(data_dir), 1, **settings)
    batches = input_pipeline.training_batches(
        info,
        str(data_dir),
        benchmark.BATCH_SIZE,
        seed=0,
        epochs=range(1, 2),
        **settings,
    )
    padded = total = 0
    for batch in batches.as_numpy_iterator():
        _, columns, _ = batch["ink"].shape
        total += columns * len(batch["length"])
        padded += sum(columns - length for length in batch["length"])
    assert measured.padding == pytest.approx(padded / total)
    assert measured.drawings == info.split("train").examples
