"""Records → batches: read, shuffle, parse many at once, bucket by length, pad.

    epoch ─▶ shards ─▶ records ─ repeat, shuffle ─▶ window of 128 batches
      ─ parse ─ sort by length ─▶ batches ─ augment ─ pad ─▶

Within a window the drawings are sorted by length, so that a batch holds drawings of
about one length and is padded little; the order of the batches is then random. The rnn
takes its drawings in random order instead: padding does not reach its network, whose
first layer walks every drawing in as many steps (see `models.Walk`).
Drawings of rare classes are repeated where the records are read (see `balance`).
Bitmaps have no length: they are not sorted, and they are not augmented.
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

SHUFFLE_RECORDS = 16384
"""Records that are shuffled at once; the shards are well shuffled already."""


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
    epochs: range,
    augment: bool,
    partial: float = 0.0,
    repeats: np.ndarray | None = None,
    by_length: bool = True,
    skip: int = 0,
) -> tf.data.Dataset:
    """Gives the drawings of the train split, epoch after epoch.

    A batch holds what one of `evaluation_batches` does, and

        copy         <int64>[batch], from 0 on where a drawing is repeated

    The batches of an epoch depend on its number and the seed alone, not on the epochs
    before it. All epochs are one data set, as to build one takes a second.

    Args:
      info, data_dir: the data set.
      batch_size: drawings in a batch; the last of an epoch may hold fewer.
      seed, epochs: the same give the same batches.
      augment: change each at random (see `augmentation`), cutting the share `partial`
        of them short.
      repeats: `<int64>[classes]`, how often each class's drawings come; once without.
      by_length: put drawings of about one length together: there is little padding.
      skip: leave out so many batches, as when a run goes on in mid-epoch.
    """
    shards = _shards(info, data_dir, "train")
    if repeats is None:
        repeats = np.ones(len(info.classes), np.int64)
    by_length = by_length and info.kind == schema.INK

    def windows_of(epoch: tf.Tensor) -> tf.data.Dataset:
        seeds = tf.random.experimental.stateless_split([seed, epoch], 3)
        some = tf.random.experimental.stateless_shuffle(shards, seeds[0])
        blocks = _with_seeds(_records(info, some).batch(SHUFFLE_RECORDS), seeds[1])
        shown = blocks.map(lambda block, seed: _repeat(block, repeats, seed))
        windows = _with_seeds(shown.rebatch(WINDOW * batch_size), seeds[2])
        return windows.map(lambda window, seed: (window, seed, epoch))

    def parse(
        serialized: dict[str, tf.Tensor], seed: tf.Tensor, epoch: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        window = decode.parse_examples(serialized["record"], info.kind)
        window["copy"] = serialized["copy"]
        return _sort(window, seed) if by_length else window, seed, epoch

    def finish(batch: dict[str, tf.Tensor], epoch: tf.Tensor) -> dict[str, tf.Tensor]:
        if augment and info.kind == schema.INK:
            batch = augmentation.augment(batch, seed, epoch, partial)
        return _pad(batch)

    numbers = tf.data.Dataset.range(epochs.start, epochs.stop, epochs.step)
    windows = numbers.flat_map(windows_of).map(
        parse, num_parallel_calls=1, deterministic=True
    )
    batches = windows.flat_map(
        lambda window, seed, epoch: _split_window(window, batch_size, seed).map(
            lambda batch: (batch, epoch)
        )
    )
    return (
        batches.skip(skip)
        .map(finish, num_parallel_calls=2, deterministic=True)
        .prefetch(4)
    )


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

    def parse(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        window = decode.parse_examples(serialized, info.kind)
        return _sort(window) if info.kind == schema.INK else window

    return (
        windows.map(parse, num_parallel_calls=1)
        .flat_map(lambda window: _split_window(window, batch_size))
        .map(_pad)
        .prefetch(4)
    )


def _shards(info: DatasetInfo, data_dir: str, split: str) -> list[str]:
    return [
        tf.io.gfile.join(data_dir, shard.name) for shard in info.split(split).shards
    ]


def _records(info: DatasetInfo, shards: list[str] | tf.Tensor) -> tf.data.Dataset:
    kind = "GZIP" if info.compression == "gzip" else ""
    return tf.data.Dataset.from_tensor_slices(shards).interleave(
        lambda path: tf.data.TFRecordDataset(path, compression_type=kind),
        cycle_length=4,
        block_length=64,
        num_parallel_calls=2,
        deterministic=True,
    )


def _with_seeds(elements: tf.data.Dataset, seed: tf.Tensor) -> tf.data.Dataset:
    """Pairs each element with a seed `<int64>[2]` of its own."""
    fold = tf.random.experimental.stateless_fold_in
    return elements.enumerate().map(lambda number, some: (some, fold(seed, number)))


def _repeat(
    serialized: tf.Tensor, repeats: np.ndarray, seed: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Gives record `<string>[shown]` and copy `<int64>[shown]`, in random order."""
    times = tf.gather(repeats, decode.parse_classes(serialized))
    source = tf.repeat(tf.range(tf.size(times)), times)
    first = tf.gather(tf.cumsum(times, exclusive=True), source)
    copy = tf.range(tf.size(source, tf.int64)) - first
    order = tf.random.experimental.stateless_shuffle(tf.range(tf.size(source)), seed)
    return {
        "record": tf.gather(serialized, tf.gather(source, order)),
        "copy": tf.gather(copy, order),
    }


def _sort(
    window: dict[str, tf.Tensor], seed: tf.Tensor | None = None
) -> dict[str, tf.Tensor]:
    """Sorts drawings by length.

    With a seed by about their length only: else a small data set would give the same
    batches in every epoch.
    """
    key = tf.cast(window["length"], tf.float32)
    if seed is not None:
        key *= tf.random.stateless_uniform(tf.shape(key), seed, *LENGTH_NOISE)
    order = tf.argsort(key, stable=True)
    return {name: tf.gather(value, order) for name, value in window.items()}


def _split_window(
    window: dict[str, tf.Tensor], batch_size: int, seed: tf.Tensor | None = None
) -> tf.data.Dataset:
    """Cuts a window into batches, in random order if there is a seed."""
    total = tf.shape(window["class_index"])[0]
    starts = tf.range(0, total, batch_size)
    if seed is not None:
        starts = tf.random.experimental.stateless_shuffle(starts, seed)
    return tf.data.Dataset.from_tensor_slices(starts).map(
        lambda start: {k: v[start : start + batch_size] for k, v in window.items()}
    )


def _pad(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Pads the ink, if there is any, to the longest drawing of the batch."""
    if schema.INK not in batch:
        return batch
    return batch | {schema.INK: decode.to_dense(batch[schema.INK])}
