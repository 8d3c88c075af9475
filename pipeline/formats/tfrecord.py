"""TFRecords of ink: those of this package and those of TensorFlow's RNN tutorial.

Both hold a `tf.train.Example` with `ink`, `shape` and `class_index`. The names of the
classes are in another file of the same folder:

    this package    dataset_info.json           ink of `strokes.to_ink`, with metadata
    the tutorial    <name>.tfrecord.classes     differences of points in 0..1

The tutorial scales x and y separately and drops the first point's position, so its
drawings keep neither their proportions nor, if it is a stroke of its own, their first
point. They are scaled to the box again and not simplified: that has been done.

Source of the latter: `tutorials/rnn/quickdraw/create_dataset.py` in
https://github.com/tensorflow/models.
"""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec
import numpy as np

from pipeline import simplification, strokes
from pipeline.class_names import normalize_word
from pipeline.formats.blocks import UnreadableFileError
from pipeline.formats.drawing import Drawing, make_drawing
from tfrecords import read, storage
from tfrecords.dataset_info import FILE_NAME, DatasetInfo
from tfrecords.encode import masked_crc

HEADER_BYTES = 12


def is_tfrecord(head: bytes) -> bool:
    """Returns whether a file that begins so is a TFRecord file."""
    return len(head) >= HEADER_BYTES and masked_crc(head[:8]) == head[8:HEADER_BYTES]


def read_examples(stream: BinaryIO, path: str) -> Iterator[bytes]:
    """Yields the class names and the record of each drawing, for `parse`.

    Raises:
      UnreadableFileError: the file with the class names is missing.
      ValueError: a record is damaged.
    """
    classes, is_own = _read_classes(path)
    for data in read.read_records(stream):
        try:
            record = read.parse_record(data)
            word = classes[record.class_index]
            if record.ink is None:
                raise UnreadableFileError("TFRecords of bitmaps; use their source")
        except UnreadableFileError:
            raise
        except (ValueError, IndexError) as error:
            raise ValueError(f"damaged record: {error}") from None
        yield msgspec.msgpack.encode((word, is_own, data))


def parse(item: bytes, word: str | None = "") -> Drawing:
    """Makes a drawing of a record.

    Raises:
      ValueError: not a drawing; the message is `kind[: detail]`.
    """
    own_word, is_own, data = msgspec.msgpack.decode(item)
    record = read.parse_record(data)
    word = None if word is None else normalize_word(own_word)
    if record.ink is None:
        raise ValueError("no strokes")
    to_points = strokes.from_ink if is_own else _tutorial_points
    drawing = make_drawing(word, to_points(record.ink).tobytes())
    return msgspec.structs.replace(
        drawing,
        key_id=record.key_id or drawing.key_id,
        countrycode=record.countrycode,
        timestamp=record.timestamp,
        recognized=record.recognized,
    )


def _tutorial_points(ink: np.ndarray) -> np.ndarray:
    """Converts the tutorial's ink `<float32>[T, 3]` to points `<uint8>[T + 1, 3]`."""
    positions = np.zeros((len(ink) + 1, 2))
    np.cumsum(ink[:, :2], axis=0, dtype=np.float64, out=positions[1:])
    if not np.isfinite(positions).all():
        raise ValueError("coordinate is not finite")
    points = np.zeros((len(ink) + 1, 3), np.uint8)
    points[:, :2] = np.rint(simplification.fill_box([positions])[0])
    points[1:, 2] = ink[:, 2] > 0.5
    points[-1, 2] = 1
    return points


def _read_classes(path: str) -> tuple[tuple[str, ...], bool]:
    """Reads the class names; says whether the records are of this package."""
    folder = path.rpartition("/")[0]
    info = storage.join(folder, FILE_NAME)
    if storage.exists(info):
        text = storage.read_text(info)
        return DatasetInfo.from_json(text, info).classes, True
    classes = path[: path.rfind(".tfrecord")] + ".tfrecord.classes"
    if ".tfrecord" in path and storage.exists(classes):
        return tuple(storage.read_text(classes).splitlines()), False
    raise UnreadableFileError(
        f"TFRecords without class names: neither {FILE_NAME} nor the tutorial's "
        f"{storage.basename(classes)} is in the folder"
    )
