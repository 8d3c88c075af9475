"""Downloads drawings from Google's public bucket, optionally only some of each class.

    python -m pipeline.download --classes=cat,'hot air balloon' --output_dir=drawings

Each class is one file, named as in the bucket. Interrupted downloads resume, in the
same run or when the same command runs again. Complete files are not downloaded again.

The files: https://github.com/googlecreativelab/quickdraw-dataset#get-the-data
"""

import functools
import os
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from absl import flags

from pipeline import cli
from pipeline.class_names import read_classes
from pipeline.download import drawing_counters, http_transfer
from pipeline.download.drawing_counters import DrawingCounter
from pipeline.file_lock import hold_lock

BUCKET = "https://storage.googleapis.com/quickdraw_dataset"
CLASS_LIST = (
    "https://github.com/googlecreativelab/quickdraw-dataset/blob/master/categories.txt"
)


@dataclass(frozen=True)
class DownloadFormat:
    """File format in the bucket.

    Attributes:
      folder: Folder in the bucket.
      suffix: Suffix of the file name in the bucket.
      counter: Finds the end of the first drawings.
      local_suffix: Suffix of the local file name, if different.
    """

    folder: str
    suffix: str
    counter: type[DrawingCounter] = DrawingCounter
    local_suffix: str = ""

    @property
    def is_archive(self) -> bool:
        """Whether a file cannot be cut after the first drawings."""
        return self.counter is DrawingCounter


FORMATS = {
    "simplified": DownloadFormat(
        "full/simplified", ".ndjson", drawing_counters.LineCounter
    ),
    # The local suffix keeps raw and simplified files of a class apart.
    "raw": DownloadFormat(
        "full/raw", ".ndjson", drawing_counters.LineCounter, ".raw.ndjson"
    ),
    "binary": DownloadFormat("full/binary", ".bin", drawing_counters.RecordCounter),
    "numpy_bitmap": DownloadFormat(
        "full/numpy_bitmap", ".npy", drawing_counters.RowCounter
    ),
    "sketchrnn": DownloadFormat("sketchrnn", ".npz"),
    "sketchrnn_full": DownloadFormat("sketchrnn", ".full.npz"),
}


def download(
    words: Sequence[str],
    output_dir: str,
    *,
    max_per_class: int | None = None,
    format: str = "simplified",
    base_url: str = BUCKET,
    retries: int = 5,
    timeout: float = 30.0,
) -> None:
    """Downloads one file per class and prints a line about each.

    Args:
      words: Class names.
      output_dir: Folder for the files; created if it does not exist.
      max_per_class: Number of drawings per class, from the start of the file; None
        for all drawings.
      format: Key of `FORMATS`.
      base_url: URL of the bucket or of a mirror.
      retries: Number of retries in a row without progress.
      timeout: Seconds without data after which an attempt fails.

    Raises:
      ValueError: An argument is invalid, or some classes could not be downloaded.
        All other classes are downloaded first.
    """
    words = tuple(dict.fromkeys(words))
    _check_arguments(words, max_per_class, format, base_url)
    download_format = FORMATS[format]
    make_counter = functools.partial(download_format.counter, max_per_class)
    errors = {}
    with hold_lock(output_dir):
        for word in words:
            suffix = download_format.suffix
            url = "/".join(
                (
                    base_url.rstrip("/"),
                    download_format.folder,
                    urllib.parse.quote(word + suffix),
                )
            )
            path = os.path.join(
                output_dir, word + (download_format.local_suffix or suffix)
            )
            try:
                status = _download_file(url, path, make_counter, retries, timeout)
            except http_transfer.RemoteFileNotFoundError as error:
                errors[word] = f"unknown class; see {CLASS_LIST} ({error})"
            except (ValueError, OSError) as error:
                errors[word] = str(error)
            else:
                print(f"{path}: {status}", flush=True)
    if errors:
        reasons = "; ".join(f"{word!r}: {error}" for word, error in errors.items())
        raise ValueError(
            f"{len(errors)} of {len(words)} classes could not be downloaded: {reasons}"
        )


def _check_arguments(
    words: Sequence[str], max_per_class: int | None, format: str, base_url: str
) -> None:
    if not words:
        raise ValueError("no classes to download")
    for word in words:
        if word.startswith(".") or not word.isprintable() or {"/", "\\"} & set(word):
            raise ValueError(f"{word!r} is not a class; see {CLASS_LIST}")
    if max_per_class is not None and max_per_class < 1:
        raise ValueError(f"max_per_class must be ≥ 1. Received: {max_per_class}")
    if max_per_class is not None and FORMATS[format].is_archive:
        raise ValueError(
            f"max_per_class is not supported for {format} files, which are archives"
        )
    url = urllib.parse.urlsplit(base_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"base_url must be an http(s) URL. Received: {base_url}")


def _download_file(
    url: str,
    path: str,
    make_counter: Callable[[], DrawingCounter],
    retries: int,
    timeout: float,
) -> str:
    """Downloads a file unless it is complete; returns a status message."""
    limit = make_counter().limit
    if (
        limit is not None
        and os.path.exists(path)
        and _is_complete(path, make_counter())
    ):
        return f"already complete, with {limit:,} drawings or more"
    counter = http_transfer.fetch(
        url, path, make_counter, retries=retries, timeout=timeout
    )
    if counter is None:
        return "already complete, with all drawings of the class"
    drawings = f"{limit:,}" if counter.is_complete else "all"
    return f"{drawings} drawings, {os.path.getsize(path) / 1e6:,.1f} MB"


def _is_complete(path: str, counter: DrawingCounter) -> bool:
    """Returns whether a file has as many drawings as the counter's limit."""
    with open(path, "rb") as file:
        while not counter.is_complete and (
            data := file.read(http_transfer.CHUNK_BYTES)
        ):
            try:
                counter.feed(data)
            except ValueError as error:
                raise ValueError(f"{path}: {error}")
    return counter.is_complete


def _define_flags() -> None:
    cli.define_list("classes", None, "Comma-separated class names.")
    flags.DEFINE_string("classes_file", None, "File with one class name per line.")
    flags.DEFINE_string("output_dir", None, "Folder for the files.")
    flags.DEFINE_integer(
        "max_per_class",
        None,
        "Number of drawings per class, from the start of the file. Default: all.",
        lower_bound=1,
    )
    flags.DEFINE_enum(
        "format",
        "simplified",
        list(FORMATS),
        "File format: simplified (.ndjson), raw (.raw.ndjson), binary (.bin), "
        "numpy_bitmap (.npy, 28×28 pixels), sketchrnn (.npz, 75,000 drawings) or "
        "sketchrnn_full (.full.npz).",
    )
    flags.DEFINE_string("base_url", BUCKET, "URL of the bucket or of a mirror.")
    flags.DEFINE_integer(
        "retries", 5, "Number of retries in a row without progress.", lower_bound=0
    )
    flags.DEFINE_float(
        "timeout",
        30.0,
        "Seconds without data after which an attempt fails.",
        lower_bound=0.1,
    )


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    cli.require("output_dir")
    cli.require_local("output_dir")
    words = read_classes(values.classes, values.classes_file)
    if words is None:
        raise ValueError("--classes or --classes_file is required")
    download(
        words,
        values.output_dir,
        max_per_class=values.max_per_class,
        format=values.format,
        base_url=values.base_url,
        retries=values.retries,
        timeout=values.timeout,
    )


def run() -> None:
    """Entry point of `quickdraw-download`."""
    cli.run(main, _define_flags, doc=__doc__ or "")
