"""Accuracy by class, examples, and accuracy on partial drawings."""

import ndjson
import numpy as np
import pytest

from pipeline import strokes
from rnn_model.evaluation import partial_drawings
from serve_export.formats.writer import ModelFormat
from serve_export.predictor import RAW, to_ink
from serve_export.validation import drawings as validation_drawings
from serve_export.validation import export_metrics
from serve_export.validation.drawings import ValidationDrawings, choose_examples
from tfrecords import schema

PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32)
DRAWING = [[[0, 100, 100], [0, 0, 50]], [[40, 40], [0, 255]]]


def make_ink(drawing):
    return strokes.to_ink(strokes.to_points(drawing))


def make_drawings(labels, num_points):
    items = [np.zeros((size, 3), np.float32) for size in num_points]
    recognized = np.array([1, 0, -1])[: len(items)]
    key_ids = [str(i) for i in range(len(items))]
    return ValidationDrawings(
        "some", schema.INK, items, np.array(labels), recognized, key_ids
    )


def test_accuracy_of_all_and_of_recognized_drawings():
    drawings = make_drawings([0, 1, 1], [5, 5, 5])
    assert export_metrics.compute_accuracy(PROBABILITIES, drawings) == {
        "all": {"drawings": 3, "top1": 0.6667, "top3": 1, "macro_top1": 0.75},
        "recognized": {"drawings": 1, "top1": 1, "top3": 1, "macro_top1": 1},
    }


def test_top1_by_class():
    labels = np.array([0, 1, 1])
    classes = ["cat", "dog", "owl"]
    top1 = export_metrics.compute_class_top1(PROBABILITIES, labels, classes)
    assert top1 == {
        "cat": {"drawings": 1, "top1": 1.0},
        "dog": {"drawings": 2, "top1": 0.5},
    }


def test_clearest_drawings_come_first_and_long_ones_last(monkeypatch):
    drawings = make_drawings([0, 1, 1], [5, 5, 5])
    assert choose_examples(PROBABILITIES, drawings) == {0: [0], 1: [1, 2]}
    drawings = make_drawings([0, 1, 1], [500, 500, 5])
    assert choose_examples(PROBABILITIES, drawings) == {0: [0], 1: [2, 1]}
    monkeypatch.setattr(validation_drawings, "EXAMPLES_PER_CLASS", 1)
    assert choose_examples(PROBABILITIES, drawings) == {0: [0], 1: [2]}


def test_examples_are_simplified_ndjson():
    drawings = make_drawings([1], [1])._replace(items=[make_ink(DRAWING)])
    text = export_metrics.format_examples(PROBABILITIES[:1], drawings, ["cat", "dog"])
    assert ndjson.loads(text) == [{"word": "dog", "key_id": "0", "drawing": DRAWING}]


@pytest.mark.parametrize(
    ("part", "strokes_seen"),
    [
        (0.2, [[[0], [0]]]),
        (0.4, [[[0, 100], [0, 0]]]),
        (0.5, DRAWING[:1]),  # rounded up
        (0.75, [DRAWING[0], [[40], [0]]]),
    ],
)
def test_partial_drawings_are_simplified_as_by_the_server(part, strokes_seen):
    ink = partial_drawings.first_points(make_ink(DRAWING), part)
    np.testing.assert_array_equal(ink, to_ink(strokes_seen, RAW))


def test_partial_top1_uses_evenly_spaced_drawings(monkeypatch):
    monkeypatch.setattr(export_metrics, "MAX_PARTIAL_DRAWINGS", 2)
    items = [make_ink(DRAWING)] * 3
    drawings = make_drawings([0, 5, 1], [1, 1, 1])._replace(items=items)
    batches = []

    def predict(inks, kind):
        """Classifies the first drawing correctly, the second only when complete."""
        batches.append(inks)
        return np.eye(2)[[0, int(inks[0] is items[0])]]

    model = ModelFormat("fake", predict, 1, True)
    rows = export_metrics.compute_partial_top1(model, drawings, schema.INK)
    assert [row["top1"] for row in rows] == [0.5, 0.5, 0.5, 1.0]
    assert [row["seen"] for row in rows] == list(partial_drawings.PARTS)
    for inks, part in zip(batches, partial_drawings.PARTS):
        expected = [partial_drawings.first_points(items[0], part)] * 2
        np.testing.assert_array_equal(inks, expected)
