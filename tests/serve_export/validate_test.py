"""The comparison of formats."""

import numpy as np
import pytest

from serve_export import validate
from serve_export.validate import Drawings, Format
from tfrecords import schema

PROBABILITIES = np.float32([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
DRAWINGS = Drawings(
    "three", schema.INK, [np.zeros((1, 3), np.float32)] * 3, np.array([0, 1, 1]), []
)


def say(probabilities):
    """Answers so: all of a batch, or the first where one alone is asked for."""
    return lambda drawings, kind: probabilities[: len(drawings)]


def test_differences_and_losses_are_measured():
    formats = [
        Format("keras", say(PROBABILITIES), None, True),
        Format("exact", say(PROBABILITIES + np.float32(1e-5)), 1_500_000, True),
        Format("rough", say(PROBABILITIES[:, ::-1]), 1_000_000, False),
    ]
    results, answers = validate.compare(formats, DRAWINGS)
    assert [result.top1 for result in results] == [2 / 3, 2 / 3, 1 / 3]
    assert results[1].difference == pytest.approx(1e-5, rel=0.01)
    assert results[2].difference == pytest.approx(0.8)
    np.testing.assert_array_equal(answers[0], PROBABILITIES)
    head, keras, exact, rough = validate.table(results)
    assert keras[:5] == ("keras", "-", "-", "0.6667", "-")
    assert exact[1:5] == ("1.50 MB", "1.0e-05", "0.6667", "0.00 points")
    assert rough[4] == "33.33 points"
    assert len(head) == len(rough)


def test_a_loss_is_said_aloud(capsys):
    formats = [
        Format("keras", say(PROBABILITIES), None, True),
        Format("rough", say(PROBABILITIES[:, ::-1]), 1, False),
    ]
    validate.compare(formats, DRAWINGS)
    assert "warning: rough loses 33.33 points" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [0.01, np.nan])
def test_what_keeps_all_bits_must_agree(wrong):
    formats = [
        Format("keras", say(PROBABILITIES), None, True),
        Format("broken", say(PROBABILITIES + np.float32(wrong)), 1, True),
    ]
    with pytest.raises(ValueError, match="broken answers otherwise than Keras"):
        validate.compare(formats, DRAWINGS)


def test_without_words_there_is_no_accuracy():
    formats = [Format("keras", say(PROBABILITIES), None, True)] * 2
    results, _ = validate.compare(formats, DRAWINGS._replace(labels=None))
    assert [result.top1 for result in results] == [None, None]
    assert validate.table(results)[1][3:5] == ("-", "-")


def test_each_class_has_its_own_top1():
    found = validate.class_top1(PROBABILITIES, DRAWINGS.labels, ["cat", "dog", "owl"])
    assert found == {
        "cat": {"drawings": 1, "top1": 1.0},
        "dog": {"drawings": 2, "top1": 0.5},
    }


def test_the_clearest_drawing_is_typical_but_not_the_longest():
    labels, sizes = DRAWINGS.labels, np.array([5, 5, 5])
    assert validate.typical(PROBABILITIES, labels, sizes) == {0: 0, 1: 1}
    assert validate.typical(PROBABILITIES, labels, np.array([500, 500, 5])) == {
        0: 0,
        1: 2,
    }
