"""Which files a command reads, and as what."""

import glob
import os

from absl import flags
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from pipeline import file_lock
from pipeline.beam_job.config import INPUT_FORMATS


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
            found = _glob(pattern)
        except BeamIOError as error:
            raise ValueError(f"--input={pattern}: {error}") from None
        if not found:
            raise ValueError(f"--input={pattern}: there is no such file")
        sizes |= found
    for file in sizes:
        if os.path.isdir(file):
            within = os.path.join(file, "*")
            raise ValueError(f"--input={file} is a folder; name files, as {within}")
    return dict(sorted(sizes.items()))


def _glob(pattern: str) -> dict[str, int]:
    if not file_lock.is_local(pattern):
        (found,) = FileSystems.match([pattern])
        return {file.path: file.size_in_bytes for file in found.metadata_list}
    # Beam's own matching knows no pattern without a folder and no name with brackets.
    paths = [pattern]
    if not os.path.exists(pattern):
        found = glob.glob(pattern, recursive=True)
        paths = [path for path in found if not os.path.isdir(path)]
    return {path: os.path.getsize(path) for path in paths}
