"""Records → batches: read, shuffle, parse many at once, bucket by length, pad.

    shards ─▶ records ─▶ window of 128 batches ─ parse ─ sort by length ─▶ batches

Within a window the drawings are sorted by length, so that a batch holds drawings of
about one length and is padded little; the order of the batches is then random. The rnn
takes its drawings in random order instead: padding does not reach its network, whose
first layer walks every drawing in as many steps (see `models.Walk`).
Drawings of rare classes are repeated where the records are read (see `balance`).
Bitmaps have no length: they stay in order, and they are not augmented.
"""

import numpy as np
import tensorflow as tf

from rnn_model import augmentation
from tfrecords import dataset_info, decode, schema
from tfrecords.dataset_info import DatasetInfo

WINDOW = 128
"""Batches that are parsed and sorted at once: less than 10 % of them are padding."""

LENGTH_NOISE = (0.97, 1.03)
"""By what a drawing's length is multiplied, at random, before the sort."""

SHUFFLE_RECORDS = 8192
"""Records among which the next is drawn; the shards are well shuffled already."""


def load_info(data_dir: str) -> DatasetInfo:
    """Loads the info of a data set, local or remote (see `dataset_info.load`)."""

    def read_text(name: str) -> str | None:
        path = tf.io.gfile.join(data_dir, name)
        if not tf.io.gfile.exists(path):
            return None
        with tf.io.gfile.GFile(path) as file:
            return file.read()

    def size_of(name: str) -> int | None:
        path = tf.io.gfile.join(data_dir, name)
        return tf.io.gfile.stat(path).length if tf.io.gfile.exists(path) else None

    return dataset_info.load(data_dir, read_text, size_of)


def training_batches(
    info: DatasetInfo,
    data_dir: str,
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    augment: bool,
    partial: float = 0.0,
    repeats: np.ndarray | None = None,
    by_length: bool = True,
    skip: int = 0,
) -> tf.data.Dataset:
    """Gives the drawings of the train split in an order of (seed, epoch).

    A batch holds what one of `evaluation_batches` does, and

        copy         <int64>[batch], from 0 on where a drawing is repeated

    Args:
      info, data_dir: the data set.
      batch_size: drawings in a batch; the last may hold fewer.
      seed, epoch: the same give the same batches.
      augment: change each at random (see `augmentation`), cutting the share `partial`
        of them short.
      repeats: `<int64>[classes]`, how often each class's drawings come; once without.
      by_length: put drawings of about one length together: there is little padding.
      skip: leave out so many batches, as when a run goes on in mid-epoch.
    """
    rng = np.random.default_rng([seed, epoch])
    shards = rng.permutation(_shards(info, data_dir, "train"))
    records = _records(info, shards).shuffle(
        SHUFFLE_RECORDS, seed=_draw(rng), reshuffle_each_iteration=False
    )
    if repeats is None:
        repeats = np.ones(len(info.classes), np.int64)
    shown = records.batch(WINDOW * batch_size).map(
        lambda serialized: _repeat(serialized, repeats)
    )
    windows = _with_seeds(shown.rebatch(WINDOW * batch_size), rng).map(
        lambda some, seed: (
            _parse_window(some["record"], info.kind, seed, by_length, some["copy"]),
            seed,
        ),
        num_parallel_calls=1,
        deterministic=True,
    )
    batches = windows.flat_map(
        lambda window, seed: _split_window(window, batch_size, seed)
    ).skip(skip)
    if augment and info.kind == schema.INK:
        batches = batches.map(
            lambda batch: augmentation.augment(batch, seed, epoch, partial),
            num_parallel_calls=2,
            deterministic=True,
        )
    return batches.prefetch(4)


def evaluation_batches(
    info: DatasetInfo, data_dir: str, split: str, batch_size: int
) -> tf.data.Dataset:
    """Gives every drawing of a split once; each batch is a dict of

        ink          <float32>[batch, time, 3], padded with zeros
        length       <int32>[batch], points in each drawing
        class_index  <int64>[batch]
        recognized   <int64>[batch]
        key_id       <string>[batch]

    Of a data set of bitmaps, in place of ink and length:

        bitmap       <float32>[batch, 28, 28, 1], 0 to 1, white ink on black

    The last batch may be smaller.
    """
    windows = _records(info, _shards(info, data_dir, split)).batch(WINDOW * batch_size)
    return (
        windows.map(lambda some: _parse_window(some, info.kind), num_parallel_calls=1)
        .flat_map(lambda window: _split_window(window, batch_size, None))
        .prefetch(4)
    )


def _shards(info: DatasetInfo, data_dir: str, split: str) -> list[str]:
    return [
        tf.io.gfile.join(data_dir, shard.name) for shard in info.split(split).shards
    ]


def _records(info: DatasetInfo, shards: list[str]) -> tf.data.Dataset:
    kind = "GZIP" if info.compression == "gzip" else ""
    return tf.data.Dataset.from_tensor_slices(shards).interleave(
        lambda path: tf.data.TFRecordDataset(path, compression_type=kind),
        cycle_length=4,
        block_length=64,
        num_parallel_calls=2,
        deterministic=True,
    )


def _with_seeds(elements: tf.data.Dataset, rng: np.random.Generator) -> tf.data.Dataset:
    """Pairs each element with a seed `<int64>[2]` of its own."""
    first, second = _draw(rng), _draw(rng)
    seeds = tf.data.Dataset.counter().map(
        lambda number: tf.stack([first, second + number])
    )
    return tf.data.Dataset.zip(elements, seeds)


def _repeat(serialized: tf.Tensor, repeats: np.ndarray) -> dict[str, tf.Tensor]:
    """Gives record `<string>[shown]` and copy `<int64>[shown]`, by class."""
    times = tf.gather(repeats, decode.parse_classes(serialized))
    source = tf.repeat(tf.range(tf.size(times)), times)
    first = tf.gather(tf.cumsum(times, exclusive=True), source)
    copy = tf.range(tf.size(source, tf.int64)) - first
    return {"record": tf.gather(serialized, source), "copy": copy}


def _parse_window(
    serialized: tf.Tensor,
    kind: str,
    seed: tf.Tensor | None = None,
    by_length: bool = True,
    copy: tf.Tensor | None = None,
) -> dict[str, tf.Tensor]:
    """Parses records `<string>[window]`; sorts ink by length, or at random.

    With a seed by about their length only: else a small data set would give the same
    batches in every epoch.
    """
    window = decode.parse_examples(serialized, kind)
    if copy is not None:
        window["copy"] = copy
    if kind == schema.BITMAP:
        return window
    key = tf.cast(window["length"], tf.float32)
    if seed is not None:
        low, high = LENGTH_NOISE if by_length else (0.0, 1.0)
        random = tf.random.stateless_uniform(tf.shape(key), seed, low, high)
        key = key * random if by_length else random
    order = tf.argsort(key, stable=True)
    return {name: tf.gather(value, order) for name, value in window.items()}


def _split_window(
    window: dict[str, tf.Tensor], batch_size: int, seed: tf.Tensor | None
) -> tf.data.Dataset:
    """Cuts a window into batches, padded, in random order if there is a seed."""
    total = tf.shape(window["class_index"])[0]
    starts = tf.range(0, total, batch_size)
    if seed is not None:
        starts = tf.random.experimental.stateless_shuffle(starts, seed)

    def batch_at(start: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = {k: v[start : start + batch_size] for k, v in window.items()}
        if schema.INK in batch:
            batch[schema.INK] = decode.to_dense(batch[schema.INK])
        return batch

    return tf.data.Dataset.from_tensor_slices(starts).map(batch_at)


def _draw(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 31))
