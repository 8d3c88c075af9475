"""Stores drawings that people contribute, in the form that `create_dataset` reads.

    <folder>/2026-11-21/drawings.ndjson     local: a file per day, a line per drawing
    gs://…/2026-11-21/<key_id>.ndjson       remote: an object per drawing
    <folder>/.key                           the secret key of this store

A drawing is acknowledged once it is on disk or uploaded. Its `key_id` is the number of
days since 1970 followed by 14 random digits, so it names the file. The secret that
deletes it is a keyed hash of `key_id`; nothing about the author is stored.
"""

import contextlib
import datetime
import hashlib
import hmac
import os
import secrets
import stat
import threading
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from pipeline.file_lock import hold_lock
from tfrecords import storage

DAY_FILE = "drawings.ndjson"
KEY_FILE = ".key"

_KEY_BYTES = 32
_NUM_RANDOM = 10**14
_EPOCH = datetime.date(1970, 1, 1)


class StoreFullError(Exception):
    """The store has reached its largest size."""


class DrawingFiles(Protocol):
    """Reads and writes the files of a store; safe to use from several threads.

    Attributes:
      key: the secret key; created with the store.
    """

    key: bytes

    def get_size(self) -> int:
        """Returns the total size of all drawings, in bytes."""

    def add(self, day: str, key_id: str, line: bytes) -> None:
        """Writes a line; it is on disk when this returns."""

    def remove(self, day: str, key_id: str) -> int:
        """Removes a line; returns its size in bytes, 0 if there is no such line."""


class DrawingsStore:
    """Drawings in a folder."""

    def __init__(self, folder: str, max_bytes: int):
        """Opens a folder; creates it if it does not exist.

        Args:
          folder: local path or URL.
          max_bytes: largest total size of the drawings.

        Raises:
          OSError: the folder cannot be used.
        """
        self._files: DrawingFiles = (
            RemoteFiles(folder) if storage.is_remote(folder) else LocalFiles(folder)
        )
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._size = self._files.get_size()

    @property
    def size(self) -> int:
        """Total size of the drawings, in bytes."""
        return self._size

    def add(
        self, word: str, drawing: Sequence[Sequence[Sequence[int]]], recognized: bool
    ) -> tuple[str, str]:
        """Stores a simplified drawing as Quick, Draw! publishes it.

        Source: https://github.com/googlecreativelab/quickdraw-dataset

        Args:
          word: what it shows.
          drawing: strokes `[[xs, ys], …]`, integers within 0..255.
          recognized: whether the model recognized it.

        Returns:
          Its `key_id`, and the secret with which it can be removed.

        Raises:
          StoreFullError: there is no room for it.
          OSError: it could not be written.
        """
        now = datetime.datetime.now(datetime.UTC)
        day_number = (now.date() - _EPOCH).days
        key_id = str(day_number * _NUM_RANDOM + secrets.randbelow(_NUM_RANDOM))
        fields = {
            "word": word,
            "countrycode": "",
            "timestamp": now.strftime("%Y-%m-%d %H:%M:%S.%f UTC"),
            "recognized": recognized,
            "key_id": key_id,
            "drawing": drawing,
        }
        line = msgspec.json.encode(fields) + b"\n"
        with self._lock:
            if self._size + len(line) > self._max_bytes:
                raise StoreFullError(
                    f"the limit of {self._max_bytes / 1e6:,.0f} MB of drawings is "
                    "reached"
                )
            self._size += len(line)
        try:
            self._files.add(_get_day(key_id), key_id, line)
        except BaseException:
            self._change_size(-len(line))
            raise
        return key_id, self._compute_secret(key_id)

    def remove(self, key_id: str, secret: str) -> bool:
        """Removes a drawing.

        Args:
          key_id: 19 digits.
          secret: as `add` returned it.

        Returns:
          Whether there was such a drawing.

        Raises:
          PermissionError: the secret is wrong.
          OSError: the drawing could not be removed.
        """
        expected = self._compute_secret(key_id)
        if not hmac.compare_digest(expected.encode(), secret.encode()):
            raise PermissionError("wrong secret")
        num_bytes = self._files.remove(_get_day(key_id), key_id)
        self._change_size(-num_bytes)
        return num_bytes > 0

    def _change_size(self, num_bytes: int) -> None:
        with self._lock:
            self._size += num_bytes

    def _compute_secret(self, key_id: str) -> str:
        return hmac.new(self._files.key, key_id.encode(), hashlib.sha256).hexdigest()


def _get_day(key_id: str) -> str:
    try:
        return str(_EPOCH + datetime.timedelta(int(key_id) // _NUM_RANDOM))
    except OverflowError:  # not one of our keys
        return str(datetime.date.max)


class LocalFiles:
    """A file per day. Several servers may share a folder."""

    def __init__(self, folder: str):
        """Opens a folder, and repairs what a killed server left behind."""
        self._folder = folder.rstrip("/") or folder
        self.key = secrets.token_bytes(_KEY_BYTES)
        if not os.path.lexists(self._folder):
            os.makedirs(self._folder)
        with self._hold_lock():
            with open(os.path.join(self._folder, KEY_FILE), "rb") as file:
                self.key = file.read()
            for path in self._list_paths():
                _remove_partial_line(path)

    def get_size(self) -> int:
        """See `DrawingFiles`."""
        return sum(map(os.path.getsize, self._list_paths()))

    def add(self, day: str, key_id: str, line: bytes) -> None:
        """See `DrawingFiles`."""
        folder = os.path.join(self._folder, day)
        path = os.path.join(folder, DAY_FILE)
        with self._hold_lock():
            if not os.path.exists(path):
                os.makedirs(folder, exist_ok=True)
                with open(path, "xb"):
                    _sync_folder(folder)
                    _sync_folder(self._folder)
            size = _remove_partial_line(path)
            with open(path, "r+b", buffering=0) as file:
                file.seek(size)
                try:
                    rest = line
                    while rest:  # a full disk takes a part, then raises an error
                        rest = rest[file.write(rest) :]
                    os.fsync(file)
                except OSError:
                    file.truncate(size)
                    raise

    def remove(self, day: str, key_id: str) -> int:
        """See `DrawingFiles`."""
        folder = os.path.join(self._folder, day)
        path = os.path.join(folder, DAY_FILE)
        field = f'"key_id":"{key_id}"'.encode()
        with self._hold_lock():
            if not os.path.exists(path):
                return 0
            temporary, removed = f"{path}.tmp", 0
            with open(path, "rb") as old, open(temporary, "wb") as new:
                for line in old:
                    if field in line:
                        removed += len(line)
                    else:
                        new.write(line)
                new.flush()
                os.fsync(new)
            os.replace(temporary, path)
            _sync_folder(folder)
            return removed

    def _list_paths(self) -> list[str]:
        folders = [entry.path for entry in os.scandir(self._folder) if entry.is_dir()]
        paths = [os.path.join(folder, DAY_FILE) for folder in folders]
        return [path for path in paths if os.path.exists(path)]

    @contextlib.contextmanager
    def _hold_lock(self) -> Iterator[None]:
        """Excludes other threads and servers; checks the folder and its key file."""
        if not stat.S_ISDIR(os.lstat(self._folder).st_mode):
            raise NotADirectoryError(
                f"{self._folder} is not a directory (symbolic links are not followed)"
            )
        with hold_lock(self._folder, wait=True):
            key_path = os.path.join(self._folder, KEY_FILE)
            if not os.path.exists(key_path):  # new, or emptied while the server runs
                descriptor = os.open(key_path, os.O_WRONLY | os.O_CREAT, 0o600)
                with open(descriptor, "wb") as file:
                    file.write(self.key)
                    file.flush()
                    os.fsync(file)
            yield


def _remove_partial_line(path: str) -> int:
    """Removes what follows the last line's end; returns the size of the file."""
    with open(path, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            if file.read(1) != b"\n":
                file.seek(0)
                size = file.read().rfind(b"\n") + 1
                file.truncate(size)
        return size


def _sync_folder(folder: str) -> None:
    """Writes a folder's entries to disk, else a new file can be lost with the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class RemoteFiles:
    """An object per drawing; `gs://` needs the extra `gcp`."""

    def __init__(self, folder: str):
        """Opens a folder."""
        self._folder = folder.rstrip("/")
        path = f"{self._folder}/{KEY_FILE}"
        with _as_os_error():
            if not storage.exists(path):
                storage.write(path, secrets.token_bytes(_KEY_BYTES))
            self.key = storage.read_bytes(path)

    def get_size(self) -> int:
        """See `DrawingFiles`."""
        with _as_os_error():
            return sum(storage.match(f"{self._folder}/*/*.ndjson").values())

    def add(self, day: str, key_id: str, line: bytes) -> None:
        """See `DrawingFiles`."""
        with _as_os_error():
            storage.write(self._get_path(day, key_id), line)

    def remove(self, day: str, key_id: str) -> int:
        """See `DrawingFiles`."""
        with _as_os_error():
            sizes = storage.match(self._get_path(day, key_id))
            storage.delete(sizes)
            return sum(sizes.values())

    def _get_path(self, day: str, key_id: str) -> str:
        return f"{self._folder}/{day}/{key_id}.ndjson"


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    """Raises the errors of clients of remote storage as OSError."""
    try:
        yield
    except (OSError, ValueError):
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
