"""Keeps drawings that people gave, as `create_dataset --input=` takes them.

    <folder>/2026-11-21/drawings.ndjson     local: a file a day, a line appended
    gs://…/2026-11-21/<key_id>.ndjson       remote: an object a drawing
    <folder>/.key                           makes and checks the secrets

A drawing is acknowledged when it is on the disk, or uploaded. A key is the day, in
days since 1970, and 14 digits of chance, so it says where to look. Its secret is a
keyed hash of it: nothing about the giver is kept.
"""

import contextlib
import datetime
import fcntl
import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from serve_export import layout

DAY_FILE = "drawings.ndjson"
KEY_FILE = ".key"
LOCK_FILE = ".lock"

_CHANCE = 10**14
_FIRST_DAY = datetime.date(1970, 1, 1)


class Full(Exception):
    """There is no room for another drawing."""


class Files(Protocol):
    """Where the lines stand. Each method is safe in many threads."""

    def read_key(self) -> bytes:
        """The key of the secrets; made if there is none."""

    def size(self) -> int:
        """Bytes of all drawings."""

    def add(self, day: str, key_id: str, line: bytes) -> None:
        """Keeps a line; when it returns, nothing can lose it."""

    def remove(self, day: str, key_id: str) -> int:
        """Removes a line; gives its bytes, 0 where there is none."""


class DrawingsStore:
    """Drawings in a folder, up to a cap."""

    def __init__(self, folder: str, cap_bytes: int):
        """Opens a folder, and makes it if it is not there.

        Raises:
          OSError: it cannot be written.
        """
        self._files: Files = (
            RemoteFiles(folder) if layout.is_remote(folder) else LocalFiles(folder)
        )
        self._cap = cap_bytes
        self._key = self._files.read_key()
        self._lock = threading.Lock()
        self._bytes = self._files.size()

    @property
    def bytes(self) -> int:
        """What all drawings take."""
        return self._bytes

    def add(
        self, word: str, drawing: Sequence[Sequence[Sequence[int]]], recognized: bool
    ) -> tuple[str, str]:
        """Keeps a simplified drawing in Quick, Draw!'s own form.

        Source: https://github.com/googlecreativelab/quickdraw-dataset

        Returns:
          Its key, and the secret with which it can be removed.

        Raises:
          Full: the cap is reached.
        """
        now = datetime.datetime.now(datetime.UTC)
        number = (now.date() - _FIRST_DAY).days * _CHANCE + secrets.randbelow(_CHANCE)
        key_id = str(number)
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
            if self._bytes + len(line) > self._cap:
                raise Full(f"{self._cap / 1e6:,.0f} MB of drawings are kept already")
            self._bytes += len(line)
        self._files.add(_day_of(key_id), key_id, line)
        return key_id, self._secret(key_id)

    def remove(self, key_id: str, secret: str) -> bool:
        """Removes a drawing; False where it is not there.

        Raises:
          PermissionError: that is not its secret.
        """
        if not hmac.compare_digest(self._secret(key_id).encode(), secret.encode()):
            raise PermissionError("that is not the secret of this drawing")
        removed = self._files.remove(_day_of(key_id), key_id)
        with self._lock:
            self._bytes -= removed
        return removed > 0

    def _secret(self, key_id: str) -> str:
        return hmac.new(self._key, key_id.encode(), hashlib.sha256).hexdigest()


def _day_of(key_id: str) -> str:
    return str(_FIRST_DAY + datetime.timedelta(int(key_id) // _CHANCE))


def _holds(line: bytes, key_id: str) -> bool:
    return f'"key_id":"{key_id}"'.encode() in line


class LocalFiles:
    """A file a day. Two servers may share a folder."""

    def __init__(self, folder: str):
        self._folder = folder
        os.makedirs(folder, exist_ok=True)
        with self._locked():
            for path in self._paths():
                _cut_torn_line(path)

    def read_key(self) -> bytes:
        path = os.path.join(self._folder, KEY_FILE)
        with self._locked():
            if not os.path.exists(path):
                with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                    file.write(secrets.token_bytes(32))
                    _to_disk(file.fileno())
            with open(path, "rb") as file:
                return file.read()

    def size(self) -> int:
        return sum(map(os.path.getsize, self._paths()))

    def add(self, day: str, key_id: str, line: bytes) -> None:
        folder = os.path.join(self._folder, day)
        with self._locked():
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, DAY_FILE), "ab") as file:
                file.write(line)
                _to_disk(file.fileno())

    def remove(self, day: str, key_id: str) -> int:
        path = os.path.join(self._folder, day, DAY_FILE)
        with self._locked():
            if not os.path.exists(path):
                return 0
            aside, removed = f"{path}.tmp", 0
            with open(path, "rb") as old, open(aside, "wb") as new:
                for line in old:
                    if _holds(line, key_id):
                        removed += len(line)
                    else:
                        new.write(line)
                new.flush()
                _to_disk(new.fileno())
            os.replace(aside, path)
            return removed

    def _paths(self) -> list[str]:
        folders = [entry.path for entry in os.scandir(self._folder) if entry.is_dir()]
        paths = [os.path.join(folder, DAY_FILE) for folder in folders]
        return [path for path in paths if os.path.exists(path)]

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keeps other threads and servers out; dies with its process."""
        with open(os.path.join(self._folder, LOCK_FILE), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _to_disk(descriptor: int) -> None:
    os.fsync(descriptor)


def _cut_torn_line(path: str) -> None:
    """Cuts off what a server that was killed had not yet written to its end."""
    with open(path, "r+b") as file:
        data = file.read()
        file.truncate(data.rfind(b"\n") + 1)


class RemoteFiles:
    """An object a drawing, by Beam's file systems (extra `gcp` for `gs://`)."""

    def __init__(self, folder: str):
        self._folder = folder.rstrip("/")

    def read_key(self) -> bytes:
        path = f"{self._folder}/{KEY_FILE}"
        if not layout.beam().exists(path):
            _upload(path, secrets.token_bytes(32))
        with layout.beam().open(path, compression_type="uncompressed") as file:
            return file.read()

    def size(self) -> int:
        found = layout.beam().match([f"{self._folder}/*/*.ndjson"])[0].metadata_list
        return sum(each.size_in_bytes for each in found)

    def add(self, day: str, key_id: str, line: bytes) -> None:
        _upload(f"{self._folder}/{day}/{key_id}.ndjson", line)

    def remove(self, day: str, key_id: str) -> int:
        path = f"{self._folder}/{day}/{key_id}.ndjson"
        found = layout.beam().match([path])[0].metadata_list
        if found:
            layout.beam().delete([path])
        return sum(each.size_in_bytes for each in found)


def _upload(path: str, data: bytes) -> None:
    with layout.beam().create(path, compression_type="uncompressed") as file:
        file.write(data)
