"""The ancestor's way to a data set, at its best, for `benchmarks.create_dataset`.

The method of TensorFlow's tutorial `tutorials/rnn/quickdraw/create_dataset.py`: a
line at a time through json and numpy into a `tf.train.Example`, to one of ten files
taken at random. Its faults that cost time or never end are repaired: each file is read
to its end, and once.
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
    """Parses a line to `<float32>[T - 1, 3]`, scaled to 0..1, and its word."""
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


def to_example(ink: np.ndarray, class_index: int) -> tf.train.Example:
    def ints(values: list[int]) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    floats = tf.train.FloatList(value=ink.ravel())
    feature = {
        "class_index": ints([class_index]),
        "ink": tf.train.Feature(float_list=floats),
        "shape": ints(list(ink.shape)),
    }
    return tf.train.Example(features=tf.train.Features(feature=feature))


def convert(source: str, output_dir: str) -> int:
    """Turns all files of a folder into ten shards; gives the number of drawings."""
    os.makedirs(output_dir)
    paths = [
        os.path.join(output_dir, f"train-{shard:05d}-of-{NUM_SHARDS:05d}.tfrecord")
        for shard in range(NUM_SHARDS)
    ]
    writers = [tf.io.TFRecordWriter(path) for path in paths]
    rng = random.Random(0)
    classes: dict[str, int] = {}
    number = 0
    for line in _lines(source):
        ink, word = parse_line(line)
        class_index = classes.setdefault(word, len(classes))
        example = to_example(ink, class_index)
        rng.choice(writers).write(example.SerializeToString())
        number += 1
    for writer in writers:
        writer.close()
    return number


def _lines(source: str) -> Iterator[str]:
    for name in sorted(os.listdir(source)):
        with open(os.path.join(source, name), encoding="utf-8") as file:
            yield from file


def _define_flags() -> None:
    flags.DEFINE_string("input", None, "Folder of ndjson.")
    flags.DEFINE_string("output_dir", None, "Folder for the shards.")


def main() -> None:
    """Converts what the flags say."""
    print(f"{convert(flags.FLAGS.input, flags.FLAGS.output_dir):,} drawings")


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
