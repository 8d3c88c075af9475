"""Bitmaps of 28×28 gray values, white ink on black.

    .npy   <uint8>[N, 784]: Google's numpy_bitmap; the class is in the file's name
    .npz   arr_0 <uint8>[N, 784], arr_1 [N]: images and labels, as `numpy.savez` names
           them; labels are words, or integers that `--label_names` names

[N, 28, 28] and [N, 28, 28, 1] are read too, and so are other integer types, booleans
and real numbers: of 0..1 if the first rows have no value above 1, else of 0..255. Rows
are streamed.

Source: https://github.com/googlecreativelab/quickdraw-dataset#numpy-bitmaps-npy
"""

import math
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from pipeline.class_names import normalize_word
from pipeline.formats import parquet
from pipeline.formats.blocks import UnreadableFileError
from pipeline.formats.drawing import Drawing, make_drawing
from pipeline.formats.numpy_files import npy
from tfrecords import schema

PIXELS = schema.BITMAP_SIDE**2

IMAGES, LABELS = "arr_0", "arr_1"

_ROWS_PER_READ = 1024


def read_images(
    stream: BinaryIO, label_names: Sequence[str] | None = None
) -> Iterator[bytes]:
    """Yields the pixels `<uint8>[28, 28]` of each image and then its label, if any.

    Raises:
      UnreadableFileError: not such a file, or labels without names.
      ValueError: the array is damaged or cut off.
    """
    magic = stream.read(len(parquet.MAGIC))
    stream.seek(0)
    if magic == parquet.MAGIC:
        yield from parquet.read_bitmaps(stream, label_names)
        return
    if not magic.startswith(npy.NPZ_MAGIC):
        yield from _read_rows(stream, npy.read_header(stream))
        return
    with npy.open_npz(stream) as archive:
        if missing := {IMAGES, LABELS} - npy.array_names(archive):
            raise UnreadableFileError(f"there is no array {min(missing)}")
        with npy.open_array(archive, IMAGES) as images:
            header = npy.read_header(images)
            with npy.open_array(archive, LABELS) as labels:
                words = _read_words(labels, math.prod(header.shape[:1]), label_names)
            for row, word in zip(_read_rows(images, header), words):
                yield row + word.encode()


def parse(item: bytes, word: str | None = "") -> Drawing:
    """Makes a drawing of an item of `read_images`; `word` is used if it has no label.

    Raises:
      ValueError: an empty image; the message is `kind[: detail]`.
    """
    pixels, label = item[:PIXELS], item[PIXELS:]
    if pixels.count(0) == PIXELS:
        raise ValueError("no ink")
    if label:
        word = normalize_word(label.decode())
    return make_drawing(word, pixels, is_bitmap=True)


def _read_rows(stream: BinaryIO, header: npy.Header) -> Iterator[bytes]:
    side = schema.BITMAP_SIDE
    shapes = ((PIXELS,), (side, side), (side, side, 1))
    if header.dtype.kind not in "buif" or header.shape[1:] not in shapes:
        raise UnreadableFileError(f"holds {header}, not numbers [N, {PIXELS}]")
    if header.fortran_order and header.shape[0] > 1:
        raise UnreadableFileError(
            "stored by columns; save it with numpy.ascontiguousarray"
        )
    total, row_bytes = header.shape[0], PIXELS * header.dtype.itemsize
    scale = 0
    for first in range(0, total, _ROWS_PER_READ):
        rows = min(_ROWS_PER_READ, total - first)
        data = npy.read_exactly(stream, rows * row_bytes)
        whole = len(data) // row_bytes
        numbers = np.frombuffer(data, header.dtype, whole * PIXELS)
        scale = scale or _find_scale(numbers)
        pixels = _to_pixels(numbers, scale, first)
        for begin in range(0, len(pixels), PIXELS):
            yield pixels[begin : begin + PIXELS]
        if whole < rows:
            raise ValueError(
                f"truncated array: from row {first + whole + 1} of {total} on"
            )
    if stream.read(1):
        raise ValueError(f"damaged array: it continues after row {total}, its last")


def _find_scale(numbers: np.ndarray) -> int:
    """Returns the factor to 0..255: 255 for booleans and real numbers in 0..1."""
    if numbers.dtype.kind in "ui" or not len(numbers):
        return 1
    return 1 if (numbers > 1).any() else 255


def _to_pixels(numbers: np.ndarray, scale: int, first: int) -> bytes:
    if numbers.dtype == np.uint8:
        return numbers.tobytes()
    values = numbers.astype(np.float64) * scale
    if not ((values >= 0) & (values <= 255)).all():
        limit = 255 // scale
        raise ValueError(f"damaged array: values outside 0..{limit} after row {first}")
    return np.rint(values).astype(np.uint8).tobytes()


def _read_words(
    stream: BinaryIO, count: int, label_names: Sequence[str] | None
) -> list[str]:
    """Reads the labels of `count` images as words."""
    header = npy.read_header(stream)
    if math.prod(header.shape) != count or header.shape[:1] != (count,):
        raise UnreadableFileError(f"{LABELS} holds {header}, {IMAGES} {count} images")
    data = npy.read_exactly(stream, count * header.dtype.itemsize)
    if header.dtype.kind not in "iuUS":
        raise UnreadableFileError(f"{LABELS} holds {header}, not integers or text")
    if len(data) < count * header.dtype.itemsize or stream.read(1):
        raise UnreadableFileError(f"{LABELS} is damaged: not {header}")
    labels = np.frombuffer(data, header.dtype, count)
    if header.dtype.kind in "US":
        return _decode_words(labels)
    if label_names is None:
        raise UnreadableFileError(f"{LABELS} holds integers; --label_names names them")
    if count and not 0 <= labels.min() <= labels.max() < len(label_names):
        raise UnreadableFileError(
            f"labels range from {labels.min()} to {labels.max()}, --label_names has "
            f"{len(label_names)} names"
        )
    return [label_names[label] for label in labels]


def _decode_words(labels: np.ndarray) -> list[str]:
    try:
        words = [w.decode() if isinstance(w, bytes) else w for w in labels.tolist()]
        for word in set(words):
            word.encode()
    except (UnicodeError, ValueError) as error:
        raise UnreadableFileError(f"{LABELS} is damaged: {error}")
    return words
