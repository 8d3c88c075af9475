"""Describes drawings on one HTML page, with statistics, plots and thumbnails.

    python -m pipeline.describe --data_dir=DIR --output=report.html
    python -m pipeline.describe --input='drawings/*.ndjson.gz' --output=report.html

Reads a data set of pipeline.create_dataset, or files in any format it accepts.
"""

import collections
import itertools
import os
from collections.abc import Sequence

from absl import flags

from pipeline import cli, strokes
from pipeline.class_names import read_label_names
from pipeline.formats import input_files, reader
from pipeline.formats.drawing import Drawing
from pipeline.report import page
from pipeline.report.dataset_page import Source, build_page
from pipeline.report.dataset_stats import (
    BitmapStats,
    DatasetStats,
    DrawingSummary,
    compute_bitmap_stats,
)
from tfrecords import read
from tfrecords.dataset_info import DatasetInfo, load_dataset_info


def describe(
    output: str,
    *,
    data_dir: str = "",
    inputs: Sequence[str] = (),
    input_format: str = "auto",
    label_names: Sequence[str] | None = None,
    pictures_per_class: int = 200,
    seed: int = 0,
) -> int:
    """Writes a page about a data set or about files with drawings.

    For example, `describe("report.html", data_dir="data/mine")`.

    Args:
      output: HTML file to write.
      data_dir: Data set of `pipeline.create_dataset`, local or remote.
      inputs: Glob patterns of files, instead of a data set.
      input_format: Format of the files; see `pipeline.formats.reader`.
      label_names: Class names of numeric labels in the files.
      pictures_per_class: Size of the random sample of each class that is rasterized.
      seed: Seed of the random samples.

    Returns:
      The number of drawings.

    Raises:
      ValueError: An argument is invalid, a library is not installed, the data set is
        damaged or a file cannot be read, or there are no drawings.
      OSError: The page cannot be written.
    """
    if bool(data_dir) == bool(inputs):
        raise ValueError("either a data set or input files are required")
    # Fail before the work instead of after it.
    for library in ("jinja2", "matplotlib"):
        cli.import_extra(library, "report")
    if os.path.isdir(output):
        raise ValueError(f"output must be a file. Received the folder {output}")
    os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
    stats = DatasetStats(pictures_per_class, seed)
    if data_dir:
        source = describe_dataset(data_dir, stats)
    else:
        source = describe_files(inputs, stats, input_format, label_names)
    if not stats.num_drawings:
        raise ValueError(f"no drawings in {source.location}")
    page.write_file(output, build_page(source, stats, rasterize_sample(stats)))
    return stats.num_drawings


def describe_dataset(data_dir: str, stats: DatasetStats) -> Source:
    """Counts the drawings of a data set, local or remote.

    Args:
      data_dir: Folder of the data set.
      stats: Statistics to add the drawings to.

    Raises:
      ValueError: The folder has no data set, or a damaged one.
    """
    info = load_dataset_info(data_dir)
    total = sum(split.examples for split in info.splits.values())
    with cli.progress(total, "read") as bar:
        for split in info.splits:
            for record in read.read_split(info, data_dir, split):
                stats.add(_summarize_record(info, split, record))
                bar.update()
    name = os.path.basename(os.path.abspath(data_dir))
    return Source(name, data_dir, tuple(info.splits), _dataset_details(info))


def _summarize_record(
    info: DatasetInfo, split: str, record: read.Record
) -> DrawingSummary:
    return DrawingSummary(
        word=info.classes[record.class_index],
        split=split,
        countrycode=record.countrycode,
        recognized=record.recognized,
        points=None if record.ink is None else strokes.from_ink(record.ink),
        bitmap=record.bitmap,
    )


def _dataset_details(info: DatasetInfo) -> list[tuple[str, str]]:
    """Returns the counts and settings of `dataset_info.json`, one per row."""
    rows = []
    for name, value in info.counts.items():
        if isinstance(value, dict):
            rows += [(f"{name}: {key}", f"{count:,}") for key, count in value.items()]
        else:
            rows.append((name, f"{value:,}"))
    settings = {"compression": info.compression} | dict(info.made_by)
    return rows + [(f"--{name}", _format(value)) for name, value in settings.items()]


def _format(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    return "–" if value is None else str(value)


def describe_files(
    patterns: Sequence[str],
    stats: DatasetStats,
    input_format: str = "auto",
    label_names: Sequence[str] | None = None,
) -> Source:
    """Counts the drawings of files, and their rejected drawings by reason.

    Args:
      patterns: Glob patterns of the files.
      stats: Statistics to add the drawings to.
      input_format: Format of the files; see `pipeline.formats.reader`.
      label_names: Class names of numeric labels.

    Raises:
      ValueError: No file matches a pattern, or a file cannot be read.
    """
    sizes = input_files.match_files(list(patterns))
    items = reader.read_drawings(sizes, input_format, label_names)
    rejected: collections.Counter[str] = collections.Counter()
    rows = [("files", f"{len(sizes):,}")]
    bytes_read = 0
    with cli.progress(None, "read") as bar:
        for path, file_items in itertools.groupby(items, lambda item: item.path):
            for item in file_items:
                if isinstance(item.parsed, ValueError):
                    if not rejected:
                        where = f"{path}, line {item.number}: {item.parsed}"
                        rows.append(("first rejected", where))
                    rejected[str(item.parsed).partition(":")[0]] += 1
                else:
                    stats.add(_summarize_drawing(item.parsed))
                    bar.update()
            bytes_read += sizes[path]
            # Extrapolate from the files read so far.
            bar.total = round(bar.n * sum(sizes.values()) / max(bytes_read, 1))
    rows += [
        (f"rejected: {reason}", f"{count:,}")
        for reason, count in sorted(rejected.items())
    ]
    name = os.path.basename(min(sizes)) if len(sizes) == 1 else "drawings"
    return Source(name, ", ".join(patterns), (), rows)


def _summarize_drawing(drawing: Drawing) -> DrawingSummary:
    return DrawingSummary(
        word=drawing.word,
        split="",
        countrycode=drawing.countrycode,
        recognized=drawing.recognized,
        points=None if drawing.is_bitmap else drawing.points,
        bitmap=drawing.bitmap if drawing.is_bitmap else None,
    )


def rasterize_sample(stats: DatasetStats) -> BitmapStats:
    """Rasterizes the sampled drawings with a progress bar."""
    total = sum(len(each.sample) for each in stats.classes.values())
    with cli.progress(total, "rasterize") as bar:
        for bitmaps in compute_bitmap_stats(stats):
            bar.update(bitmaps.num_drawings - bar.n)
    return bitmaps


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    cli.define_list(
        "input",
        None,
        "Files with drawings instead of a data set: comma-separated globs.",
    )
    input_files.define_flags()
    flags.DEFINE_string("output", None, "HTML file to write.")
    flags.DEFINE_integer(
        "pictures_per_class",
        200,
        "Size of the random sample of each class that is rasterized for the pictures "
        "and gray values. All other statistics cover all drawings.",
        lower_bound=1,
    )
    flags.DEFINE_integer("seed", 0, "Seed of the random samples.")


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    cli.require("output")
    cli.require_local("output")
    count = describe(
        values.output,
        data_dir=values.data_dir,
        inputs=values.input,
        input_format=values.input_format,
        label_names=read_label_names(values.label_names),
        pictures_per_class=values.pictures_per_class,
        seed=values.seed,
    )
    print(f"Described {count:,} drawings in {values.output}")


def run() -> None:
    """Entry point of `quickdraw-describe`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
