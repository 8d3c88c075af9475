"""Every format of an export beside Keras, on the same drawings.

What is compared are probabilities, so a difference of 0.01 is one point. A format that
keeps all bits must answer as Keras does; one with weights of eight bits may differ, and
what that costs in top-1 is in the table.
"""

import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from pipeline import cli, sample, strokes
from rnn_model import input_pipeline, models
from rnn_model.evaluation import evaluator
from serve_export.formats.litert_runtime import to_bitmap
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo

TOLERANCE = 1e-3
"""Largest difference that rounding explains."""

MOST_LOST = 0.003
"""Of top-1, by weights of eight bits; more is said aloud."""

BATCH = 64
TIMED = 100
"""Drawings that are answered one by one, for the time it takes."""

Answer = Callable[[Sequence[np.ndarray], str], np.ndarray]


class Drawings(NamedTuple):
    """What a model is checked on.

    Attributes:
      source: where they are from, for people.
      kind: of `schema.KINDS`.
      items: ink `<float32>[T, 3]` or bitmaps `<uint8>[28, 28]`.
      labels: place of each one's word among the classes; None where not known.
      key_ids: of each, empty where not known.
    """

    source: str
    kind: str
    items: list[np.ndarray]
    labels: np.ndarray | None
    key_ids: list[str]

    def as_kind(self, kind: str) -> "Drawings":
        """The same as bitmaps, where those are asked for."""
        if kind == self.kind or kind == schema.INK:
            return self
        return self._replace(kind=kind, items=[to_bitmap(ink) for ink in self.items])


class Format(NamedTuple):
    """One of the things to compare.

    Attributes:
      name: for people.
      answer: `predictor.Runtime.probabilities`.
      bytes: its size; None for Keras.
      exact: whether it keeps all bits.
    """

    name: str
    answer: Answer
    bytes: int | None
    exact: bool


class Result(NamedTuple):
    """How a format did; `top1` is None where no words are known."""

    name: str
    bytes: int | None
    difference: float
    top1: float | None
    milliseconds: float


# Drawings.


def of_data_set(
    info: DatasetInfo, data_dir: str, split: str, most: int, seed: int = 0
) -> Drawings:
    """Takes drawings of a split, at most so many, chosen at random."""
    batches = input_pipeline.evaluation_batches(info, data_dir, split, BATCH)
    batches = batches.shuffle(input_pipeline.WINDOW, seed=seed)
    items, labels, key_ids = [], [], []
    for batch in itertools.islice(batches, -(-most // BATCH)):
        items += _items(batch, info.kind)
        labels.append(batch["class_index"].numpy())
        key_ids += [key.decode() for key in batch["key_id"].numpy()]
    if not items:
        raise ValueError(f"{data_dir}: the split {split} has no drawing")
    source = f"{len(items):,} drawings of the split {split}"
    return Drawings(source, info.kind, items, np.concatenate(labels), key_ids)


def of_sample(each: int = 5, seed: int = 0) -> Drawings:
    """Draws doodles, for want of a data set; their words are no matter."""
    rng = np.random.default_rng(seed)
    drawings = [sample.draw(word, rng) for word in sample.CLASSES for _ in range(each)]
    items = [strokes.to_ink(strokes.to_points(drawing)) for drawing in drawings]
    source = f"{len(items)} doodles of pipeline.sample"
    return Drawings(source, schema.INK, items, None, [""] * len(items))


def _items(batch: dict[str, tf.Tensor], kind: str) -> list[np.ndarray]:
    if kind == schema.BITMAP:
        pixels = np.rint(batch[schema.BITMAP].numpy()[..., 0] * 255)
        return list(pixels.astype(np.uint8))
    lengths = batch["length"].numpy()
    return [ink[:length] for ink, length in zip(batch[schema.INK].numpy(), lengths)]


# Comparing.


def keras_format(model: keras.Model, kind: str) -> Format:
    """What all others are compared with."""
    logits_of = evaluator.make_logits_fn(model, kind)

    def answer(drawings: Sequence[np.ndarray], kind: str) -> np.ndarray:
        if kind == schema.BITMAP:
            inputs = [np.stack(drawings)[..., None].astype(np.float32) / 255]
        else:
            inputs = strokes.pad_ink(drawings)
        return tf.nn.softmax(logits_of(*inputs)).numpy()

    return Format("keras", answer, None, True)


def compare(
    formats: Sequence[Format], drawings: Drawings
) -> tuple[list[Result], list[np.ndarray]]:
    """Asks each format the same.

    Args:
      formats: the first is the one that is right.
      drawings: of a kind that all of them take.

    Returns:
      A result for each, and its probabilities `<float32>[drawings, classes]`.

    Raises:
      ValueError: one that keeps all bits answers otherwise.
    """
    results, answers = [], []
    with cli.progress(len(formats) * len(drawings.items), "check") as bar:
        for some in formats:
            found = np.concatenate(list(_answers(some, drawings, bar.update)))
            answers.append(found)
            difference = float(np.abs(found - answers[0]).max())
            if results and some.exact and not difference <= TOLERANCE:
                raise ValueError(
                    f"{some.name} answers otherwise than Keras: probabilities differ "
                    f"by up to {difference:.2g}"
                )
            top1 = None
            if drawings.labels is not None:
                top1 = float((found.argmax(axis=1) == drawings.labels).mean())
            milliseconds = _time(some, drawings)
            result = Result(some.name, some.bytes, difference, top1, milliseconds)
            results.append(result)
    _warn(results)
    return results, answers


def _answers(
    some: Format, drawings: Drawings, step: Callable[[int], Any]
) -> Iterable[np.ndarray]:
    for start in range(0, len(drawings.items), BATCH):
        batch = drawings.items[start : start + BATCH]
        yield some.answer(batch, drawings.kind)
        step(len(batch))


def _time(some: Format, drawings: Drawings) -> float:
    """Median milliseconds for a drawing alone."""
    taken = []
    for item in drawings.items[:: max(1, len(drawings.items) // TIMED)]:
        began = time.perf_counter()
        some.answer([item], drawings.kind)
        taken.append(time.perf_counter() - began)
    return 1e3 * statistics.median(taken)


def _warn(results: Sequence[Result]) -> None:
    right = results[0].top1
    for result in results:
        if right is not None and right - result.top1 > MOST_LOST:
            print(
                f"warning: {result.name} loses {100 * (right - result.top1):.2f} "
                f"points of top-1; at most {100 * MOST_LOST:.1f} were hoped for",
                file=sys.stderr,
            )


# Telling.


def table(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """The results as cells, the head first."""
    head = ("format", "size", "largest difference", "top-1", "lost", "a drawing alone")
    rows = [head]
    for result in results:
        lost = "-"
        if result.top1 is not None:
            lost = f"{100 * (results[0].top1 - result.top1):.2f} points"
        rows.append(
            (
                result.name,
                "-" if result.bytes is None else f"{result.bytes / 1e6:.2f} MB",
                f"{result.difference:.1e}" if result.bytes is not None else "-",
                "-" if result.top1 is None else f"{result.top1:.4f}",
                lost if result.bytes is not None else "-",
                f"{result.milliseconds:.2f} ms",
            )
        )
    return rows


def class_top1(
    probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> dict[str, dict[str, float | int]]:
    """For each word that was met: how many drawings of it, and the share guessed."""
    right = probabilities.argmax(axis=1) == labels
    return {
        classes[i]: {
            "drawings": int((labels == i).sum()),
            "top1": round(float(right[labels == i].mean()), 4),
        }
        for i in np.unique(labels)
    }


def typical(
    probabilities: np.ndarray, labels: np.ndarray, sizes: np.ndarray
) -> dict[int, int]:
    """Picks for each class the drawing that shows it most clearly.

    Args:
      probabilities: `<float32>[drawings, classes]`.
      labels: `<int>[drawings]`.
      sizes: points of each drawing; one of more than 100 is passed over if another
        one will do.

    Returns:
      Class to place of the drawing.
    """
    own = probabilities[np.arange(len(labels)), labels] - (sizes > 100)
    found = {}
    for i in np.argsort(own, kind="stable"):
        found[int(labels[i])] = int(i)
    return found


def kind_for(model: keras.Model, drawings: Drawings) -> str:
    """The kind on which all formats of a model can be compared.

    LiteRT's cnn and mlp take bitmaps that numpy drew, so Keras is given the same.
    """
    return schema.BITMAP if model.name in models.BITMAP_MODELS else drawings.kind
