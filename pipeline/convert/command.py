"""Converts a data set to files for other tools.

    python -m pipeline.convert --data_dir=DIR --output_dir=OUT --format=ndjson

    ndjson    OUT/<class>.ndjson                    Google's simplified drawings
    parquet   OUT/data/<split>-00000-of-0000N.parquet
                                                    the layout of the Hugging Face hub
    png       OUT/<split>/<class>/<key_id>.png      Google's bitmaps: 28×28, white on
                                                    black

ndjson is lossless: pipeline.create_dataset makes the same records from it. OUT is
created when all files are complete.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from absl import flags

from pipeline import cli
from pipeline.convert.ndjson_writer import NdjsonWriter
from pipeline.convert.parquet_writer import ParquetWriter
from pipeline.convert.png_writer import PngWriter
from pipeline.file_lock import hold_lock
from tfrecords import read
from tfrecords.dataset_info import DatasetInfo, load_dataset_info
from tfrecords.read import Record


class Writer(Protocol):
    """Writes the records of a data set to a folder."""

    def start_split(self, split: str) -> None:
        """Starts a split, to which all following records belong."""

    def write(self, record: Record) -> None:
        """Writes a record; raises ValueError if the format does not support it."""

    def close(self) -> None:
        """Completes all files."""


WRITERS: dict[str, Callable[[str, DatasetInfo], Writer]] = {
    "ndjson": NdjsonWriter,
    "parquet": ParquetWriter,
    "png": PngWriter,
}
"""Each format's writer, which is created with the output folder and the data set."""


def convert(
    data_dir: str,
    output_dir: str,
    format: str = "ndjson",
    splits: Sequence[str] | None = None,
) -> int:
    """Converts the drawings of a data set to files.

    Args:
      data_dir: Data set of `pipeline.create_dataset`, local or remote.
      output_dir: New or empty local folder.
      format: Key of `WRITERS`.
      splits: Names of the splits to convert. Default: all.

    Returns:
      The number of drawings.

    Raises:
      ValueError: The data set is missing or damaged, a split does not exist, the
        format does not support a drawing, a library is not installed, or the output
        folder is not empty.
    """
    info = load_dataset_info(data_dir)
    splits = list(dict.fromkeys(splits or info.splits))
    total = sum(info.split(split).examples for split in splits)
    with _create_folder(output_dir) as folder, cli.progress(total, format) as bar:
        writer = WRITERS[format](folder, info)
        for split in splits:
            writer.start_split(split)
            for record in read.read_split(info, data_dir, split):
                try:
                    writer.write(record)
                except ValueError as error:
                    raise ValueError(
                        f"{data_dir}: drawing {record.key_id!r} of the split {split}: "
                        f"{error}"
                    ) from None
                bar.update()
        writer.close()
    return total


@contextlib.contextmanager
def _create_folder(output_dir: str) -> Iterator[str]:
    """Yields a temporary folder and renames it to `output_dir` when it is complete."""
    output_dir = os.path.abspath(output_dir)
    if os.path.exists(output_dir) and os.listdir(output_dir):
        raise ValueError(f"output_dir must be new or empty. Received: {output_dir}")
    temporary_dir = f"{output_dir}.unfinished"
    files_dir = os.path.join(temporary_dir, "files")
    with contextlib.ExitStack() as stack:
        stack.callback(_remove_if_empty, temporary_dir)
        stack.enter_context(hold_lock(temporary_dir))
        # An interrupted run may have left files.
        shutil.rmtree(files_dir, ignore_errors=True)
        os.mkdir(files_dir)
        stack.callback(shutil.rmtree, files_dir, ignore_errors=True)
        yield files_dir
        os.rename(files_dir, output_dir)


def _remove_if_empty(folder: str) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("output_dir", None, "Folder to create.")
    flags.DEFINE_enum("format", None, sorted(WRITERS), "Format of the files.")
    cli.define_list("splits", None, "Comma-separated splits. Default: all.")


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    cli.require("data_dir", "output_dir", "format")
    cli.require_local("output_dir")
    count = convert(values.data_dir, values.output_dir, values.format, values.splits)
    print(f"Wrote {count:,} drawings to {values.output_dir}")


def run() -> None:
    """Entry point of `quickdraw-convert`."""
    cli.run(main, _define_flags, doc=__doc__ or "")
