"""Sketch-RNN's `.npz`: drawings of one class, in the splits they were published in.

    train, valid, test   object arrays of <int16>[T, 3], rows (dx, dy, lift)

The first row is the position of the first point, the others are differences; lift is 1
on the last point of a stroke. `cat.npz` has 75,000 drawings, `cat.full.npz` all of
them; the class is in the file's name. A drawing stays in its split, whatever
`--splits` says.

Read too: other numeric types, arrays [N, T, 3] of drawings with equal lengths, lists of
lists, and stroke-5, rows (dx, dy, down, up, end).

Integer steps lose no position, so their sums are the points. They are moved to minimum
0 and scaled to maximum 255. They are not simplified: that has been done, and doing it
twice would lose points.

numpy stores arrays of arrays as a pickle, and a pickle may run any code. This reader
allows the four names that arrays need and records them instead of calling them.

Sources: https://github.com/googlecreativelab/quickdraw-dataset#sketch-rnn-quickdraw-dataset,
https://github.com/magenta/magenta/tree/main/magenta/models/sketch_rnn.
"""

import pickle
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from pipeline import simplification
from pipeline.formats.blocks import (
    BLOCK_BYTES,
    Block,
    UnreadableFileError,
    cut_items,
)
from pipeline.formats.drawing import Drawing, make_drawing
from pipeline.formats.numpy_files import npy

SPLITS = {"train": "train", "valid": "validation", "test": "test"}
"""Name of an array to the split that its drawings stay in."""

_ITEM_DTYPE = np.dtype("<f8")
_WIDTHS = (3, 5)
_GLOBALS = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


def cut(
    stream: BinaryIO, file: str, format: str, block_bytes: int = BLOCK_BYTES
) -> Iterator[Block]:
    """Cuts a file into blocks of one split each.

    Raises:
      UnreadableFileError: not such a file.
    """
    with npy.open_npz(stream) as archive:
        names = npy.array_names(archive)
        if not names or names - set(SPLITS):
            raise UnreadableFileError(
                f"holds {', '.join(sorted(names))}, not {', '.join(SPLITS)}"
            )
    first = 1
    for name, split in SPLITS.items():
        if name in names:
            items = _read_array(stream, name)
            for block in cut_items(
                items, file, format, block_bytes, first=first, split=split
            ):
                yield block
                first = block.first + len(block.data)


def parse(item: bytes, word: str | None = "") -> Drawing:
    """Makes a drawing of rows `<float64>[T, 3]` (dx, dy, lift).

    Raises:
      ValueError: not a drawing; the message is `kind[: detail]`.
    """
    rows = np.frombuffer(item, _ITEM_DTYPE).reshape(-1, 3)
    if not len(rows):
        raise ValueError("no strokes")
    if not np.isfinite(rows).all():
        raise ValueError("coordinate is not finite")
    lifts = rows[:, 2]
    if not np.isin(lifts, (0, 1)).all():
        raise ValueError(f"lift is not 0 or 1: {lifts.min():g} to {lifts.max():g}")
    positions = rows[:, :2].cumsum(axis=0)
    points = np.empty(rows.shape, np.uint8)
    points[:, :2] = np.rint(simplification.fill_box([positions])[0])
    points[:, 2] = lifts
    points[-1, 2] = 1
    return make_drawing(word, points.tobytes())


def _read_array(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Yields the rows of each drawing of an array as `<float64>[T, 3]`.

    Raises:
      ValueError: it is damaged, or not an array of such rows.
    """
    with npy.open_npz(stream) as archive, npy.open_array(archive, name) as file:
        header = npy.read_header(file)
        if header.dtype.hasobject:
            drawings: Iterator[Any] = iter(_unpickle(file, name))
        else:
            drawings = _read_equal_lengths(file, header, name)
        for number, drawing in enumerate(drawings, 1):
            try:
                yield _to_item(drawing)
            except (TypeError, ValueError, AttributeError, OverflowError) as error:
                raise ValueError(
                    f"not numbers [T, 3]: drawing {number} of {name} and all after it: "
                    f"{error}"
                )


def _read_equal_lengths(
    file: BinaryIO, header: npy.Header, name: str
) -> Iterator[np.ndarray]:
    """Yields the drawings of an array [N, T, 3] or [N, T, 5] of numbers."""
    shape = header.shape
    if 0 in shape:
        return
    if len(shape) != 3 or shape[2] not in _WIDTHS or header.dtype.kind not in "iuf":
        raise UnreadableFileError(f"{name} holds {header}, not an array of drawings")
    if header.fortran_order:
        raise UnreadableFileError(
            "stored by columns; save it with numpy.ascontiguousarray"
        )
    size = shape[1] * shape[2] * header.dtype.itemsize
    for number in range(1, shape[0] + 1):
        data = npy.read_exactly(file, size)
        if len(data) < size:
            raise ValueError(f"truncated array: from drawing {number} of {name} on")
        yield np.frombuffer(data, header.dtype).reshape(shape[1:])


def _to_item(drawing: Any) -> bytes:
    """Converts a drawing, stroke-3 or stroke-5, to the bytes of `<float64>[T, 3]`."""
    array = _to_array(drawing) if isinstance(drawing, _Recorded) else drawing
    rows = np.asarray(array)
    if rows.size == 0:
        return b""
    if rows.ndim != 2 or rows.shape[1] not in _WIDTHS or rows.dtype.kind not in "iufb":
        raise ValueError(f"{rows.dtype} {list(rows.shape)}")
    rows = rows.astype(_ITEM_DTYPE)
    if rows.shape[1] == 5:
        ends = np.flatnonzero(rows[:, 4] == 1)
        rows = rows[: ends[0]] if len(ends) else rows
        rows = np.ascontiguousarray(rows[:, [0, 1, 3]])
    return rows.tobytes()


# --- The pickle -----------------------------------------------------------------------


class _Recorded:
    """A name in a pickle, with the arguments and the state that the pickle gives it."""

    __slots__ = ("args", "name", "state")

    state: Any

    def __init__(self, name: str, args: tuple[Any, ...] = ()):
        self.name, self.args, self.state = name, args, ()

    def __call__(self, *args: Any) -> "_Recorded":
        return _Recorded(self.name, args)

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _ForbiddenNameError(ValueError):
    """The pickle names something that arrays do not need."""


class _Unpickler(pickle.Unpickler):
    """Allows the names that numpy's arrays are rebuilt from."""

    def find_class(self, module: str, name: str) -> _Recorded:
        if (module, name) not in _GLOBALS:
            raise _ForbiddenNameError(
                f"pickle of more than arrays: it names {module}.{name}"
            )
        return _Recorded(name)


def _unpickle(file: BinaryIO, name: str) -> list[Any]:
    """Returns the elements of the outer array.

    Raises:
      ValueError: the pickle is damaged or holds more than arrays.
    """
    try:
        # Python 2 wrote Google's files; its strings are bytes.
        array = _Unpickler(file, encoding="bytes").load()
        _, shape, _, _, drawings = array.state
        if array.name != "_reconstruct" or list(shape) != [len(drawings)]:
            raise ValueError("not an array of arrays")
    except (_ForbiddenNameError, OSError):
        raise
    except Exception as error:  # a damaged pickle raises many types
        raise ValueError(f"damaged pickle: {error or type(error).__name__}")
    if file.read(1):
        raise ValueError(f"damaged pickle: {name} continues after it")
    return list(drawings)


def _to_array(recorded: _Recorded) -> np.ndarray:
    """Rebuilds a recorded array."""
    _, shape, dtype, fortran_order, data = recorded.state
    kind = _to_text(dtype.args[0])
    order = _to_text(dtype.state[1])
    if recorded.name != "_reconstruct" or kind[:1] not in "iufb":
        raise ValueError(f"{order}{kind} {list(shape)}")
    if isinstance(data, _Recorded):  # how Python 3 writes bytes for Python 2
        data = data.args[0].encode("latin-1")
    array = np.frombuffer(data, f"{order}{kind}" if order in "<>" else kind)
    return array.reshape(tuple(shape), order="F" if fortran_order else "C")


def _to_text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
