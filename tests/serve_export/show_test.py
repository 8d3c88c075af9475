"""The terminal pictures."""

import numpy as np
import pytest

from pipeline import strokes
from serve_export import show
from serve_export.predictor import Guess
from tfrecords.dataset_info import load_dataset_info


def test_a_cross_looks_like_one():
    cross = strokes.to_points([[[0, 255], [128, 128]], [[128, 128], [0, 255]]])
    lines = show.picture(cross)
    assert {len(line) for line in lines} == {28}
    assert len(lines) == 14
    across = max(lines, key=lambda line: sum(cell != " " for cell in line))
    assert len(across.split()) == 1
    assert lines[3].strip(), "the upright stroke is in each line"
    assert len(lines[3].strip()) <= 2


def test_every_drawing_of_a_split_comes_back(data_dir):
    info = load_dataset_info(str(data_dir))
    drawings = list(show.drawings_of(info, str(data_dir), "test"))
    assert len(drawings) == info.split("test").examples
    for word, points in drawings:
        assert word in info.classes
        assert points.dtype == np.uint8
        assert points[-1, 2] == 1


def test_the_caption_says_whether_the_guess_is_right():
    guesses = [Guess("cat", 0.75), Guess("dog", 0.2)]
    assert show.caption("cat", guesses) == ["asked for: cat ✓", "cat 75%", "dog 20%"]
    assert show.caption("dog", guesses)[0] == "asked for: dog ✗"


def test_bitmaps_are_refused(bitmap_data_dir):
    info = load_dataset_info(str(bitmap_data_dir))
    with pytest.raises(ValueError, match="holds bitmaps; an export answers strokes"):
        next(show.drawings_of(info, str(bitmap_data_dir), "test"))
