"""Detection of unknown words: drawings of words that are not among a run's classes.

A model predicts one of its classes for any drawing. For a drawing of an unknown word,
its confidence, the maximum of the softmax, should be low. The AUROC (area under the ROC
curve) is the probability that the confidence for a drawing of a known word is higher
than for one of an unknown word: 0.5 is chance, 1 is perfect separation. See Hendrycks
and Gimpel, 2017, https://arxiv.org/abs/1610.02136.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pipeline import cli
from rnn_model import input_pipeline, models
from rnn_model.evaluation import bootstrap
from rnn_model.evaluation.evaluator import BATCH_SIZE, LogitsFn
from rnn_model.evaluation.metrics import softmax
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

KNOWN_SHARE = 0.95
"""Share of the drawings of known words whose confidence is above the threshold."""

_EDGES = np.linspace(-6, 20, 521)[:-1]
"""Lower edges of the histogram bins, in logits of the confidence."""


class ConfidenceHistogram:
    """Histogram of confidences with bootstrap replicates, for ROC curves.

    The bins have equal widths in logit(confidence), 0.05, so that confidences close to
    1 have different bins.

    Attributes:
      counts: `<float64>[bins, COLUMNS]`, weighted number of drawings in each bin.
    """

    def __init__(self) -> None:
        self.counts = np.zeros((len(_EDGES), bootstrap.COLUMNS))

    def add(self, confidence: np.ndarray, weights: np.ndarray) -> None:
        """Adds drawings.

        Args:
          confidence: `<float64>[n]`, from 0 to 1.
          weights: `<float32>[n, COLUMNS]`, bootstrap weights.
        """
        with np.errstate(divide="ignore"):
            logit = np.log(confidence) - np.log1p(-confidence)
        bins = np.maximum(np.searchsorted(_EDGES, logit, side="right") - 1, 0)
        order = np.argsort(bins, kind="stable")
        present, starts = np.unique(bins[order], return_index=True)
        if len(present):
            sums = np.add.reduceat(weights[order], starts, axis=0, dtype=np.float64)
            self.counts[present] += sums

    def shares_above(self) -> np.ndarray:
        """Computes the share of drawings in each bin or a higher one.

        Returns:
          `<float64>[bins, COLUMNS]`, decreasing from 1 in the first bin.
        """
        above = self.counts[::-1].cumsum(axis=0)[::-1]
        with np.errstate(invalid="ignore"):
            return above / above[0]


class RocCurve(NamedTuple):
    """How well the confidence separates known from unknown words.

    Attributes:
      known: `<float64>[bins + 1]`, shares of the known drawings above each threshold,
        the true positive rate.
      unknown: the same of the unknown drawings, the false positive rate.
      auroc: `<float64>[COLUMNS]`, area under the curve and its replicates.
      accepted: `<float64>[COLUMNS]`, share of the unknown drawings whose confidence is
        above the threshold.
      threshold: the confidence that `KNOWN_SHARE` of the known drawings exceed.
    """

    known: np.ndarray
    unknown: np.ndarray
    auroc: np.ndarray
    accepted: np.ndarray
    threshold: float


def compute_roc(known: ConfidenceHistogram, unknown: ConfidenceHistogram) -> RocCurve:
    """Computes the ROC curve of the confidences for known and unknown words."""
    zeros = np.zeros((1, bootstrap.COLUMNS))
    known_above = np.concatenate([known.shares_above(), zeros])
    unknown_above = np.concatenate([unknown.shares_above(), zeros])
    # The trapezoidal rule counts half of the pairs that are in the same bin.
    mean_height = (known_above[1:] + known_above[:-1]) / 2
    auroc = (mean_height * -np.diff(unknown_above, axis=0)).sum(axis=0)
    index = np.maximum((known_above >= KNOWN_SHARE).sum(axis=0) - 1, 0)
    accepted = np.take_along_axis(unknown_above, index[None], axis=0)[0]
    accepted[np.isnan(known_above[0])] = np.nan  # replicates without known drawings
    logit = _EDGES[index[0]]
    threshold = float(1 / (1 + np.exp(-logit))) if index[0] else 0.0
    return RocCurve(known_above[:, 0], unknown_above[:, 0], auroc, accepted, threshold)


class UnknownWords(NamedTuple):
    """The confidences of several runs for drawings of unknown words.

    Attributes:
      data_dir: folder of the data set.
      words: the unknown words that have drawings.
      examples: number of drawings.
      histograms: confidences of each run.
    """

    data_dir: str
    words: list[str]
    examples: int
    histograms: list[ConfidenceHistogram]


def evaluate_unknown_words(
    logits_fns: Sequence[LogitsFn],
    info: DatasetInfo,
    data_dir: str,
    split: str,
    seed: int,
) -> UnknownWords:
    """Computes the confidences of models for drawings of unknown words.

    Args:
      logits_fns: one function per run.
      info: description of the data set with the known words.
      data_dir: data set with unknown words; its drawings of known words are skipped.
      split: name of the split.
      seed: seed of the bootstrap.

    Raises:
      ValueError: the split has no drawing of an unknown word, or the two data sets have
        different kinds of drawings.
    """
    unknown_info = load_dataset_info(data_dir)
    if unknown_info.kind != info.kind:
        raise ValueError(
            f"--unknown_data_dir must have drawings of the kind {info.kind}. Received: "
            f"{data_dir} with {unknown_info.kind}"
        )
    counts = dict(zip(unknown_info.classes, unknown_info.split(split).class_counts))
    words = [word for word in counts if word not in info.classes and counts[word]]
    if not words:
        raise ValueError(
            f"{data_dir}: the split {split} has no drawings of words that the runs do "
            "not know."
        )
    is_unknown = np.isin(unknown_info.classes, words)
    batches = input_pipeline.evaluation_batches(
        unknown_info, data_dir, split, BATCH_SIZE
    )
    inputs = list(models.INPUT_SPECS[info.kind])
    histograms = [ConfidenceHistogram() for _ in logits_fns]
    with cli.progress(sum(counts.values()), "unknown words") as bar:
        for batch in batches:
            labels = batch[schema.CLASS_INDEX].numpy()
            bar.update(len(labels))
            rows = np.flatnonzero(is_unknown[labels])
            if not len(rows):
                continue
            batch = {
                name: tf.gather(batch[name], rows) for name in (*inputs, schema.KEY_ID)
            }
            keys = batch[schema.KEY_ID].numpy().tolist()
            weights = bootstrap.poisson_weights(bootstrap.hash_keys(keys, seed))
            for logits_fn, histogram in zip(logits_fns, histograms):
                logits = logits_fn(*(batch[name] for name in inputs))
                confidence = softmax(logits.numpy()).max(axis=1)
                histogram.add(np.nan_to_num(confidence), weights)
    examples = sum(counts[word] for word in words)
    return UnknownWords(data_dir, words, examples, histograms)
