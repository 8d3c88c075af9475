"""Sketch-RNN's `.npz`: drawings of one word, split by those who published them.

    train, valid, test   object arrays of <int16>[N, 3], rows (dx, dy, lift)

The first row is the first point's own place, the others are differences; lift is 1 on
the last point of a stroke. `cat.npz` has 75,000 drawings, `cat.full.npz` all of them;
the word is the file's name. A drawing stays in its split, whatever the shares of ours.

Integer steps lose no place, so their sums are the points. They are moved to minimum 0
and scaled to maximum 255, as everything else here is. They are not simplified: that
has been done, and to do it twice would lose points.

Numpy can store arrays of arrays as a pickle alone, and a pickle may run anything.
Ours may name four things, of which none does more than be written down.

Sources: https://github.com/googlecreativelab/quickdraw-dataset#sketch-rnn-quickdraw-dataset,
https://github.com/magenta/magenta/tree/main/magenta/models/sketch_rnn.
"""

import pickle
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from pipeline import simplification
from pipeline.formats import npy_files
from pipeline.formats.blocks import BLOCK_BYTES, Block, Unreadable, gather
from pipeline.formats.drawing import Drawing, keyless

SPLITS = {"train": "train", "valid": "validation", "test": "test"}
"""Name of an array to the split that its drawings stay in."""

_DTYPES = ("<i2", ">i2")
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
    """Cuts a file into blocks, each of one split.

    Raises:
      Unreadable: not such a file.
    """
    with npy_files.open_npz(stream) as archive:
        names = npy_files.names(archive)
        if not names or names - set(SPLITS):
            raise Unreadable(
                f"holds {', '.join(sorted(names))}, not {', '.join(SPLITS)}"
            )
    first = 1
    for name, split in SPLITS.items():
        if name in names:
            rows = _read_array(stream, name)
            for block in gather(
                rows, file, format, block_bytes, first=first, split=split
            ):
                yield block
                first = block.first + len(block.data)


def parse(item: bytes, word: str) -> Drawing:
    """Makes a drawing of rows `<int16>[N, 3]`.

    Raises:
      ValueError: no drawing; the message is `kind[: detail]`.
    """
    rows = np.frombuffer(item, "<i2").reshape(-1, 3)
    if not len(rows):
        raise ValueError("no strokes")
    lifts = rows[:, 2]
    if not np.isin(lifts, (0, 1)).all():
        raise ValueError(f"lift is neither 0 nor 1: {lifts.min()} to {lifts.max()}")
    places = rows[:, :2].cumsum(axis=0, dtype=np.float64)
    points = np.empty(rows.shape, np.uint8)
    points[:, :2] = np.rint(simplification.fill_box([places])[0])
    points[:, 2] = lifts
    points[-1, 2] = 1
    return keyless(word, points.tobytes())


# --- The pickle -----------------------------------------------------------------------


class _Recorded:
    """What a pickle names, is called with and is set to: written down, never run."""

    __slots__ = ("args", "name", "state")

    def __init__(self, name: str, args: tuple[Any, ...] = ()):
        self.name, self.args, self.state = name, args, ()

    def __call__(self, *args: Any) -> "_Recorded":
        return _Recorded(self.name, args)

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Foreign(ValueError):
    """The pickle names something else than arrays need."""


class _Unpickler(pickle.Unpickler):
    """Admits what numpy's arrays are rebuilt from, and nothing else."""

    def find_class(self, module: str, name: str) -> _Recorded:
        if (module, name) not in _GLOBALS:
            raise _Foreign(f"pickle of more than arrays: it names {module}.{name}")
        return _Recorded(name)


def _read_array(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Yields the rows of each drawing of an array, as `<int16>` little-endian.

    Raises:
      ValueError: it is damaged, or no array of such rows.
    """
    with (
        npy_files.open_npz(stream) as archive,
        npy_files.open_array(archive, name) as file,
    ):
        header = npy_files.read_header(file)
        if not header.dtype.hasobject:
            if 0 in header.shape:
                return
            raise Unreadable(f"{name} holds {header}, not an array of drawings")
        drawings = _unpickle(file)
        if file.read(1):
            raise ValueError(f"damaged pickle: {name} goes on after it")
    for number, drawing in enumerate(drawings, 1):
        try:
            yield _rows_of(drawing)
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(
                f"not int16 [N, 3]: drawing {number} of {name} and all after it: "
                f"{error}"
            )


def _unpickle(file: BinaryIO) -> list[Any]:
    """Gives what the outer array holds."""
    try:
        # Python 2 wrote Google's files; its strings are bytes.
        array = _Unpickler(file, encoding="bytes").load()
        _, shape, _, _, drawings = array.state
        if array.name != "_reconstruct" or list(shape) != [len(drawings)]:
            raise ValueError("no array of arrays")
        return list(drawings)
    except (_Foreign, OSError):
        raise
    except Exception as error:  # as a damaged pickle raises whatever it likes
        raise ValueError(f"damaged pickle: {error or type(error).__name__}")


def _rows_of(drawing: _Recorded) -> bytes:
    """The bytes of a recorded array `<int16>[N, 3]`."""
    _, shape, dtype, fortran_order, data = drawing.state
    kind = _text(dtype.state[1]) + _text(dtype.args[0])
    rows, width = shape
    if drawing.name != "_reconstruct" or kind not in _DTYPES or width != 3:
        raise ValueError(f"{kind} {list(shape)}")
    if isinstance(data, _Recorded):  # Python 3 writes bytes for Python 2 so
        data = data.args[0].encode("latin-1")
    order = "F" if fortran_order else "C"
    array = np.frombuffer(data, kind).reshape((rows, width), order=order)
    return array.astype("<i2").tobytes()


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
