"""Files on this machine and on remote storage, by one set of functions.

A path with a scheme, such as `gs://bucket/data`, is remote. Three backends serve them:

    local paths       the Python standard library
    remote paths      `tf.io.gfile` in a process that has imported TensorFlow and where
                      TensorFlow has the scheme; `ram://` always
                      Beam's `FileSystems` otherwise

Neither TensorFlow nor Beam is imported before a remote path needs it. Errors are
OSError, whichever backend raises them; a missing file is FileNotFoundError.
"""

import contextlib
import glob
import io
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, BinaryIO, cast

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_IN_PROCESS = "ram"  # a scheme that TensorFlow alone has


def is_remote(path: str) -> bool:
    """Returns whether a path has a scheme, such as `gs://`."""
    return _SCHEME.match(path) is not None


def join(folder: str, *names: str) -> str:
    """Joins a folder and the names below it, separated by slashes."""
    return os.path.join(folder, *names)


def basename(path: str) -> str:
    """Returns the last part of a path, ignoring a slash at its end."""
    return path.rstrip("/").rpartition("/")[2]


def exists(path: str) -> bool:
    """Returns whether there is a file, or on storage with folders a folder."""
    if not is_remote(path):
        return os.path.exists(path)
    if gfile := _gfile(path):
        with _as_os_error():
            return bool(gfile.exists(path))
    return bool(_beam().exists(path))


def size(path: str) -> int | None:
    """Returns the size of a file in bytes, or None if there is no such file."""
    if not exists(path):
        return None
    if not is_remote(path):
        return os.path.getsize(path)
    if gfile := _gfile(path):
        with _as_os_error():
            return int(gfile.stat(path).length)
    return int(_beam().get_filesystem(path).metadata(path).size_in_bytes)


def open_read(path: str) -> BinaryIO:
    """Opens a file for reading its bytes as they are stored."""
    if not is_remote(path):
        return open(path, "rb")
    if gfile := _gfile(path):
        return _open_gfile(gfile, path, "rb")
    return cast(BinaryIO, _beam().open(path, compression_type="uncompressed"))


def open_write(path: str) -> BinaryIO:
    """Opens a file for writing; replaces one that exists."""
    if not is_remote(path):
        return open(path, "wb")
    if gfile := _gfile(path):
        return _open_gfile(gfile, path, "wb")
    return cast(BinaryIO, _beam().create(path, compression_type="uncompressed"))


def read_bytes(path: str) -> bytes:
    """Reads a whole file."""
    with _as_os_error(), open_read(path) as file:
        return file.read()


def read_text(path: str) -> str:
    """Reads a whole file of UTF-8 text; a byte order mark is dropped.

    Raises:
      ValueError: the file is not UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: {error}") from None


def write(path: str, content: str | bytes) -> None:
    """Writes a file; text is encoded as UTF-8."""
    with _as_os_error(), open_write(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def write_atomic(path: str, content: str | bytes) -> None:
    """Writes a file under a temporary name, then renames it.

    A reader finds the old content or all of the new one, never a part of it.
    """
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.{name}.tmp" if folder or path[:1] == "/" else f".{name}.tmp"
    write(temporary, content)
    rename(temporary, path)


def rename(source: str, target: str) -> None:
    """Renames a file; replaces the target. Remote storage copies and deletes."""
    if not is_remote(source):
        os.replace(source, target)
    elif gfile := _gfile(source):
        with _as_os_error():
            gfile.rename(source, target, overwrite=True)
    else:
        _beam().rename([source], [target])


def copy(source: str, target: str) -> None:
    """Copies a file, also from this machine to remote storage; replaces the target."""
    with (
        _as_os_error(),
        open_read(source) as source_file,
        open_write(target) as target_file,
    ):
        shutil.copyfileobj(source_file, target_file, 1 << 20)


def delete(paths: Iterable[str]) -> None:
    """Deletes files; all must be on the same storage."""
    if not (paths := list(paths)):
        return
    if not is_remote(paths[0]):
        for path in paths:
            os.remove(path)
    elif gfile := _gfile(paths[0]):
        with _as_os_error():
            for path in paths:
                gfile.remove(path)
    else:
        _beam().delete(paths)


def delete_tree(folder: str) -> None:
    """Deletes a folder and everything in it; does nothing if there is none."""
    if not is_remote(folder):
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)
    elif gfile := _gfile(folder):
        with _as_os_error():
            if gfile.isdir(folder):
                gfile.rmtree(folder)
    else:
        delete(match(join(folder, "**")))


def make_dirs(folder: str) -> None:
    """Creates a folder and its parents; does nothing where there are no folders."""
    if not is_remote(folder):
        os.makedirs(folder, exist_ok=True)
    elif gfile := _gfile(folder):
        with _as_os_error():
            gfile.makedirs(folder)
    else:
        beam = _beam()
        if beam.get_filesystem(folder).has_dirs() and not beam.exists(folder):
            beam.mkdirs(folder)


def list_dir(folder: str) -> list[str]:
    """Lists the names in a folder, sorted; empty if there is no such folder.

    Storage without folders lists the files directly below the path only.
    """
    if not is_remote(folder):
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    if gfile := _gfile(folder):
        with _as_os_error():
            names = gfile.listdir(folder) if gfile.isdir(folder) else []
        return sorted(name.rstrip("/") for name in names)
    return sorted(map(basename, match(join(folder, "*"))))


def match(pattern: str) -> dict[str, int]:
    """Expands a glob to the files that match it; `**` matches any folders.

    A local path that exists is matched as it is, even if its name holds brackets.

    Returns:
      Path to size in bytes, sorted by path; empty if nothing matches.
    """
    if not is_remote(pattern):
        paths = [pattern]
        if not os.path.exists(pattern):
            paths = [
                path
                for path in glob.glob(pattern, recursive=True)
                if not os.path.isdir(path)
            ]
        sizes = {path: os.path.getsize(path) for path in paths}
    elif gfile := _gfile(pattern):
        with _as_os_error():
            paths = [path for path in gfile.glob(pattern) if not gfile.isdir(path)]
            sizes = {path: int(gfile.stat(path).length) for path in paths}
    else:
        (result,) = _beam().match([pattern])
        sizes = {file.path: int(file.size_in_bytes) for file in result.metadata_list}
    return dict(sorted(sizes.items()))


# --- Backends -------------------------------------------------------------------------


def _gfile(path: str) -> ModuleType | None:
    """Returns `tf.io.gfile` where it serves a remote path, else None."""
    matched = _SCHEME.match(path)
    scheme = matched.group(1) if matched else ""
    if scheme != _IN_PROCESS:
        # TensorFlow's client for gs:// cannot be pointed at an emulator; Beam's can.
        if "tensorflow" not in sys.modules or "STORAGE_EMULATOR_HOST" in os.environ:
            return None
        import tensorflow as tf

        if scheme not in tf.io.gfile.get_registered_schemes():
            return None
    import tensorflow as tf

    return cast(ModuleType, tf.io.gfile)


def _beam() -> Any:
    """Returns Beam's `FileSystems`.

    Raises:
      ValueError: Beam is not installed.
    """
    try:
        from apache_beam.io.filesystems import FileSystems
    except ModuleNotFoundError as error:
        raise ValueError(
            f"remote storage needs {error.name}: pip install '.[gcp]'"
        ) from None
    return FileSystems


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    """Raises TensorFlow's errors as OSError."""
    try:
        yield
    except Exception as error:
        tensorflow = sys.modules.get("tensorflow")
        if tensorflow is None or not isinstance(error, tensorflow.errors.OpError):
            raise
        if isinstance(error, tensorflow.errors.NotFoundError):
            raise FileNotFoundError(error.message) from None
        raise OSError(error.message) from None


def _open_gfile(gfile: ModuleType, path: str, mode: str) -> BinaryIO:
    """Opens a file through TensorFlow as a buffered stream."""
    file = gfile.GFile(path, mode)
    with _as_os_error():  # GFile itself opens the file on its first use
        if mode == "rb":
            file.tell()
            return cast(BinaryIO, io.BufferedReader(_GFileStream(file), 1 << 20))
        if path.startswith(f"{_IN_PROCESS}://") and gfile.exists(path):
            gfile.remove(path)  # ram:// appends to a file that exists
        file.write(b"")
        return cast(BinaryIO, io.BufferedWriter(_GFileStream(file), 1 << 20))


class _GFileStream(io.RawIOBase):
    """A `tf.io.gfile.GFile` as a stream of the standard library."""

    def __init__(self, file: Any):
        self._file = file

    def readable(self) -> bool:
        return "r" in self._file.mode

    def writable(self) -> bool:
        return "w" in self._file.mode

    def seekable(self) -> bool:
        return self.readable()

    def readinto(self, buffer: Any) -> int:
        with _as_os_error():
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def write(self, data: Any) -> int:
        with _as_os_error():
            self._file.write(bytes(data))
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with _as_os_error():
            self._file.seek(offset, whence)
        return self.tell()

    def tell(self) -> int:
        with _as_os_error():
            return int(self._file.tell())

    def close(self) -> None:
        if not self.closed:
            super().close()
            with _as_os_error():
                self._file.close()
