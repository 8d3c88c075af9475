"""Writes a data set back as files, for tools that want those.

    python -m pipeline.convert --data_dir=DIR --output_dir=OUT --format=ndjson

    ndjson  OUT/<class>.ndjson                   Google's simplified form
    png     OUT/<split>/<class>/<key_id>.png     Google's bitmaps: 28×28, white on black

ndjson loses nothing: pipeline.create_dataset makes the same records of it. OUT comes
to be when all of it is written, and not before.
"""

import collections
import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import BinaryIO, Protocol

import msgspec
from absl import flags

from pipeline import cli, strokes
from pipeline.rasterize import rasterize
from tfrecords import read, schema
from tfrecords.dataset_info import load_dataset_info
from tfrecords.read import Record

BUFFER_BYTES = 64 << 10
"""Lines of a class that are held before its file is opened to append them."""

MAX_NAME_BYTES = 200
"""File systems allow 255 for a name, with its suffix."""

_UNSAFE = re.compile(r"^\.|[^\w .,+()'&!@=-]")


class Writer(Protocol):
    """Writes the records of a data set into a folder."""

    def write(self, split: str, word: str, record: Record) -> None:
        """Takes one record; ValueError says why it cannot be written."""

    def finish(self) -> None:
        """Writes what is still held."""


class NdjsonWriter:
    """One file a class, one drawing a line, as they are published.

    Source of the form: https://github.com/googlecreativelab/quickdraw-dataset.
    """

    def __init__(self, folder: str, classes: Sequence[str], splits: Sequence[str]):
        self._folder = folder
        self._held: dict[str, bytearray] = collections.defaultdict(bytearray)

    def write(self, split: str, word: str, record: Record) -> None:
        lines = self._held[word]
        lines += to_line(word, record)
        if len(lines) > BUFFER_BYTES:
            self._append(word)

    def finish(self) -> None:
        for word in list(self._held):
            self._append(word)

    def _append(self, word: str) -> None:
        path = os.path.join(self._folder, f"{safe_name(word)}.ndjson")
        with open(path, "ab") as file:
            file.write(self._held.pop(word))


class PngWriter:
    """One image a drawing, in a folder for each split and class.

    Every split has a folder for every class, since tools number classes by folders.
    """

    def __init__(self, folder: str, classes: Sequence[str], splits: Sequence[str]):
        self._image = cli.import_extra("PIL.Image", "png")
        self._folder = folder
        for split in splits:
            for word in classes:
                os.makedirs(os.path.join(folder, split, safe_name(word)))

    def write(self, split: str, word: str, record: Record) -> None:
        stem = safe_name(record.key_id)
        folder = os.path.join(self._folder, split, safe_name(word))
        pixels = record.bitmap
        if pixels is None:
            pixels = rasterize(strokes.from_ink(record.ink))
        with _create(folder, stem, ".png") as file:
            self._image.fromarray(pixels).save(file, "PNG")

    def finish(self) -> None:
        pass


WRITERS: dict[str, type[Writer]] = {"ndjson": NdjsonWriter, "png": PngWriter}


def convert(
    data_dir: str, output_dir: str, form: str, splits: Sequence[str] | None = None
) -> int:
    """Writes the drawings of a data set as files.

    Args:
      data_dir: a data set of `pipeline.create_dataset`, local or remote.
      output_dir: where to; must not be there yet, or be empty.
      form: one of `WRITERS`.
      splits: the wanted splits; without them, all.

    Returns:
      How many drawings were written.

    Raises:
      ValueError: no or a damaged data set, no such split, drawings that the form
        cannot hold, a library missing, or an output folder in use.
    """
    info = load_dataset_info(data_dir)
    names = list(dict.fromkeys(splits or info.splits))
    total = sum(info.split(name).examples for name in names)
    with _whole(output_dir) as folder, cli.progress(total, form) as bar:
        writer = WRITERS[form](folder, info.classes, names)
        for name in names:
            for record in read.read_split(info, data_dir, name):
                try:
                    writer.write(name, info.classes[record.class_index], record)
                except ValueError as error:
                    raise ValueError(
                        f"{data_dir}: drawing {record.key_id!r} of the split {name}: "
                        f"{error}"
                    ) from None
                bar.update()
        writer.finish()
    return total


def to_line(word: str, record: Record) -> bytes:
    """Gives a record as a published line, without what is not known of it.

    Raises:
      ValueError: the drawing is a bitmap, or its ink is not of points.
    """
    if record.ink is None:
        raise ValueError("a bitmap has no strokes for ndjson; --format=png writes it")
    fields = {
        "word": word,
        "countrycode": record.countrycode or None,
        "timestamp": record.timestamp or None,
        "recognized": _RECOGNIZED[record.recognized],
        "key_id": record.key_id or None,
        "drawing": strokes.to_drawing(strokes.from_ink(record.ink)),
    }
    known = {name: value for name, value in fields.items() if value is not None}
    return msgspec.json.encode(known) + b"\n"


_RECOGNIZED = {number: value for value, number in schema.RECOGNIZED_VALUES.items()}


def safe_name(name: str) -> str:
    """Makes a file's name of any text; two texts never get the same one.

    Letters, digits, spaces and harmless signs stay; others become `%2F` and the like.
    The end of a name that is too long becomes a hash of it all.
    """
    safe = _UNSAFE.sub(lambda found: _percent(found[0]), name) or "%"
    if len(safe.encode()) <= MAX_NAME_BYTES:
        return safe
    digest = blake2b(name.encode(), digest_size=16).hexdigest()
    kept = safe.encode()[: MAX_NAME_BYTES - len(digest) - 1]
    return f"{kept.decode(errors='ignore')}%{digest}"


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _create(folder: str, stem: str, suffix: str) -> BinaryIO:
    """Opens a new file; a name that is taken gets `%2`, `%3`, … (a key may repeat)."""
    number = 1
    while True:
        name = stem if number == 1 else f"{stem}%{number}"
        try:
            return open(os.path.join(folder, name + suffix), "xb")
        except FileExistsError:
            number += 1


@contextlib.contextmanager
def _whole(output_dir: str) -> Iterator[str]:
    """Gives a folder beside `output_dir` to fill, then gives it that name.

    What a killed run left there is cleared; the lock dies with its process.
    """
    output_dir = os.path.abspath(output_dir)
    if os.path.exists(output_dir) and os.listdir(output_dir):
        raise ValueError(f"{output_dir} is in use: it is not empty; name a new folder")
    unfinished = f"{output_dir}.unfinished"
    os.makedirs(unfinished, exist_ok=True)
    lock = os.open(unfinished, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"{output_dir} is in use by another run") from None
        _empty(unfinished)
        try:
            yield unfinished
            os.rename(unfinished, output_dir)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    finally:
        os.close(lock)


def _empty(folder: str) -> None:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry)
        else:
            os.unlink(entry)


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("output_dir", None, "Folder to make.")
    flags.DEFINE_enum("format", None, sorted(WRITERS), "What the files are to be.")
    flags.DEFINE_list("splits", None, "Wanted splits, by comma. Without it, all.")


def main() -> None:
    """Converts as the flags say."""
    values = flags.FLAGS
    cli.require("data_dir", "output_dir", "format")
    cli.require_local("output_dir")
    count = convert(values.data_dir, values.output_dir, values.format, values.splits)
    print(f"{count:,} drawings in {values.output_dir}")


def run() -> None:
    """Entry point of `quickdraw-convert`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
