"""Evaluation of several runs on the same drawings, in one pass over a split.

Memory grows with the number of classes, countries and runs, not with the number of
drawings.
"""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pipeline import cli, strokes
from rnn_model import input_pipeline, models
from rnn_model.evaluation import (
    bootstrap,
    latency,
    loaded_run,
    partial_drawings,
    unknown_words,
)
from rnn_model.evaluation.evaluator import BATCH_SIZE
from rnn_model.evaluation.loaded_run import LoadedRun
from rnn_model.evaluation.metrics import MetricSums, Predictions
from rnn_model.evaluation.partial_drawings import HashSample, SampledDrawing
from rnn_model.evaluation.run_metrics import EvaluatedBatch, RunMetrics, RunPair
from rnn_model.evaluation.subgroups import SubgroupIndexer
from rnn_model.evaluation.unknown_words import UnknownWords
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

Batch = dict[str, tf.Tensor]

CHUNK_SIZE = 1024
"""Drawings whose bootstrap sums are computed at once."""

MAX_PENDING_BATCHES = 4
"""Batches that the models may be ahead of the metrics."""

LATENCY_DRAWINGS = 100
"""Drawings on which the latency is measured."""


class ComparisonResult(NamedTuple):
    """The metrics of several runs on the same drawings.

    Attributes:
      data_dir: folder of the data set.
      info: description of the data set.
      split: name of the split.
      runs: the runs. `run_metrics` and `latencies_ms` are in the same order.
      run_metrics: metrics of each run.
      pairs: comparison of two runs, by their indices.
      num_partial: number of drawings that were evaluated in parts.
      partial: result of `partial_drawings.evaluate_parts`; empty for bitmaps or
        without a sample.
      latencies_ms: milliseconds for a single drawing.
      unknown_words: confidences for drawings of unknown words, if requested.
    """

    data_dir: str
    info: DatasetInfo
    split: str
    runs: list[LoadedRun]
    run_metrics: list[RunMetrics]
    pairs: dict[tuple[int, int], RunPair]
    num_partial: int
    partial: dict[float, list[MetricSums]]
    latencies_ms: list[float]
    unknown_words: UnknownWords | None = None

    @property
    def classes_without_drawings(self) -> list[str]:
        """Classes of which the split has no drawing."""
        drawings = self.run_metrics[0].all.per_class()[:, 0, 0]
        return [word for word, count in zip(self.info.classes, drawings) if not count]


def compare_runs(
    workdirs: Sequence[str],
    data_dir: str,
    split: str = "test",
    num_partial: int = 5000,
    seed: int = 0,
    unknown_data_dir: str = "",
) -> ComparisonResult:
    """Evaluates runs on the same drawings.

    Args:
      workdirs: workdirs of the runs.
      data_dir: data set with the classes of the runs.
      split: name of the split.
      num_partial: number of drawings that are also evaluated in parts.
      seed: seed of the bootstrap and of the sample that is evaluated in parts.
      unknown_data_dir: data set with drawings of words that the runs do not know.

    Raises:
      ValueError: there is no such split or it is empty, a run cannot be loaded (see
        `loaded_run.load_runs`), or there are no unknown words.
    """
    info = load_dataset_info(data_dir)
    if not info.split(split).examples:
        raise ValueError(f"{data_dir}: the split {split} is empty.")
    runs = loaded_run.load_runs(workdirs, info, data_dir)
    logits_fns = [run.logits_fn for run in runs]
    unknown = None
    if unknown_data_dir:
        unknown = unknown_words.evaluate_unknown_words(
            logits_fns, info, unknown_data_dir, split, seed
        )
    evaluation = EvaluationPass(info, runs, max(num_partial, LATENCY_DRAWINGS), seed)
    batches = input_pipeline.evaluation_batches(info, data_dir, split, BATCH_SIZE)
    with cli.progress(info.split(split).examples, "evaluate") as bar:
        for num_drawings in evaluation.run(batches):
            bar.update(num_drawings)
    sample = evaluation.sample.drawings
    partial_sample = sample[:num_partial] if info.kind == schema.INK else []
    return ComparisonResult(
        data_dir=data_dir,
        info=info,
        split=split,
        runs=runs,
        run_metrics=evaluation.run_metrics,
        pairs=evaluation.pairs,
        num_partial=len(partial_sample),
        partial=partial_drawings.evaluate_parts(
            logits_fns, len(info.classes), partial_sample
        ),
        latencies_ms=[
            _measure_latency(run, sample[:LATENCY_DRAWINGS], info.kind) for run in runs
        ],
        unknown_words=unknown,
    )


def _measure_latency(
    run: LoadedRun, sample: Sequence[SampledDrawing], kind: str
) -> float:
    def predict(sampled: SampledDrawing) -> None:
        drawing = sampled.drawing
        inputs = strokes.pad_ink([drawing]) if kind == schema.INK else (drawing[None],)
        np.asarray(run.logits_fn(*inputs))

    return latency.measure_latency(predict, sample)


class EvaluationPass:
    """One pass over the drawings of a split for several runs.

    Args:
      info: description of the data set.
      runs: the runs.
      sample_size: number of drawings to sample.
      seed: seed of the bootstrap and of the sample.

    Attributes:
      run_metrics: metrics of each run.
      pairs: comparison of two runs, by their indices.
      sample: a sample of the drawings.
    """

    def __init__(
        self, info: DatasetInfo, runs: Sequence[LoadedRun], sample_size: int, seed: int
    ):
        num_classes = len(info.classes)
        self._kind, self._runs, self._seed = info.kind, runs, seed
        self._indexer = SubgroupIndexer(info.kind)
        self.run_metrics = [
            RunMetrics(info, self._indexer, run) for run in range(len(runs))
        ]
        self.pairs = {
            pair: RunPair(num_classes, *pair)
            for pair in itertools.combinations(range(len(runs)), 2)
        }
        self.sample = HashSample(info.kind, sample_size)
        self._chunk: list[EvaluatedBatch] = []

    def run(self, batches: Iterable[Batch]) -> Iterator[int]:
        """Evaluates all batches.

        The models run in a thread, so that they compute the next batches while the
        metrics of the last one are accumulated.

        Args:
          batches: batches of `input_pipeline.evaluation_batches`.

        Yields:
          The number of drawings in each batch.
        """
        with ThreadPoolExecutor(max_workers=1) as executor:
            pending: deque[tuple[Batch, Future[list[np.ndarray]]]] = deque()
            for batch in batches:
                pending.append((batch, executor.submit(self._compute_logits, batch)))
                if len(pending) > MAX_PENDING_BATCHES:
                    yield self._add_batch(*pending.popleft())
            while pending:
                yield self._add_batch(*pending.popleft())
        self._add_chunk()

    def _compute_logits(self, batch: Batch) -> list[np.ndarray]:
        """Computes the logits of every run."""
        inputs = [batch[name] for name in models.INPUT_SPECS[self._kind]]
        return [run.logits_fn(*inputs).numpy() for run in self._runs]

    def _add_batch(self, tensors: Batch, logits: Future[list[np.ndarray]]) -> int:
        """Adds the examples of a batch; returns its number of drawings."""
        batch = {name: tensor.numpy() for name, tensor in tensors.items()}
        labels = batch[schema.CLASS_INDEX]
        hashes = bootstrap.hash_keys(batch[schema.KEY_ID].tolist(), self._seed)
        evaluated = EvaluatedBatch(
            batch,
            self._kind,
            hashes,
            self._indexer.assign(batch),
            logits.result(),
            [Predictions.from_logits(run, labels) for run in logits.result()],
        )
        self.sample.offer(hashes, batch)
        for run_metrics in self.run_metrics:
            run_metrics.add_examples(evaluated)
        for pair in self.pairs.values():
            pair.add_examples(evaluated)
        self._chunk.append(evaluated._replace(batch={}, logits=[]))
        if sum(len(evaluated.hashes) for evaluated in self._chunk) >= CHUNK_SIZE:
            self._add_chunk()
        return len(labels)

    def _add_chunk(self) -> None:
        """Adds the metrics of the batches since the last chunk."""
        chunk, self._chunk = self._chunk, []
        if not chunk:
            return
        hashes = np.concatenate([evaluated.hashes for evaluated in chunk])
        weights = bootstrap.poisson_weights(hashes)
        subgroups = {
            name: np.concatenate([evaluated.subgroups[name] for evaluated in chunk])
            for name in chunk[0].subgroups
        }
        predictions = [
            Predictions(*map(np.concatenate, zip(*batches)))
            for batches in zip(*(evaluated.predictions for evaluated in chunk))
        ]
        for run_metrics, run_predictions in zip(self.run_metrics, predictions):
            run_metrics.add(run_predictions, subgroups, weights)
        for pair in self.pairs.values():
            pair.add(predictions, subgroups)
