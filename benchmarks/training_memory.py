"""Measures the memory of training with few and with many drawings.

    python -m benchmarks.training_memory --data_dir=DIR

Trains for --seconds on the data set repeated to 100,000 drawings, then to 4,000,000.
The repeated shards are links and use no disk space. The peak is the maximum resident
memory of the process, including about 570 MiB of TensorFlow itself.
"""

import dataclasses
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from absl import flags

from pipeline import cli
from rnn_model import config
from tfrecords import dataset_info
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

SIZES = (100_000, 4_000_000)


class Measurement(NamedTuple):
    """Number of drawings a run was trained on, and its peak memory in bytes."""

    drawings: int
    peak_bytes: int


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_enum("model", config.MODELS[0], config.MODELS, "Name of the model.")
    flags.DEFINE_float("seconds", 120.0, "Duration of a training.", lower_bound=1.0)


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    cli.require("data_dir")
    info = load_dataset_info(values.data_dir)
    peaks = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            data_dir, workdir = Path(folder) / "data", Path(folder) / "run"
            times = math.ceil(size / info.split("train").examples)
            repeated = repeat_train_split(info, values.data_dir, data_dir, times)
            run = measure_training(repeated, data_dir, workdir)
        peaks.append(run.peak_bytes)
        print(
            f"{repeated.split('train').examples:>11,} drawings: "
            f"{run.peak_bytes / 2**20:,.0f} MiB after training on {run.drawings:,}",
            flush=True,
        )
    print(f"{(peaks[1] - peaks[0]) / 2**20:+,.0f} MiB")


def repeat_train_split(
    info: DatasetInfo, data_dir: str, output_dir: Path, times: int
) -> DatasetInfo:
    """Creates a data set of links, with the train split repeated."""
    split = info.split("train")
    repeated = {
        f"{number}-{shard.name}": shard
        for number in range(times)
        for shard in split.shards
    }
    other_shards = {
        shard.name: shard
        for name, part in info.splits.items()
        if name != "train"
        for shard in part.shards
    }
    output_dir.mkdir()
    for name, shard in (repeated | other_shards).items():
        (output_dir / name).symlink_to(Path(data_dir).resolve() / shard.name)
    shards = [dataclasses.replace(shard, name=name) for name, shard in repeated.items()]
    counts = tuple(count * times for count in split.class_counts)
    train = dataset_info.Split(tuple(shards), counts)
    result = dataclasses.replace(info, splits={**info.splits, "train": train})
    (output_dir / dataset_info.FILE_NAME).write_text(result.to_json())
    return result


def measure_training(info: DatasetInfo, data_dir: Path, workdir: Path) -> Measurement:
    """Trains for a while, then stops the run, which writes a checkpoint."""
    settings = {"model": flags.FLAGS.model, "data_dir": data_dir, "workdir": workdir}
    settings |= {"epochs": 1000, "patience": 1000}
    process = subprocess.Popen(
        [sys.executable, "train.py"]
        + [f"--{name}={value}" for name, value in settings.items()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not (workdir / "config.json").exists():
        time.sleep(0.1)
    time.sleep(flags.FLAGS.seconds)
    process.send_signal(signal.SIGTERM)
    stderr = process.stderr.read()
    match = re.search(r"stopped after epoch (\d+)(?: and ([\d,]+) drawings)?", stderr)
    if match is None:
        raise ValueError(f"training ended too early: {stderr.strip()}")
    usage = os.wait4(process.pid, 0)[2]
    epochs, remainder = int(match[1]), int((match[2] or "0").replace(",", ""))
    drawings = epochs * info.split("train").examples + remainder
    return Measurement(drawings, usage.ru_maxrss << 10)


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
