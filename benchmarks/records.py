"""Compare the project's own codecs with the libraries that could replace them.

    python -m benchmarks.records

Prints drawings per second of CPU time on one core for `tfrecords.encode` and
`tfrecords.read` against protobuf with TensorFlow's message classes, and for
`pipeline.formats.text.json_strokes` against msgspec and json. The results must be
equal.
"""

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import tensorflow as tf
from absl import flags

from pipeline import cli, strokes
from pipeline.formats.text.json_strokes import pack_json
from pipeline.report.text_table import format_table
from pipeline.sample import drawings
from pipeline.sample.shapes import CLASSES
from tfrecords import encode, read

_decode_strokes = msgspec.json.Decoder(list[tuple[list[int], list[int]]]).decode


def _define_flags() -> None:
    flags.DEFINE_integer("drawings", 2000, "Number of drawings.")
    flags.DEFINE_integer("rounds", 5, "Number of rounds; the fastest one counts.")


def encode_with_protobuf(ink: np.ndarray) -> bytes:
    """Serializes a drawing as `encode.encode_example` does."""

    def int64s(*values: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    def text(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    features = {
        "ink": tf.train.Feature(float_list=tf.train.FloatList(value=ink.ravel())),
        "shape": int64s(*ink.shape),
        "class_index": int64s(3),
        "key_id": text(b"5891796615823360"),
        "countrycode": text(b"DE"),
        "timestamp": text(b"2017-03-01 20:41:36.7 UTC"),
        "recognized": int64s(1),
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def encode_own(ink: np.ndarray) -> bytes:
    """Serializes a drawing with `tfrecords.encode`."""
    return encode.encode_example(
        ink=ink,
        class_index=3,
        key_id="5891796615823360",
        countrycode="DE",
        timestamp="2017-03-01 20:41:36.7 UTC",
        recognized=1,
    )


def parse_with_protobuf(data: bytes) -> tuple[Any, ...]:
    """Reads the values of a record with protobuf."""
    feature = tf.train.Example.FromString(data).features.feature
    ink = np.array(feature["ink"].float_list.value, np.float32).reshape(-1, 3)
    names = ("key_id", "countrycode", "timestamp")
    texts = [feature[name].bytes_list.value[0].decode() for name in names]
    names = ("class_index", "recognized")
    return ink, *texts, *(feature[name].int64_list.value[0] for name in names)


def main() -> None:
    """Measures, and prints a table."""
    rng = np.random.default_rng(0)
    number = flags.FLAGS.drawings
    words = itertools.islice(itertools.cycle(CLASSES), number)
    simplified = [drawings.draw(word, rng) for word in words]
    inks = [strokes.to_ink(strokes.to_points(drawing)) for drawing in simplified]
    texts = [json.dumps(d, separators=(",", ":")).encode() for d in simplified]
    records = list(map(encode_own, inks))
    assert records == list(map(encode_with_protobuf, inks))

    def pack(decode: Callable[[bytes], Any]) -> list[bytes]:
        return [strokes.to_points(decode(text)).tobytes() for text in texts]

    assert pack_json(texts) == pack(json.loads) == pack(_decode_strokes)
    candidates: dict[str, Callable[[], Any]] = {
        "tfrecords.encode": lambda: list(map(encode_own, inks)),
        "protobuf, serialize": lambda: list(map(encode_with_protobuf, inks)),
        "tfrecords.read": lambda: list(map(read.parse_record, records)),
        "protobuf, parse": lambda: list(map(parse_with_protobuf, records)),
        "json_strokes": lambda: pack_json(texts),
        "msgspec, typed": lambda: pack(_decode_strokes),
        "json": lambda: pack(json.loads),
    }
    seconds = {name: float("inf") for name in candidates}
    for _ in range(flags.FLAGS.rounds):
        for name, run in candidates.items():
            started = time.process_time()
            run()
            seconds[name] = min(seconds[name], time.process_time() - started)
    rows = [(name, round(number / each)) for name, each in seconds.items()]
    print(format_table(["codec", "drawings/s"], rows))


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")
