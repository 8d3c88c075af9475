"""Records → batches: read, shuffle, parse, sort by length, augment, pad.

    epoch ─▶ shards ─▶ records ─ repeat, shuffle ─▶ window of 128 batches
      ─ parse ─ sort by length ─▶ batches ─ augment ─ pad ─▶

Within a window, drawings are sorted by length, so that the drawings of a batch have
about the same length and little padding is added. The order of the batches is random.

The rnn takes drawings in random order instead: its first layer resamples every drawing
to the same number of points (see `models.resample`), so padding does not cost much, and
its batch normalization needs batches with drawings of all lengths.

Drawings of rare classes are repeated (see `training.class_balance`). Bitmaps are
neither sorted nor augmented.

Each worker of a cluster reads all records and makes the same batches, and takes its own
rows of each; if they need not be sorted by length, before they are parsed.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnn_model import augmentation
from tfrecords import decode, schema
from tfrecords.dataset_info import DatasetInfo

WINDOW_BATCHES = 128
"""Batches that are parsed and sorted together; then less than 10 % is padding."""

LENGTH_NOISE = (0.97, 1.03)
"""Range of the random factor by which a length is multiplied before sorting."""

SHUFFLE_RECORDS = 16384
"""Size of the shuffled blocks; `pipeline` has shuffled the shards already."""

WorkerRows = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
"""Sizes of global batches → first rows and ends of a worker's rows."""


class _BatchBounds(NamedTuple):
    """How a window is split into batches; each field is `<int32>[batches]`.

    Attributes:
      begin: first row of each batch in the window.
      end: row after the last.
      global_size: size of the global batch, of which the rows may be a part.
    """

    begin: tf.Tensor
    end: tf.Tensor
    global_size: tf.Tensor


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
    sort_by_length: bool = True,
    skip: int = 0,
    worker_rows: WorkerRows | None = None,
) -> tf.data.Dataset:
    """Returns batches of the train split, epoch after epoch.

    The batches have the features of `evaluation_batches`, and

        copy         <int64>[batch], 0, 1, … for the repetitions of a drawing

    The batches of an epoch depend only on its number and the seed. All epochs are one
    dataset, because it takes a second to create one.

    Args:
      info: the data set.
      data_dir: its folder.
      batch_size: drawings per batch; the last batch of an epoch may be smaller.
      seed: seed of all randomness.
      epochs: numbers of the epochs.
      augment: whether to change each drawing randomly (see `augmentation`).
      partial: with `augment`, the share of the drawings that are truncated.
      repeats: `<int64>[classes]`, how often the drawings of each class are shown per
        epoch; once by default.
      sort_by_length: whether the drawings of a batch have about the same length.
      skip: number of batches to skip, when a run is resumed within an epoch.
      worker_rows: the rows to take of each batch; all by default.
    """
    shards = _shard_paths(info, data_dir, "train")
    if repeats is None:
        repeats = np.ones(len(info.classes), np.int64)
    sort_by_length = sort_by_length and info.kind == schema.INK

    def make_windows(epoch: tf.Tensor) -> tf.data.Dataset:
        seeds = tf.random.experimental.stateless_split([seed, epoch], 3)
        shuffled = tf.random.experimental.stateless_shuffle(shards, seeds[0])
        blocks = _read_records(info, shuffled).batch(SHUFFLE_RECORDS)
        blocks = _add_seeds(blocks, seeds[1])
        shown = blocks.map(lambda block, seed: _repeat(block, repeats, seed))
        windows = _add_seeds(shown.rebatch(WINDOW_BATCHES * batch_size), seeds[2])
        return windows.map(lambda window, seed: (window, seed, epoch))

    def parse(
        serialized: dict[str, tf.Tensor], seed: tf.Tensor, epoch: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], _BatchBounds, tf.Tensor, tf.Tensor]:
        bounds = _split_evenly(tf.size(serialized["copy"]), batch_size)
        if not sort_by_length:
            serialized, bounds = _take_rows(serialized, bounds, worker_rows)
        window = decode.parse_examples(serialized["record"], info.kind)
        window["copy"] = serialized["copy"]
        if sort_by_length:
            window, bounds = _take_rows(_sort(window, seed), bounds, worker_rows)
        return window, bounds, seed, epoch

    def finish(batch: dict[str, tf.Tensor], epoch: tf.Tensor) -> dict[str, tf.Tensor]:
        if augment and info.kind == schema.INK:
            batch = augmentation.augment(batch, seed, epoch, partial)
        return _pad(batch)

    epoch_numbers = tf.data.Dataset.range(epochs.start, epochs.stop, epochs.step)
    windows = epoch_numbers.flat_map(make_windows).map(
        parse, num_parallel_calls=1, deterministic=True
    )
    batches = windows.flat_map(
        lambda window, bounds, seed, epoch: _split_window(window, bounds, seed).map(
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
    """Returns all drawings of a split once, in batches.

    The features of a batch:

        ink          <float32>[batch, time, 3], padded with zeros
        length       <int32>[batch], number of points of each drawing
        class_index  <int64>[batch]
        recognized   <int64>[batch]
        key_id       <string>[batch]
        countrycode  <string>[batch], empty if unknown
        drawings     <int32>[], size of the global batch, of which this may be a part

    Records of bitmaps have, instead of ink and length:

        bitmap       <float32>[batch, 28, 28, 1], from 0 to 1, white ink on black

    Args:
      info: the data set.
      data_dir: its folder.
      split: name of the split.
      batch_size: drawings per batch; the last batch may be smaller.
    """
    records = _read_records(info, _shard_paths(info, data_dir, split))
    windows = records.batch(WINDOW_BATCHES * batch_size)

    def parse(serialized: tf.Tensor) -> tuple[dict[str, tf.Tensor], _BatchBounds]:
        window = decode.parse_examples(serialized, info.kind)
        bounds = _split_evenly(tf.size(serialized), batch_size)
        return _sort(window) if info.kind == schema.INK else window, bounds

    return (
        windows.map(parse, num_parallel_calls=1)
        .flat_map(_split_window)
        .map(_pad)
        .prefetch(4)
    )


def _shard_paths(info: DatasetInfo, data_dir: str, split: str) -> list[str]:
    return [
        tf.io.gfile.join(data_dir, shard.name) for shard in info.split(split).shards
    ]


def _read_records(info: DatasetInfo, shards: list[str] | tf.Tensor) -> tf.data.Dataset:
    compression = "GZIP" if info.compression == "gzip" else ""
    return tf.data.Dataset.from_tensor_slices(shards).interleave(
        lambda path: tf.data.TFRecordDataset(path, compression_type=compression),
        cycle_length=4,
        block_length=64,
        num_parallel_calls=2,
        deterministic=True,
    )


def _add_seeds(dataset: tf.data.Dataset, seed: tf.Tensor) -> tf.data.Dataset:
    """Adds a different seed `<int64>[2]` to each element."""
    fold_in = tf.random.experimental.stateless_fold_in
    return dataset.enumerate().map(
        lambda number, element: (element, fold_in(seed, number))
    )


def _repeat(
    serialized: tf.Tensor, repeats: np.ndarray, seed: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Repeats records by class and shuffles them.

    Args:
      serialized: `<string>[records]`.
      repeats: `<int64>[classes]`.
      seed: `<int64>[2]`.

    Returns:
      record `<string>[shown]` and copy `<int64>[shown]`.
    """
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
    """Sorts drawings by length; with a seed, by noisy length.

    Without noise, a small data set would have the same batches in every epoch.
    """
    key = tf.cast(window["length"], tf.float32)
    if seed is not None:
        key *= tf.random.stateless_uniform(tf.shape(key), seed, *LENGTH_NOISE)
    order = tf.argsort(key, stable=True)
    return {name: tf.gather(values, order) for name, values in window.items()}


def _split_evenly(size: tf.Tensor, batch_size: int) -> _BatchBounds:
    """Splits a window into batches of one size; the last one may be smaller."""
    begin = tf.range(0, size, batch_size)
    end = tf.minimum(begin + batch_size, size)
    return _BatchBounds(begin, end, end - begin)


def _take_rows(
    window: dict[str, tf.Tensor], bounds: _BatchBounds, worker_rows: WorkerRows | None
) -> tuple[dict[str, tf.Tensor], _BatchBounds]:
    """Takes the rows of a worker from each batch of a window."""
    if worker_rows is None:
        return window, bounds
    first, end = worker_rows(bounds.global_size)
    rows = tf.ragged.range(bounds.begin + first, bounds.begin + end).values
    taken = {name: tf.gather(values, rows) for name, values in window.items()}
    sizes = end - first
    ends = tf.cumsum(sizes)
    return taken, _BatchBounds(ends - sizes, ends, bounds.global_size)


def _split_window(
    window: dict[str, tf.Tensor], bounds: _BatchBounds, seed: tf.Tensor | None = None
) -> tf.data.Dataset:
    """Splits a window into batches; with a seed, in random order."""
    if seed is not None:
        numbers = tf.range(tf.size(bounds.begin))
        order = tf.random.experimental.stateless_shuffle(numbers, seed)
        bounds = _BatchBounds(*(tf.gather(values, order) for values in bounds))

    def slice_batch(
        begin: tf.Tensor, end: tf.Tensor, global_size: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        batch = {name: values[begin:end] for name, values in window.items()}
        return batch | {"drawings": global_size}

    return tf.data.Dataset.from_tensor_slices(tuple(bounds)).map(slice_batch)


def _pad(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Pads the ink, if there is any, to the longest drawing of the batch."""
    if schema.INK not in batch:
        return batch
    return batch | {schema.INK: decode.to_dense(batch[schema.INK])}
