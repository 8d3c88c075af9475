"""Class names recovered from the names of files and folders."""

import pytest

from pipeline.formats import words


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("cat.bin", "cat"),
        ("/data/aircraft carrier.npy.gz", "aircraft carrier"),
        ("gs://quickdraw_dataset/sketchrnn/cat.full.npz", "cat"),
        ("gs://quickdraw_dataset/sketchrnn/The Eiffel Tower.npz", "The Eiffel Tower"),
        ("full_numpy_bitmap_aircraft%20carrier.npy", "aircraft carrier"),
        ("full_binary_t-shirt.bin", "t-shirt"),
        ("sketchrnn_cat.full.npz", "cat"),
        ("dr. full.npy", "dr. full"),
        ("cat", "cat"),
        ("folder/.npy", ""),
        ("full-numpy_bitmap-circle.npy", "circle"),
        ("full-numpy-bitmap-circle.npy", "circle"),
        ("full%2Fnumpy_bitmap%2Fcircle.npy", "circle"),
        ("full%2Fsimplified%2Fhot%20dog.ndjson", "hot dog"),
        ("circle (1).npy", "circle"),
        ("circle(2).npy", "circle"),
        ("Copy of cat.npy", "cat"),
        ("cat - Copy.npy", "cat"),
        ("cat - Copy (2).npy", "cat"),
        ("Copy of full_binary_cat (1).bin", "cat"),
        ("circle.npy?alt=media", "circle"),
        ("https%3A%2F%2Fhost%2Fcat.npy?alt=media&token=a/b.c", "cat"),
        ("cat.NPY", "cat"),
        ("CAT.NDJSON.GZ", "CAT"),
        (r"C:\drawings\cat.npy", "cat"),
        (r"drawings\full_raw_cat.ndjson", "cat"),
        ("cat.npy.1", "cat"),
        ("cat.json", "cat"),
        ("cat.csv.gz", "cat"),
    ],
)
def test_word_from_file_name(path, word):
    assert words.word_from_file_name(path) == word


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("a/hot dog/1.png", "hot dog"),
        ("gs://b/cat/x.png", "cat"),
        ("x.png", ""),
        ("cat/train/1.png", "cat"),
        ("train/cat/1.png", "cat"),
        ("data/Test/1.png", ""),
        (r"drawings\cat\1.png", "cat"),
    ],
)
def test_word_from_folder(path, word):
    assert words.word_from_folder(path) == word


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("svg/circle.svg", "circle"),
        ("cat/circle.svg", "circle"),
        ("cat/0001.svg", "cat"),
        ("cat/my drawing.svg", "cat"),
        ("mine/unicorn.svg", "unicorn"),
        ("unicorn/drawing-17.svg", "unicorn"),
        ("alarm_clock.svg", "alarm clock"),
        ("drawing-17.svg", "drawing-17"),
    ],
)
def test_word_of_a_file_with_one_drawing(path, word):
    assert words.word_from_path(path) == word
