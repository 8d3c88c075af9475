"""Drawings in the terminal."""

import numpy as np
import pytest

from pipeline import strokes
from serve_export import show
from serve_export.predictor import Guess
from tfrecords.dataset_info import load_dataset_info


def test_cross_is_rendered():
    cross = strokes.to_points([[[0, 255], [128, 128]], [[128, 128], [0, 255]]])
    lines = show.render_text(cross)
    assert {len(line) for line in lines} == {28}
    assert len(lines) == 14
    horizontal = max(lines, key=lambda line: sum(cell != " " for cell in line))
    assert len(horizontal.split()) == 1
    assert lines[3].strip(), "the vertical stroke is in each line"
    assert len(lines[3].strip()) <= 2


def test_every_drawing_of_a_split_is_read(data_dir):
    info = load_dataset_info(str(data_dir))
    drawings = list(show.read_drawings(info, str(data_dir), "test"))
    assert len(drawings) == info.split("test").examples
    for word, points in drawings:
        assert word in info.classes
        assert points.dtype == np.uint8
        assert points[-1, 2] == 1


def test_caption_marks_correct_guesses():
    guesses = [Guess("cat", 0.75), Guess("dog", 0.2)]
    assert show.format_caption("cat", guesses) == [
        "true class: cat ✓",
        "cat 75%",
        "dog 20%",
    ]
    assert show.format_caption("dog", guesses)[0] == "true class: dog ✗"


def test_bitmaps_are_an_error(bitmap_data_dir):
    info = load_dataset_info(str(bitmap_data_dir))
    with pytest.raises(ValueError, match="contains bitmaps; show needs strokes"):
        next(show.read_drawings(info, str(bitmap_data_dir), "test"))
