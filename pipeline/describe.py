"""Shows what drawings there are, as one HTML page with plots and pictures.

    python -m pipeline.describe --data_dir=DIR --output=report.html
    python -m pipeline.describe --input='drawings/*.ndjson.gz' --output=report.html

Reads a data set of pipeline.create_dataset, or files of any form that it reads.
"""

import collections
import os
import zlib
from collections.abc import Sequence

from absl import flags

from pipeline import cli, strokes
from pipeline.class_names import label_names
from pipeline.formats import input_files, reader, registry
from pipeline.formats.blocks import Block, Unreadable
from pipeline.report import dataset_stats, page
from pipeline.report.dataset_page import Source, build_page
from pipeline.report.dataset_stats import Seen, Survey
from tfrecords import read
from tfrecords.dataset_info import DatasetInfo, load_dataset_info


def describe_dataset(data_dir: str, found: Survey) -> Source:
    """Looks at all drawings of a data set, local or remote.

    Raises:
      ValueError: no data set there, or a damaged one.
    """
    info = load_dataset_info(data_dir)
    total = sum(split.examples for split in info.splits.values())
    with cli.progress(total, "read") as bar:
        for split in info.splits:
            for record in read.read_split(info, data_dir, split):
                found.add(_seen(info, split, record))
                bar.update()
    name = os.path.basename(os.path.abspath(data_dir))
    return Source(name, data_dir, tuple(info.splits), _making(info))


def _seen(info: DatasetInfo, split: str, record: read.Record) -> Seen:
    points = None if record.ink is None else strokes.from_ink(record.ink)
    word = info.classes[record.class_index]
    return Seen(
        word, split, record.countrycode, record.recognized, points, record.bitmap
    )


def _making(info: DatasetInfo) -> list[tuple[str, str]]:
    """What `dataset_info.json` says of how the data set was made."""
    rows = []
    for what, number in info.counts.items():
        if isinstance(number, dict):
            rows += [(f"{what}: {why}", f"{count:,}") for why, count in number.items()]
        else:
            rows.append((what, f"{number:,}"))
    settings = {"compression": info.compression} | dict(info.made_by)
    return rows + [(f"--{name}", _setting(value)) for name, value in settings.items()]


def _setting(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {share}" for name, share in value.items())
    return "–" if value is None else str(value)


def describe_files(
    patterns: list[str],
    found: Survey,
    input_format: str = "auto",
    label_names: Sequence[str] | None = None,
) -> Source:
    """Looks at all drawings of files; what is none is counted by its reason.

    Args:
      patterns: globs of files.
      found: where the drawings are counted.
      input_format, label_names: as for `reading.read_file`.

    Raises:
      ValueError: no such file, or one that cannot be read.
    """
    sizes = input_files.match_files(patterns)
    counts: collections.Counter[str] = collections.Counter()
    read = 0
    with cli.progress(None, "read") as bar:
        for path, size in sizes.items():
            try:
                for block in reader.read_file(path, size, input_format, label_names):
                    bar.update(_describe_block(block, found, counts))
            except (EOFError, zlib.error, OSError, Unreadable) as error:
                raise ValueError(f"cannot read {path}: {error}") from None
            read += size
            # What the files so far held says how much is to come.
            bar.total = round(bar.n * sum(sizes.values()) / max(read, 1))
    rows = [("files", f"{len(sizes):,}")]
    rows += [(kind, f"{count:,}") for kind, count in sorted(counts.items())]
    name = os.path.basename(min(sizes)) if len(sizes) == 1 else "drawings"
    return Source(name, ", ".join(patterns), (), rows)


def _describe_block(
    block: Block, found: Survey, counts: collections.Counter[str]
) -> int:
    """Counts what a block holds; gives the number of drawings."""
    drawings = 0
    for parsed in registry.parse(block):
        if parsed is None:
            counts["blank"] += 1
        elif isinstance(parsed, ValueError):
            counts[f"rejected: {str(parsed).partition(':')[0]}"] += 1
        else:
            drawings += 1
            found.add(
                Seen(
                    word=parsed.word,
                    split="",
                    countrycode=parsed.countrycode,
                    recognized=parsed.recognized,
                    points=None if parsed.is_bitmap else parsed.points,
                    bitmap=parsed.bitmap if parsed.is_bitmap else None,
                )
            )
    return drawings


def look_at_pictures(found: Survey) -> dataset_stats.Pictures:
    """Rasterises the picked drawings, with progress."""
    total = sum(len(each.picked) for each in found.classes.values())
    with cli.progress(total, "draw") as bar:
        for pictures in dataset_stats.look(found):
            bar.update(pictures.count - bar.n)
    return pictures


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_list("input", None, "Instead: files of drawings: globs, by comma.")
    input_files.define_flags()
    flags.DEFINE_string("output", None, "File for the page.")
    flags.DEFINE_integer(
        "pictures_per_class",
        200,
        "So many drawings of a class, picked at random, are looked at as pictures; "
        "everything else is counted of all drawings.",
        lower_bound=1,
    )
    flags.DEFINE_integer("seed", 0, "Decides which drawings are picked.")


def main() -> None:
    """Describes what the flags name."""
    values = flags.FLAGS
    cli.require("output")
    cli.require_local("output")
    if bool(values.data_dir) == bool(values.input):
        raise ValueError("--data_dir and --input: give one of them")
    # What can go wrong at the end is better known before the work.
    cli.import_extra("matplotlib", "report")
    if os.path.isdir(values.output):
        raise ValueError(f"--output={values.output} is a folder; name a file")
    os.makedirs(os.path.dirname(os.path.abspath(values.output)), exist_ok=True)
    found = Survey(values.pictures_per_class, values.seed)
    if values.data_dir:
        source = describe_dataset(values.data_dir, found)
    else:
        names = label_names(values.label_names)
        source = describe_files(values.input, found, values.input_format, names)
    if not found.drawings:
        raise ValueError(f"{source.where}: there is no drawing")
    page.write(values.output, build_page(source, found, look_at_pictures(found)))
    print(f"{found.drawings:,} drawings described in {values.output}")


def run() -> None:
    """Entry point of `quickdraw-describe`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
