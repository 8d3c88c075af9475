"""Everything that is accumulated for one run, and for a pair of runs."""

from typing import NamedTuple

import numpy as np

from rnn_model.evaluation import bootstrap, example_gallery, metrics, subgroups
from rnn_model.evaluation.confusion_matrix import ConfusionMatrix
from rnn_model.evaluation.example_gallery import ExampleDrawing, Gallery
from rnn_model.evaluation.metrics import MetricSums, Predictions
from rnn_model.evaluation.subgroups import SubgroupIndexer, SubgroupSums
from rnn_model.evaluation.unknown_words import ConfidenceHistogram
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo

GALLERY_SIZE = 24
"""Drawings in a gallery."""


class EvaluatedBatch(NamedTuple):
    """A batch with the predictions of all runs.

    Attributes:
      batch: batch of `input_pipeline.evaluation_batches`, as NumPy arrays.
      kind: kind of drawing, one of `schema.KINDS`.
      hashes: `<uint64>[n]`, hashes of the keys.
      subgroups: indices from `SubgroupIndexer.assign`.
      logits: `<float32>[n, classes]` of each run.
      predictions: of each run.
    """

    batch: dict[str, np.ndarray]
    kind: str
    hashes: np.ndarray
    subgroups: dict[str, np.ndarray]
    logits: list[np.ndarray]
    predictions: list[Predictions]

    def make_example(self, index: int, score: float, *runs: int) -> ExampleDrawing:
        """Makes an example of one drawing with the predictions of some runs."""
        return ExampleDrawing(
            score,
            self.batch[schema.KEY_ID][index].decode(errors="replace"),
            int(self.batch[schema.CLASS_INDEX][index]),
            example_gallery.get_drawing(self.batch, self.kind, index),
            tuple(
                example_gallery.top_predictions(self.logits[run][index]) for run in runs
            ),
        )


class RunMetrics:
    """Accumulates the metrics and example drawings of one run.

    Args:
      info: description of the data set.
      indexer: assigns the subgroups, shared by all runs.
      run: index of the run.

    Attributes:
      all: metrics of all drawings.
      recognized: metrics of the drawings that the game recognized.
      subgroups: metrics by country and so on.
      confusion: the confusion matrix.
      confidence: histogram of the confidences.
      correct: correct predictions of the highest confidence.
      wrong: wrong predictions of the highest confidence.
      uncertain: predictions of the lowest confidence.
    """

    def __init__(self, info: DatasetInfo, indexer: SubgroupIndexer, run: int):
        num_classes = len(info.classes)
        self._run = run
        self.all = MetricSums(num_classes, bootstrap.COLUMNS)
        self.recognized = MetricSums(num_classes, bootstrap.COLUMNS)
        self.subgroups = SubgroupSums(indexer)
        self.confusion = ConfusionMatrix(num_classes)
        self.confidence = ConfidenceHistogram()
        self.correct, self.wrong, self.uncertain = (
            _make_gallery(num_classes) for _ in range(3)
        )

    def add_examples(self, evaluated: EvaluatedBatch) -> None:
        """Offers the drawings of a batch to the galleries."""
        predictions = evaluated.predictions[self._run]

        def make_example(index: int, score: float) -> ExampleDrawing:
            return evaluated.make_example(index, score, self._run)

        confidence, is_correct = predictions.confidence, predictions.is_correct
        for gallery, scores in (
            (self.correct, np.where(is_correct, confidence, -np.inf)),
            (self.wrong, np.where(is_correct, -np.inf, confidence)),
            (self.uncertain, -confidence),
        ):
            gallery.offer(scores, predictions.label, make_example)

    def add(
        self,
        predictions: Predictions,
        subgroup_indices: dict[str, np.ndarray],
        weights: np.ndarray,
    ) -> None:
        """Adds predictions with bootstrap weights `<float32>[n, COLUMNS]`."""
        self.all.add(predictions, weights)
        values = metrics.per_drawing_values(predictions)
        self.subgroups.add(subgroup_indices, values, weights)
        self.confusion.add(predictions.label, predictions.predicted_class)
        self.confidence.add(predictions.confidence, weights)
        recognized = subgroup_indices[subgroups.RECOGNIZED] == 1
        self.recognized.add(predictions.select(recognized), weights[recognized])


class PairCounts:
    """Counts the drawings that both, one or neither of two runs predict correctly."""

    both = only_first = only_second = neither = 0

    def add(self, first: Predictions, second: Predictions) -> None:
        """Adds the predictions of both runs for the same drawings."""
        outcome = 2 * first.is_correct + second.is_correct
        counts = np.bincount(outcome, minlength=4).tolist()
        self.neither += counts[0]
        self.only_second += counts[1]
        self.only_first += counts[2]
        self.both += counts[3]


class RunPair:
    """Accumulates the comparison of two runs.

    Args:
      num_classes: number of classes.
      first: index of the first run.
      second: index of the second run.

    Attributes:
      all: counts of all drawings.
      recognized: counts of the drawings that the game recognized.
      only_first: drawings that only the first run predicts correctly, those with the
        largest difference in the probability of the true class.
      only_second: the same for the second run.
    """

    def __init__(self, num_classes: int, first: int, second: int):
        self._runs = first, second
        self.all, self.recognized = PairCounts(), PairCounts()
        self.only_first = _make_gallery(num_classes)
        self.only_second = _make_gallery(num_classes)

    def add_examples(self, evaluated: EvaluatedBatch) -> None:
        """Offers the drawings of a batch to the galleries."""
        first, second = (evaluated.predictions[run] for run in self._runs)

        def make_example(index: int, score: float) -> ExampleDrawing:
            return evaluated.make_example(index, score, *self._runs)

        for gallery, correct, wrong in (
            (self.only_first, first, second),
            (self.only_second, second, first),
        ):
            scores = only_one_correct_scores(correct, wrong)
            gallery.offer(scores, correct.label, make_example)

    def add(
        self, predictions: list[Predictions], subgroup_indices: dict[str, np.ndarray]
    ) -> None:
        """Adds the predictions of all runs for the same drawings."""
        first, second = (predictions[run] for run in self._runs)
        self.all.add(first, second)
        recognized = subgroup_indices[subgroups.RECOGNIZED] == 1
        self.recognized.add(first.select(recognized), second.select(recognized))


def only_one_correct_scores(correct: Predictions, wrong: Predictions) -> np.ndarray:
    """Scores drawings that only one of two runs predicts correctly.

    Returns:
      `<float64>[n]`, the difference in the probability of the true class; -inf unless
      `correct` is correct and `wrong` is wrong.
    """
    only_one = correct.is_correct & ~wrong.is_correct
    difference = correct.true_class_prob - wrong.true_class_prob
    return np.where(only_one, difference, -np.inf)


def _make_gallery(num_classes: int) -> Gallery:
    """Makes a gallery with enough drawings per class to fill it."""
    return Gallery(num_classes, -(-GALLERY_SIZE // num_classes))
