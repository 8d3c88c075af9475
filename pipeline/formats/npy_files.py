"""numpy's files, read as streams and without trust in them: `.npy`, and `.npz`.

A `.npz` is a zip archive of `.npy` files, each a header and then the array's bytes
(https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
"""

import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from pipeline.formats.blocks import Unreadable

NPY_MAGIC = b"\x93NUMPY"
NPZ_MAGIC = b"PK"

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED_OR_PATCHED = 0x61
_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class Header(NamedTuple):
    """What a `.npy` file says of its array."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


def read_header(stream: BinaryIO) -> Header:
    """Reads the header; the stream is then at the array's first byte.

    Raises:
      Unreadable: there is none.
    """
    try:
        version = np.lib.format.read_magic(stream)
        header = Header(*_READ_HEADER[version](stream))
    except (zlib.error, zipfile.BadZipFile, OSError):
        raise
    except Exception as error:  # numpy takes the header for a Python literal
        raise Unreadable(f"no .npy header: {error}")
    if min(header.shape, default=0) < 0:
        raise Unreadable(f"no .npy header: shape {header.shape}")
    return header


@contextlib.contextmanager
def open_npz(stream: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Opens the archive; what is damaged in it is a ValueError.

    Raises:
      Unreadable: it is none.
    """
    try:
        archive = zipfile.ZipFile(stream)
        for member in archive.infolist():
            if member.header_offset < 0:
                raise Unreadable(f"no .npz archive: {member.filename} is nowhere in it")
            packed_oddly = member.compress_type not in _COMPRESSIONS
            if packed_oddly or member.flag_bits & _ENCRYPTED_OR_PATCHED:
                raise Unreadable(f"{member.filename} is packed in a way unknown to us")
    except Unreadable:
        raise
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise Unreadable(f"no .npz archive: {error}")
    with archive:
        try:
            yield archive
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ValueError(f"damaged archive: {error}")


def names(archive: zipfile.ZipFile) -> set[str]:
    """The names of the arrays."""
    found = archive.namelist()
    return {name.removesuffix(".npy") for name in found if name.endswith(".npy")}


def open_array(archive: zipfile.ZipFile, name: str) -> BinaryIO:
    """Opens an array's file."""
    return archive.open(f"{name}.npy")
