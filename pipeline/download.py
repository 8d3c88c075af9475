"""Fetches drawings from Google's public bucket: no more of a class than is asked for.

    python -m pipeline.download --classes=cat,'hot air balloon' --max_per_class=10000 \\
        --output_dir=drawings

A class is a file, named as in the bucket. What breaks off goes on where it stopped, in
this run or when the same command runs again; what is there already stays.

The files: https://github.com/googlecreativelab/quickdraw-dataset#get-the-data
"""

import contextlib
import fcntl
import functools
import os
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from absl import flags

from pipeline import cli, drawing_counters, http_transfer
from pipeline.class_names import wanted_classes

BUCKET = "https://storage.googleapis.com/quickdraw_dataset"
NAMES = (
    "https://github.com/googlecreativelab/quickdraw-dataset/blob/master/categories.txt"
)


@dataclass(frozen=True)
class Format:
    """One of the forms in which the drawings are published.

    Attributes:
      folder: its folder in the bucket.
      suffix: what follows a class there.
      counter: finds where the first drawings end.
      local_suffix: what follows a class here, if something else.
    """

    folder: str
    suffix: str
    counter: type[drawing_counters.Counter]
    local_suffix: str = ""


FORMATS = {
    "simplified": Format("full/simplified", ".ndjson", drawing_counters.Lines),
    # Else it would be taken for the simplified one beside it.
    "raw": Format("full/raw", ".ndjson", drawing_counters.Lines, ".raw.ndjson"),
    "binary": Format("full/binary", ".bin", drawing_counters.Records),
    "numpy_bitmap": Format("full/numpy_bitmap", ".npy", drawing_counters.Rows),
    "sketchrnn": Format("sketchrnn", ".npz", drawing_counters.Counter),
    "sketchrnn_full": Format("sketchrnn", ".full.npz", drawing_counters.Counter),
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
    """Fetches a file per class; prints what became of each.

    Args:
      words: the classes.
      output_dir: where to; made if it is not there.
      max_per_class: how many drawings of each, the first ones; None for all.
      format: a key of `FORMATS`.
      base_url: the bucket, or a copy of it.
      retries: tries after the first that may fail in a row without bringing a byte.
      timeout: seconds without a byte after which a try has failed.

    Raises:
      ValueError: what is asked for cannot be had; or, when all others are there, some
        classes could not be fetched.
    """
    words = tuple(dict.fromkeys(words))
    _check(words, max_per_class, format, base_url)
    os.makedirs(output_dir, exist_ok=True)
    form = FORMATS[format]
    make_counter = functools.partial(form.counter, max_per_class)
    failed = {}
    with _locked(output_dir):
        for word in words:
            path = os.path.join(output_dir, word + (form.local_suffix or form.suffix))
            name = urllib.parse.quote(word + form.suffix)
            url = f"{base_url.rstrip('/')}/{form.folder}/{name}"
            try:
                how = _fetch(url, path, make_counter, retries, timeout)
            except http_transfer.NoSuchFile as error:
                failed[word] = f"no such class? The names are in {NAMES} ({error})"
            except (ValueError, OSError) as error:
                failed[word] = str(error)
            else:
                print(f"{path}: {how}", flush=True)
    if failed:
        reasons = "; ".join(f"{word!r}: {reason}" for word, reason in failed.items())
        raise ValueError(
            f"could not fetch {len(failed)} of {len(words)} classes: {reasons}"
        )


def _check(
    words: Sequence[str], max_per_class: int | None, format: str, base_url: str
) -> None:
    if not words:
        raise ValueError("no classes are wanted; name at least one")
    for word in words:
        if word.startswith(".") or not word.isprintable() or {"/", "\\"} & set(word):
            raise ValueError(f"{word!r} is no class; the names are in {NAMES}")
    if max_per_class is not None and max_per_class < 1:
        raise ValueError(f"max_per_class must be ≥ 1. Received: {max_per_class}")
    if (
        max_per_class is not None
        and FORMATS[format].counter is drawing_counters.Counter
    ):
        raise ValueError(
            f"--max_per_class: {format} files are archives and come whole or not at all"
        )
    url = urllib.parse.urlsplit(base_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"--base_url={base_url} is not a https:// address")


@contextlib.contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Keeps a second download out of a folder; the lock dies with us."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"{folder} is in use by another download")
        except OSError:
            pass  # a network's file system may have no locks
        yield
    finally:
        os.close(descriptor)


def _fetch(
    url: str,
    path: str,
    make_counter: Callable[[], drawing_counters.Counter],
    retries: int,
    timeout: float,
) -> str:
    """Fetches one file if it is needed; says how that went."""
    wanted = make_counter().wanted
    if wanted is not None and os.path.exists(path) and _holds(path, make_counter()):
        return f"is there already, with {wanted:,} drawings or more"
    counted = http_transfer.fetch(
        url, path, make_counter, retries=retries, timeout=timeout
    )
    if counted is None:
        return "is there already, with all drawings of its class"
    drawings = f"{wanted:,}" if counted.done else "all"
    return f"{drawings} drawings, {os.path.getsize(path) / 1e6:,.1f} MB"


def _holds(path: str, counter: drawing_counters.Counter) -> bool:
    """Whether a file has the drawings that a counter wants."""
    with open(path, "rb") as file:
        while not counter.done and (data := file.read(http_transfer.CHUNK_BYTES)):
            try:
                counter.feed(data)
            except ValueError as error:
                raise ValueError(f"{path}: {error}")
    return counter.done


def _define_flags() -> None:
    flags.DEFINE_list("classes", None, "Words, by comma.")
    flags.DEFINE_string("classes_file", None, "File with one word a line.")
    flags.DEFINE_string("output_dir", None, "Folder for the files.")
    flags.DEFINE_integer(
        "max_per_class",
        None,
        "Only the first so many drawings of a class. Without it, all that there are.",
        lower_bound=1,
    )
    flags.DEFINE_enum(
        "format",
        "simplified",
        list(FORMATS),
        "What to fetch: simplified (.ndjson), raw (.raw.ndjson), binary (.bin), "
        "numpy_bitmap (.npy, 28×28), sketchrnn (.npz, 75,000 drawings) or "
        "sketchrnn_full (.full.npz).",
    )
    flags.DEFINE_string("base_url", BUCKET, "The bucket, or a copy of it.")
    flags.DEFINE_integer(
        "retries",
        5,
        "How often in a row to try again while nothing new comes.",
        lower_bound=0,
    )
    flags.DEFINE_float(
        "timeout",
        30.0,
        "Seconds without a byte after which the connection is given up.",
        lower_bound=0.1,
    )


def main() -> None:
    """Fetches what the flags describe."""
    values = flags.FLAGS
    cli.require("output_dir")
    cli.require_local("output_dir")
    words = wanted_classes(values.classes, values.classes_file)
    if words is None:
        raise ValueError("--classes is missing (or --classes_file)")
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
    """Entry point of the command."""
    cli.run(main, _define_flags, doc=__doc__)


if __name__ == "__main__":
    run()
