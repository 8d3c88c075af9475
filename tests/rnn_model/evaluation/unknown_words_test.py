"""Detection of unknown words: AUROC, thresholds, and which drawings count."""

import numpy as np
import pytest
from scipy import stats

from rnn_model import input_pipeline
from rnn_model.evaluation import bootstrap, compare_runs
from rnn_model.evaluation.metrics import softmax
from rnn_model.evaluation.unknown_words import ConfidenceHistogram, compute_roc
from tfrecords.dataset_info import load_dataset_info


def make_histogram(confidence, weights=None):
    histogram = ConfidenceHistogram()
    if weights is None:
        weights = np.ones((len(confidence), bootstrap.COLUMNS), np.float32)
    histogram.add(np.asarray(confidence), weights)
    return histogram


@pytest.mark.parametrize("seed", range(3))
def test_auroc_is_the_mann_whitney_statistic(seed):
    rng = np.random.default_rng(seed)
    known = softmax(rng.normal(size=(500, 10)) * rng.uniform(1, 8)).max(axis=1)
    unknown = softmax(rng.normal(size=(300, 10)) * rng.uniform(1, 8)).max(axis=1)
    statistic = stats.mannwhitneyu(known, unknown).statistic / (500 * 300)
    roc = compute_roc(make_histogram(known), make_histogram(unknown))
    assert roc.auroc == pytest.approx(np.full(bootstrap.COLUMNS, statistic), abs=2e-3)


def test_auroc_of_extreme_cases():
    low, high = make_histogram([0.1, 0.2]), make_histogram([0.999, 1.0])
    assert compute_roc(high, low).auroc[0] == 1
    assert compute_roc(low, high).auroc[0] == 0
    assert compute_roc(low, low).auroc[0] == 0.5
    zero = make_histogram([0.0, 0.0])
    assert compute_roc(high, zero).auroc[0] == 1


def test_threshold_accepts_most_known_and_few_unknown_drawings():
    rng = np.random.default_rng(0)
    known, unknown = rng.beta(8, 2, 4000), rng.beta(4, 4, 4000)
    roc = compute_roc(make_histogram(known), make_histogram(unknown))
    assert (known >= roc.threshold).mean() == pytest.approx(0.95, abs=0.01)
    accepted = (unknown >= roc.threshold).mean()
    assert roc.accepted[0] == pytest.approx(accepted, abs=1e-6)


def test_weights_are_equivalent_to_repeated_drawings():
    rng = np.random.default_rng(0)
    known, unknown = rng.random(50), rng.random(40)
    times = rng.integers(0, 4, 50)
    weights = np.ones((50, bootstrap.COLUMNS), np.float32)
    weights[:, 7] = times
    weighted = compute_roc(make_histogram(known, weights), make_histogram(unknown))
    repeated = compute_roc(
        make_histogram(np.repeat(known, times)), make_histogram(unknown)
    )
    assert weighted.auroc[7] == pytest.approx(repeated.auroc[0])
    assert weighted.auroc[0] != pytest.approx(repeated.auroc[0])


def test_only_drawings_of_unknown_words_count(comparison, unknown_data_dir):
    info = load_dataset_info(str(unknown_data_dir))
    unknown = sorted(set(info.classes) - set(comparison.info.classes))
    assert 0 < len(unknown) < len(info.classes)
    run, confidences = comparison.runs[0], []
    batches = input_pipeline.evaluation_batches(info, str(unknown_data_dir), "test", 1)
    for batch in batches:
        if info.classes[batch["class_index"].numpy()[0]] in unknown:
            logits = run.logits_fn(batch["ink"], batch["length"]).numpy()
            confidences.append(softmax(logits).max())
    result = comparison.unknown_words
    assert (result.words, result.examples) == (unknown, len(confidences))
    np.testing.assert_array_equal(
        result.histograms[0].counts[:, 0], make_histogram(confidences).counts[:, 0]
    )
    known = comparison.run_metrics[0].confidence.counts
    np.testing.assert_array_equal(
        known.sum(axis=0), comparison.run_metrics[0].all.per_class()[:, 0].sum(axis=0)
    )


def test_data_sets_without_unknown_words_are_refused(
    data_dir, bitmap_data_dir, trained_mlp
):
    for unknown, message in (
        (data_dir, "no drawings of words that the runs do not know"),
        (bitmap_data_dir, "drawings of the kind ink"),
    ):
        with pytest.raises(ValueError, match=message):
            compare_runs.compare_runs(
                [str(trained_mlp)], str(data_dir), unknown_data_dir=str(unknown)
            )
