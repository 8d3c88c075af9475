"""Records → batches: read, shuffle, parse many at once, bucket by length, pad.

    epoch ─▶ shards ─▶ records ─ repeat, shuffle ─▶ window of 128 batches
      ─ parse ─ sort by length ─▶ batches ─ augment ─ pad ─▶

Within a window the drawings are sorted by length, so that a batch holds drawings of
about one length and is padded little; the order of the batches is then random. The rnn
takes its drawings in random order instead: padding does not reach its network, whose
first layer resamples every drawing to as many points (see `models.resample`).
Drawings of rare classes are repeated where the records are read (see `balance`).
Bitmaps have no length: they are not sorted, and they are not augmented.
Of several workers each reads all records and makes the same batches of them, and takes
its own rows of each: before they are parsed, where it need not know their length.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnn_model import augmentation
from tfrecords import decode, schema
from tfrecords.dataset_info import DatasetInfo

WINDOW = 128
"""Batches that are parsed and sorted at once: less than 10 % of them are padding."""

LENGTH_NOISE = (0.97, 1.03)
"""By what a drawing's length is multiplied, at random, before the sort."""

SHUFFLE_RECORDS = 16384
"""Records that are shuffled at once; the shards are well shuffled already."""

Rows = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
"""Gives the first row to take of a batch of so many drawings, and past the last."""


class _Cuts(NamedTuple):
    """Where a window is cut into batches, each `<int32>[batches]`."""

    begin: tf.Tensor
    end: tf.Tensor
    drawings: tf.Tensor  # in the whole batch, of which these rows may be a part


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
    rows: Rows | None = None,
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
      rows: what to take of each batch (see `cluster.Cluster.rows`); all without.
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
    ) -> tuple[dict[str, tf.Tensor], _Cuts, tf.Tensor, tf.Tensor]:
        cuts = _cuts(tf.size(serialized["copy"]), batch_size)
        if not by_length:
            serialized, cuts = _take(serialized, cuts, rows)
        window = decode.parse_examples(serialized["record"], info.kind)
        window["copy"] = serialized["copy"]
        if by_length:
            window, cuts = _take(_sort(window, seed), cuts, rows)
        return window, cuts, seed, epoch

    def finish(batch: dict[str, tf.Tensor], epoch: tf.Tensor) -> dict[str, tf.Tensor]:
        if augment and info.kind == schema.INK:
            batch = augmentation.augment(batch, seed, epoch, partial)
        return _pad(batch)

    numbers = tf.data.Dataset.range(epochs.start, epochs.stop, epochs.step)
    windows = numbers.flat_map(windows_of).map(
        parse, num_parallel_calls=1, deterministic=True
    )
    batches = windows.flat_map(
        lambda window, cuts, seed, epoch: _split_window(window, cuts, seed).map(
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
        drawings     <int32>[], in the whole batch, of which this may be a part
        countrycode  <string>[batch], empty where not known

    Of a data set of bitmaps, in place of ink and length:

        bitmap       <float32>[batch, 28, 28, 1], 0 to 1, white ink on black

    The last batch may be smaller.
    """
    windows = _records(info, _shards(info, data_dir, split)).batch(WINDOW * batch_size)

    def parse(serialized: tf.Tensor) -> tuple[dict[str, tf.Tensor], _Cuts]:
        window = decode.parse_examples(serialized, info.kind)
        cuts = _cuts(tf.size(serialized), batch_size)
        return _sort(window) if info.kind == schema.INK else window, cuts

    return (
        windows.map(parse, num_parallel_calls=1)
        .flat_map(_split_window)
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


def _cuts(total: tf.Tensor, batch_size: int) -> _Cuts:
    """Cuts for a window of so many drawings; its last batch may be smaller."""
    begin = tf.range(0, total, batch_size)
    end = tf.minimum(begin + batch_size, total)
    return _Cuts(begin, end, end - begin)


def _take(
    window: dict[str, tf.Tensor], cuts: _Cuts, rows: Rows | None
) -> tuple[dict[str, tf.Tensor], _Cuts]:
    """Leaves only what a worker takes of each batch."""
    if rows is None:
        return window, cuts
    first, last = rows(cuts.drawings)
    taken = tf.ragged.range(cuts.begin + first, cuts.begin + last)
    ends = tf.cumsum(last - first)
    parts = {name: tf.gather(all_, taken.values) for name, all_ in window.items()}
    return parts, _Cuts(ends - (last - first), ends, cuts.drawings)


def _split_window(
    window: dict[str, tf.Tensor], cuts: _Cuts, seed: tf.Tensor | None = None
) -> tf.data.Dataset:
    """Cuts a window into batches, in random order if there is a seed."""
    if seed is not None:
        numbers = tf.range(tf.size(cuts.begin))
        order = tf.random.experimental.stateless_shuffle(numbers, seed)
        cuts = _Cuts(*(tf.gather(part, order) for part in cuts))

    def cut(begin: tf.Tensor, end: tf.Tensor, drawings: tf.Tensor) -> dict:
        batch = {name: value[begin:end] for name, value in window.items()}
        return batch | {"drawings": drawings}

    return tf.data.Dataset.from_tensor_slices(tuple(cuts)).map(cut)


def _pad(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Pads the ink, if there is any, to the longest drawing of the batch."""
    if schema.INK not in batch:
        return batch
    return batch | {schema.INK: decode.to_dense(batch[schema.INK])}
