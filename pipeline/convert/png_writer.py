"""Writes drawings as PNG files, in Google's bitmap format: 28×28, white on black."""

import os

import numpy as np

from pipeline import cli, strokes
from pipeline.convert.file_names import create_unique_file, make_safe_name
from pipeline.rasterize import rasterize
from tfrecords.dataset_info import DatasetInfo
from tfrecords.read import Record


class PngWriter:
    """Writes `<split>/<class>/<key_id>.png`.

    Each split has a folder for each class, because readers of such folders number the
    classes by their folders.
    """

    def __init__(self, folder: str, info: DatasetInfo):
        """Creates a writer; see `Writer`.

        Raises:
          ValueError: Pillow is not installed.
        """
        self._image = cli.import_extra("PIL.Image", "png")
        self._folder = folder
        self._names = [make_safe_name(word) for word in info.classes]
        self._class_folders: list[str] = []

    def start_split(self, split: str) -> None:
        """Creates the folders of a split."""
        self._class_folders = [
            os.path.join(self._folder, split, name) for name in self._names
        ]
        for folder in self._class_folders:
            os.makedirs(folder)

    def write(self, record: Record) -> None:
        """Writes a drawing."""
        folder = self._class_folders[record.class_index]
        with create_unique_file(folder, make_safe_name(record.key_id), ".png") as file:
            self._image.fromarray(get_bitmap(record)).save(file, "PNG")

    def close(self) -> None:
        """Does nothing: `write` writes complete files."""


def get_bitmap(record: Record) -> np.ndarray:
    """Returns the bitmap of a drawing, `<uint8>[28, 28]`."""
    if record.bitmap is not None:
        return record.bitmap
    assert record.ink is not None, "a record has ink or a bitmap"
    return rasterize(strokes.from_ink(record.ink))
