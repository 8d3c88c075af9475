"""The comparison of formats."""

import numpy as np
import pytest

from serve_export.formats.writer import ModelFormat
from serve_export.validation.compare_formats import compare_formats
from serve_export.validation.drawings import ValidationDrawings
from serve_export.validation.export_metrics import TABLE_HEADER, make_table
from serve_export.validation.quantization_check import warn_if_accuracy_lost
from tfrecords import schema

PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32)
INKS = [np.zeros((1, 3), np.float32)] * 3
DRAWINGS = ValidationDrawings(
    "three", schema.INK, INKS, np.array([0, 1, 1]), np.array([1, 0, -1]), [""] * 3
)


def make_format(name, probabilities, num_bytes=1, is_exact=True):
    """A format with fixed probabilities: of all drawings, or of the first alone."""

    def predict(drawings, kind):
        return probabilities[: len(drawings)]

    return ModelFormat(name, predict, num_bytes, is_exact)


KERAS = make_format("keras", PROBABILITIES, None)


def test_differences_and_accuracy_are_measured():
    formats = [
        KERAS,
        make_format("exact", PROBABILITIES + np.float32(1e-5), 1_500_000),
        make_format("rough", PROBABILITIES[:, ::-1], 1_000_000, is_exact=False),
    ]
    results, probabilities = compare_formats(formats, DRAWINGS)
    assert [result.top1 for result in results] == [2 / 3, 2 / 3, 1 / 3]
    assert results[1].difference == pytest.approx(1e-5, rel=0.01)
    assert results[2].difference == pytest.approx(0.8)
    np.testing.assert_array_equal(probabilities[0], PROBABILITIES)
    header, keras, exact, rough = make_table(results)
    assert keras[:5] == ["keras", "-", "-", "0.6667", "-"]
    assert exact[1:5] == ["1.50 MB", "1.0e-05", "0.6667", "0.00 points"]
    assert rough[4] == "33.33 points"
    assert len(header) == len(rough) == len(TABLE_HEADER)


@pytest.mark.parametrize("error", [0.01, np.nan])
def test_exact_format_must_agree_with_keras(error):
    broken = make_format("broken", PROBABILITIES + np.float32(error))
    with pytest.raises(ValueError, match="the format broken differs from Keras"):
        compare_formats([KERAS, broken], DRAWINGS)


def test_without_labels_there_is_no_accuracy():
    results, _ = compare_formats([KERAS, KERAS], DRAWINGS._replace(labels=None))
    assert [result.top1 for result in results] == [None, None]
    assert make_table(results)[1][3:5] == ["-", "-"]


def test_lost_accuracy_is_reported(capsys):
    rough = make_format("rough", PROBABILITIES[:, ::-1], is_exact=False)
    results, _ = compare_formats([KERAS, rough], DRAWINGS)
    capsys.readouterr()  # the progress bar
    warn_if_accuracy_lost(results)
    assert capsys.readouterr().err.startswith("warning: rough loses 33.33 points")
    warn_if_accuracy_lost(results[:1] * 2)
    assert capsys.readouterr().err == ""
