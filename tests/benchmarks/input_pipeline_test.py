"""The benchmark takes whole epochs in every way and tells what is padding."""

import pytest

from benchmarks import input_pipeline as benchmark
from rnn_model import input_pipeline
from tfrecords.dataset_info import load_dataset_info


def test_every_way_has_its_speed_and_padding(measure, data_dir):
    done = measure("input_pipeline", "--rounds=1", f"--data_dir={data_dir}")
    assert done.returncode == 0, done.stderr
    head, *lines = done.stdout.splitlines()
    assert head.split() == ["drawings/s", "of", "CPU", "time", "padding"]
    rows = {line[:22].strip(): line[22:].split() for line in lines}
    assert list(rows) == list(benchmark.WAYS)
    for speed, of_cpu, _ in rows.values():
        assert int(speed.replace(",", "")) > 0
        assert int(of_cpu.replace(",", "")) > 0
    padding = {name: float(row[2].rstrip("%")) for name, row in rows.items()}
    assert 0 < padding["by length"] < padding["mixed"] < 100


def test_padding_is_what_batches_hold_beside_points(data_dir):
    info = load_dataset_info(str(data_dir))
    settings = {"by_length": False, "augment": False}
    measured = benchmark.measure(info, str(data_dir), 1, **settings)
    batches = input_pipeline.training_batches(
        info,
        str(data_dir),
        benchmark.BATCH_SIZE,
        seed=0,
        epochs=range(1, 2),
        **settings,
    )
    empty = total = 0
    for batch in batches.as_numpy_iterator():
        _, columns, _ = batch["ink"].shape
        total += columns * len(batch["length"])
        empty += sum(columns - length for length in batch["length"])
    assert measured.padding == pytest.approx(empty / total)
    assert measured.drawings == info.split("train").examples
