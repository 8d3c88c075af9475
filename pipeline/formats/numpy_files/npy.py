"""numpy's file formats, read as streams and without trust in their content.

A `.npz` is a zip archive of `.npy` files, each a header and then the array's bytes
(https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
"""

import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

import numpy as np

from pipeline.formats.blocks import UnreadableFileError

NPY_MAGIC = b"\x93NUMPY"
NPZ_MAGIC = b"PK"

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED_OR_PATCHED = 0x61
_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class Header(NamedTuple):
    """The header of a `.npy` file."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


def read_header(stream: BinaryIO) -> Header:
    """Reads the header; the stream is then at the array's first byte.

    Raises:
      UnreadableFileError: there is no valid header.
    """
    try:
        version = np.lib.format.read_magic(stream)
        header = Header(*_READ_HEADER[version](stream))
    except (zlib.error, zipfile.BadZipFile, OSError):
        raise
    except Exception as error:  # numpy evaluates the header as a Python literal
        raise UnreadableFileError(f"no .npy header: {error}")
    if min(header.shape, default=0) < 0:
        raise UnreadableFileError(f"no .npy header: shape {header.shape}")
    return header


@contextlib.contextmanager
def open_npz(stream: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Opens an archive; damage found while it is read is a ValueError.

    Raises:
      UnreadableFileError: the file is not such an archive.
    """
    try:
        archive = zipfile.ZipFile(stream)
        for member in archive.infolist():
            if member.header_offset < 0:
                raise UnreadableFileError(
                    f"not a .npz archive: {member.filename} is outside the file"
                )
            if (
                member.compress_type not in _COMPRESSIONS
                or member.flag_bits & _ENCRYPTED_OR_PATCHED
            ):
                raise UnreadableFileError(
                    f"{member.filename} has an unsupported compression or encryption"
                )
    except UnreadableFileError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise UnreadableFileError(f"not a .npz archive: {error}")
    with archive:
        try:
            yield archive
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ValueError(f"damaged archive: {error}")


def array_names(archive: zipfile.ZipFile) -> set[str]:
    """Returns the names of the arrays."""
    members = archive.namelist()
    return {name.removesuffix(".npy") for name in members if name.endswith(".npy")}


def open_array(archive: zipfile.ZipFile, name: str) -> BinaryIO:
    """Opens the file of an array."""
    return cast(BinaryIO, archive.open(f"{name}.npy"))


def read_exactly(stream: BinaryIO, size: int) -> bytes:
    """Reads `size` bytes, or fewer only at the end of the stream."""
    parts = []
    while size and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
