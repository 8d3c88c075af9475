"""Measures whether training takes more memory when there is more to train on.

    python -m benchmarks.training_memory --data_dir=DIR

Trains for --seconds on a data set repeated to 100,000 drawings, then on it repeated to
4,000,000. What is repeated are links to its shards, so that this takes no room. Peak is
the largest resident memory of the process, TensorFlow's own 570 MiB with it.
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


class Measured(NamedTuple):
    """What a run was trained on, and its largest resident memory in bytes."""

    drawings: int
    peak: int


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_enum("model", config.MODELS[0], config.MODELS, "Which to train.")
    flags.DEFINE_float("seconds", 120.0, "How long to train.", lower_bound=1.0)


def main() -> None:
    """Measures both, and prints a line each."""
    values = flags.FLAGS
    cli.require("data_dir")
    info = load_dataset_info(values.data_dir)
    peaks = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            data_dir, workdir = Path(folder) / "data", Path(folder) / "run"
            times = math.ceil(size / info.split("train").examples)
            whole = repeat(info, values.data_dir, data_dir, times)
            run = measure(whole, data_dir, workdir)
        peaks.append(run.peak)
        print(
            f"{whole.split('train').examples:>11,} drawings: {run.peak / 2**20:,.0f} "
            f"MiB after training on {run.drawings:,}",
            flush=True,
        )
    print(f"{(peaks[1] - peaks[0]) / 2**20:+,.0f} MiB")


def repeat(info: DatasetInfo, data_dir: str, folder: Path, times: int) -> DatasetInfo:
    """Makes a data set of links: another's, with its train split `times` over."""
    split = info.split("train")
    copies = {
        f"{number}-{shard.name}": shard
        for number in range(times)
        for shard in split.shards
    }
    others = {
        shard.name: shard
        for name, part in info.splits.items()
        if name != "train"
        for shard in part.shards
    }
    folder.mkdir()
    for name, shard in (copies | others).items():
        (folder / name).symlink_to(Path(data_dir).resolve() / shard.name)
    shards = [dataclasses.replace(shard, name=name) for name, shard in copies.items()]
    counts = tuple(count * times for count in split.class_counts)
    train = dataset_info.Split(tuple(shards), counts)
    whole = dataclasses.replace(info, splits={**info.splits, "train": train})
    (folder / dataset_info.FILE_NAME).write_text(whole.to_json())
    return whole


def measure(info: DatasetInfo, data_dir: Path, workdir: Path) -> Measured:
    """Trains for a while, then has it stop, which writes a checkpoint."""
    flag_values = {"model": flags.FLAGS.model, "data_dir": data_dir, "workdir": workdir}
    program = [sys.executable, "train.py", "--epochs=1000", "--patience=1000"]
    process = subprocess.Popen(
        [*program, *(f"--{name}={value}" for name, value in flag_values.items())],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not (workdir / "config.json").exists():
        time.sleep(0.1)
    time.sleep(flags.FLAGS.seconds)
    process.send_signal(signal.SIGTERM)
    told = process.stderr.read()
    stopped = re.search(r"stopped after epoch (\d+)(?: and ([\d,]+) drawings)?", told)
    if stopped is None:
        raise ValueError(f"training ended too early: {told.strip()}")
    usage = os.wait4(process.pid, 0)[2]
    epochs, more = int(stopped[1]), int((stopped[2] or "0").replace(",", ""))
    drawings = epochs * info.split("train").examples + more
    return Measured(drawings, usage.ru_maxrss << 10)


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
