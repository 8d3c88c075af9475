"""The data preparation of the TensorFlow tutorial, for `benchmarks.create_dataset`.

The method of `tutorials/rnn/quickdraw/create_dataset.py`: each line is parsed with json
and numpy into a `tf.train.Example` and written to one of ten files at random. Faults of
the original that cost time or cause an endless loop are fixed: each file is read once,
to its end.
"""

import json
import os
import random
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from absl import flags

from pipeline import cli

NUM_SHARDS = 10


def parse_line(line: str) -> tuple[np.ndarray, str]:
    """Parses a line.

    Returns:
      The ink `<float32>[T - 1, 3]`, scaled to 0..1, and the word.
    """
    sample = json.loads(line)
    strokes = sample["drawing"]
    ink = np.zeros((sum(len(stroke[0]) for stroke in strokes), 3), np.float32)
    start = 0
    for stroke in strokes:
        end = start + len(stroke[0])
        ink[start:end, 0] = stroke[0]
        ink[start:end, 1] = stroke[1]
        ink[end - 1, 2] = 1
        start = end
    lower = ink[:, :2].min(axis=0)
    scale = ink[:, :2].max(axis=0) - lower
    scale[scale == 0] = 1
    ink[:, :2] = (ink[:, :2] - lower) / scale
    ink[1:, :2] -= ink[:-1, :2].copy()
    return ink[1:], sample["word"]


def make_example(ink: np.ndarray, class_index: int) -> tf.train.Example:
    """Makes the tutorial's record of a drawing."""

    def int64_feature(values: list[int]) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    floats = tf.train.FloatList(value=ink.ravel())
    feature = {
        "class_index": int64_feature([class_index]),
        "ink": tf.train.Feature(float_list=floats),
        "shape": int64_feature(list(ink.shape)),
    }
    return tf.train.Example(features=tf.train.Features(feature=feature))


def convert(input_dir: str, output_dir: str) -> int:
    """Converts all ndjson files of a folder; returns the number of drawings."""
    os.makedirs(output_dir)
    paths = [
        os.path.join(output_dir, f"train-{shard:05d}-of-{NUM_SHARDS:05d}.tfrecord")
        for shard in range(NUM_SHARDS)
    ]
    writers = [tf.io.TFRecordWriter(path) for path in paths]
    rng = random.Random(0)
    class_indices: dict[str, int] = {}
    num_drawings = 0
    for line in _read_lines(input_dir):
        ink, word = parse_line(line)
        class_index = class_indices.setdefault(word, len(class_indices))
        example = make_example(ink, class_index)
        rng.choice(writers).write(example.SerializeToString())
        num_drawings += 1
    for writer in writers:
        writer.close()
    return num_drawings


def _read_lines(input_dir: str) -> Iterator[str]:
    for name in sorted(os.listdir(input_dir)):
        with open(os.path.join(input_dir, name), encoding="utf-8") as file:
            yield from file


def _define_flags() -> None:
    flags.DEFINE_string("input", None, "Folder of ndjson files.")
    flags.DEFINE_string("output_dir", None, "Folder for the shards.")


def main() -> None:
    """Runs the command with the parsed flags."""
    print(f"{convert(flags.FLAGS.input, flags.FLAGS.output_dir):,} drawings")


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
