"""The files that a command reads, and the flags that describe them."""

import os
import re
import sys

from absl import flags

from pipeline import cli
from pipeline.formats import INPUT_FORMATS
from tfrecords import dataset_info, storage

SUFFIXES = frozenset(
    ["ndjson", "jsonl", "json", "csv", "tsv", "parquet", "bin", "npy", "npz"]
    + ["svg", "inkml", "tfrecord", "png", "jpg", "jpeg", "gif", "webp"]
)
"""Files with these suffixes are read; of others in a folder the content decides."""

STDIN = "-"
"""Stands for standard input, in commands that accept it."""

_PARTIAL_SUFFIXES = (".part", ".partial", ".crdownload", ".download", ".tmp")
_REJECTS_FILE = re.compile(r"rejected-\d+\.ndjson")  # beside a data set
_MAX_NAMED = 10


def define_flags() -> None:
    """Defines the flags that describe the files of `--input`."""
    flags.DEFINE_enum(
        "input_format",
        "auto",
        INPUT_FORMATS,
        "Format of the files: simplified or raw strokes (ndjson, JSON, CSV, parquet), "
        "Google's binary .bin, Sketch-RNN's .npz (whose splits are kept), bitmaps "
        "(.npy, or .npz of images and labels), png (pictures in a folder per class), "
        "svg, inkml or tfrecord. auto detects it per file.",
    )
    cli.define_list(
        "label_names",
        None,
        "Class names of integer labels, separated by commas, in the order of the "
        "labels; or a file with one per line.",
    )


def match_files(patterns: list[str], *, allow_stdin: bool = False) -> dict[str, int]:
    """Expands paths, globs and folders to files.

    Files of a glob or folder that hold no drawings are left out and named on stderr.

    Args:
      patterns: local or remote.
      allow_stdin: whether `STDIN` is a file.

    Returns:
      Path to size in bytes, sorted by path.

    Raises:
      ValueError: a pattern matches no file with drawings.
    """
    sizes: dict[str, int] = {}
    for pattern in patterns:
        if allow_stdin and pattern == STDIN:
            sizes[STDIN] = 0
            continue
        try:
            matched = _match(pattern)
        except OSError as error:
            raise ValueError(f"--input={pattern}: {error}") from None
        if not matched:
            raise ValueError(f"--input={pattern}: there is no such file")
        if list(matched) != [pattern]:
            skipped = [path for path in matched if not _may_hold_drawings(path)]
            matched = {p: size for p, size in matched.items() if p not in set(skipped)}
            _report_skipped(pattern, skipped, all_skipped=not matched)
        sizes |= matched
    return dict(sorted(sizes.items()))


def _match(pattern: str) -> dict[str, int]:
    """Expands a pattern; a folder means all files in it and below."""
    if not storage.is_remote(pattern) and os.path.isdir(pattern):
        return {
            path: size
            for path, size in storage.match(storage.join(pattern, "**")).items()
            if not os.path.basename(path).startswith(".")
        }
    matched = storage.match(pattern)
    if not matched and storage.is_remote(pattern):
        matched = storage.match(storage.join(pattern, "**"))
    return matched


def _may_hold_drawings(path: str) -> bool:
    name = storage.basename(path).lower().removesuffix(".gz")
    if name.startswith(".") or name.endswith(_PARTIAL_SUFFIXES):
        return False
    if name == dataset_info.FILE_NAME or _REJECTS_FILE.fullmatch(name):
        return False
    if name.rpartition(".")[2] in SUFFIXES or ".tfrecord-" in name:
        return True
    from pipeline.formats import registry  # which takes time to import

    with storage.open_read(path) as file:
        return registry.may_hold_drawings(file.read(registry.HEAD_BYTES))


def _report_skipped(pattern: str, paths: list[str], all_skipped: bool) -> None:
    names = ", ".join(storage.basename(path) for path in paths[:_MAX_NAMED])
    if len(paths) > _MAX_NAMED:
        names += f" and {len(paths) - _MAX_NAMED} more"
    if all_skipped:
        raise ValueError(
            f"--input={pattern}: no file holds drawings. Received: {names}"
        )
    if paths:
        print(f"skipped {len(paths)} files without drawings: {names}", file=sys.stderr)
