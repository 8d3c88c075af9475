"""Bitmaps of 28×28 grey values, white ink on black.

    .npy   <uint8>[N, 784]: Google's numpy_bitmap; the word is the file's name
    .npz   arr_0 <uint8>[N, 784], arr_1 [N]: images and labels, as `numpy.savez` names
           them; labels are words, or integers that `--label_names` gives names to

[N, 28, 28] and [N, 28, 28, 1] will do as well. Rows are streamed, never all held.

Source: https://github.com/googlecreativelab/quickdraw-dataset#numpy-bitmaps-npy
"""

import math
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from pipeline.formats import npy_files
from pipeline.formats.blocks import Unreadable
from pipeline.formats.drawing import Drawing, keyless
from tfrecords import schema

PIXELS = schema.BITMAP_SIDE**2

IMAGES, LABELS = "arr_0", "arr_1"

_ROWS_AT_ONCE = 1024


def read_images(
    stream: BinaryIO, label_names: Sequence[str] | None = None
) -> Iterator[bytes]:
    """Yields the pixels of each image, and behind them its word if it has a label.

    Raises:
      Unreadable: not such a file, or labels without names.
      ValueError: where the array is damaged or cut off.
    """
    magic = stream.read(len(npy_files.NPZ_MAGIC))
    stream.seek(0)
    if magic != npy_files.NPZ_MAGIC:
        header = npy_files.read_header(stream)
        yield from _rows(stream, header)
        return
    with npy_files.open_npz(stream) as archive:
        if missing := {IMAGES, LABELS} - npy_files.names(archive):
            raise Unreadable(f"there is no {min(missing)} in it")
        with npy_files.open_array(archive, IMAGES) as images:
            header = npy_files.read_header(images)
            with npy_files.open_array(archive, LABELS) as labels:
                words = _words(labels, math.prod(header.shape[:1]), label_names)
            for row, word in zip(_rows(images, header), words):
                yield row + word.encode()


def parse(item: bytes, word: str) -> Drawing:
    """Makes a drawing of what `read_images` yields; `word` where it has no label.

    Raises:
      ValueError: an empty image; the message is `kind[: detail]`.
    """
    pixels, label = item[:PIXELS], item[PIXELS:]
    if pixels.count(0) == PIXELS:
        raise ValueError("no ink")
    return keyless(label.decode() or word, pixels, is_bitmap=True)


def _rows(stream: BinaryIO, header: npy_files.Header) -> Iterator[bytes]:
    side = schema.BITMAP_SIDE
    shapes = ((PIXELS,), (side, side), (side, side, 1))
    if header.dtype != np.uint8 or header.shape[1:] not in shapes:
        raise Unreadable(f"holds {header}, not uint8 [N, {PIXELS}]")
    if header.fortran_order and header.shape[0] > 1:
        raise Unreadable("stored by columns; save it with numpy.ascontiguousarray")
    total = header.shape[0]
    for first in range(0, total, _ROWS_AT_ONCE):
        rows = min(_ROWS_AT_ONCE, total - first)
        data = _read_all(stream, rows * PIXELS)
        for begin in range(0, len(data) - PIXELS + 1, PIXELS):
            yield data[begin : begin + PIXELS]
        if len(data) < rows * PIXELS:
            row = first + len(data) // PIXELS + 1
            raise ValueError(f"truncated array: from row {row} of {total} on")
    if stream.read(1):
        raise ValueError(f"damaged array: it goes on after row {total}, its last")


def _read_all(stream: BinaryIO, size: int) -> bytes:
    """Reads so many bytes: a stream may give fewer at a time."""
    parts = []
    while size and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _words(
    stream: BinaryIO, count: int, label_names: Sequence[str] | None
) -> list[str]:
    """Reads the labels of so many images, as words."""
    header = npy_files.read_header(stream)
    if math.prod(header.shape) != count or header.shape[:1] != (count,):
        raise Unreadable(f"{LABELS} holds {header}, {IMAGES} {count} images")
    data = _read_all(stream, count * header.dtype.itemsize)
    if header.dtype.kind not in "iuUS":
        raise Unreadable(f"{LABELS} holds {header}, neither integers nor text")
    if len(data) < count * header.dtype.itemsize or stream.read(1):
        raise Unreadable(f"{LABELS} is damaged: not {header}")
    labels = np.frombuffer(data, header.dtype, count)
    if header.dtype.kind in "US":
        return _decoded(labels)
    if label_names is None:
        raise Unreadable(f"{LABELS} holds integers; --label_names gives them names")
    if count and not 0 <= labels.min() <= labels.max() < len(label_names):
        raise Unreadable(
            f"labels reach from {labels.min()} to {labels.max()}, --label_names has "
            f"{len(label_names)} names"
        )
    return [label_names[label] for label in labels]


def _decoded(labels: np.ndarray) -> list[str]:
    try:
        words = [w.decode() if isinstance(w, bytes) else w for w in labels.tolist()]
        for word in set(words):
            word.encode()
    except (UnicodeError, ValueError) as error:
        raise Unreadable(f"{LABELS} is damaged: {error}")
    return words
