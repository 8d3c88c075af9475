"""The word that a file's name says."""

import pytest

from pipeline.formats import drawing, png


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
    ],
)
def test_word_of_a_file(path, word):
    assert drawing.word_of(path) == word


@pytest.mark.parametrize(
    ("path", "word"),
    [("a/hot dog/1.png", "hot dog"), ("gs://b/cat/x.png", "cat"), ("x.png", "")],
)
def test_word_of_a_folder(path, word):
    assert png.word_of(path) == word
