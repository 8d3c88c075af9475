"""Generates synthetic drawings in the format of Google's simplified ndjson files.

    shapes        word → lines of an ideal shape, from corner to corner
    handwriting   lines → strokes with the irregularities of a human hand
    drawings      strokes → simplified drawings, records and files

The drawings replace Google's data in demos and tests, which need no network. They are
irregular enough that a classifier confuses some of them.
"""

from pipeline.sample.drawings import draw, draw_raw, draw_sloppiness, write_sample
from pipeline.sample.shapes import CLASSES

__all__ = ["CLASSES", "draw", "draw_raw", "draw_sloppiness", "write_sample"]
