"""Which files a command reads, and as what."""

import os

from absl import flags

from pipeline.beam_job.config import INPUT_FORMATS
from tfrecords import storage


def define_flags() -> None:
    """Defines the flags that say what the files of `--input` are."""
    flags.DEFINE_enum(
        "input_format",
        "auto",
        INPUT_FORMATS,
        "What the files are: simplified or raw ndjson, Google's binary .bin, "
        "Sketch-RNN's .npz (whose splits are kept), bitmaps (.npy, or .npz of images "
        "and labels) or png (a folder per class). auto tells it of each file.",
    )
    flags.DEFINE_list(
        "label_names",
        None,
        "The words that integer labels stand for, in the labels' order, by comma; or "
        "a file with one a line.",
    )


def match_files(patterns: list[str]) -> dict[str, int]:
    """Expands globs to files, each once: path to size in bytes, sorted by path.

    Raises:
      ValueError: a glob that finds nothing, or a folder.
    """
    sizes: dict[str, int] = {}
    for pattern in patterns:
        try:
            matches = storage.match(pattern)
        except OSError as error:
            raise ValueError(f"--input={pattern}: {error}") from None
        if not matches:
            raise ValueError(f"--input={pattern}: there is no such file")
        sizes |= matches
    for file in sizes:
        if os.path.isdir(file):
            within = os.path.join(file, "*")
            raise ValueError(f"--input={file} is a folder; name files, as {within}")
    return dict(sorted(sizes.items()))
