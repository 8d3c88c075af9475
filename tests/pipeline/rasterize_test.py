"""Bitmaps equal a golden picture and resemble 182 of Google's."""

import gzip

import numpy as np
import pytest

from pipeline import strokes
from pipeline.formats.text.ndjson_lines import parse_simplified
from pipeline.rasterize import rasterize

PICTURE = """\

 .:
 ::
 ::
 ::
 ::
 ::
 ::               ::
 ::               :.
 ::
 ::
 ::
 ::
 ::
 ::
 ::
 ::
 ::
 ::
 ::
 ::
 ::
 ::
 ::
 ::
 ::::::::::::::::::::::::::
 .::::::::::::::::::::::::.
"""


def shown(bitmap):
    rows = ("".join(" .:#"[shade(value)] for value in row) for row in bitmap)
    return "\n".join(row.rstrip() for row in rows)


def shade(value):
    return int(value > 0) + int(value > 100) + int(value == 255)


def test_the_picture_of_two_strokes():
    drawing = [[[0, 0, 255], [0, 255, 255]], [[180], [60]]]
    bitmap = rasterize(strokes.to_points(drawing))
    assert bitmap.dtype == np.uint8
    assert shown(bitmap) == PICTURE


def test_a_drawing_is_centered():
    left, right = ([[[x, x + 40], [y, y + 9]]] for x, y in ((0, 0), (200, 100)))
    one, other = (rasterize(strokes.to_points(drawing)) for drawing in (left, right))
    np.testing.assert_array_equal(one, other)


def test_a_point_is_a_dot_in_the_middle():
    bitmap = rasterize(strokes.to_points([[[77], [3]]]))
    rows, columns = np.nonzero(bitmap)
    assert set(rows) | set(columns) <= {12, 13, 14, 15}
    np.testing.assert_array_equal(bitmap, bitmap[::-1, ::-1])
    assert bitmap[13, 13] > 128


def test_the_pen_is_up_between_strokes():
    bitmap = rasterize(strokes.to_points([[[0, 0], [0, 255]], [[255, 255], [0, 255]]]))
    assert not bitmap[:, 5:23].any()


# The bitmaps of `clock` are of other drawings than the lines beside them: they
# correlate at 0.13 on average, where the lowest of the other nine has 0.9956.
@pytest.mark.parametrize(
    "word",
    ["airplane", "banana", "bird", "book", "cat", "dog", "flower", "house", "rainbow"],
)
def test_bitmaps_resemble_googles(word, quickdraw_dir):
    theirs = np.load(quickdraw_dir / "bitmap_pairs" / f"{word}.npy").astype(float)
    with gzip.open(quickdraw_dir / "bitmap_pairs" / f"{word}.ndjson.gz") as lines:
        drawings = [parse_simplified(line) for line in lines]
    ours = [rasterize(drawing.points).ravel().astype(float) for drawing in drawings]
    assert len(ours) == len(theirs)
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(ours, theirs)]
    assert np.mean(correlations) >= 0.995
    assert np.abs(ours - theirs).mean() <= 4
