"""Shows what drawings there are, as one HTML page with plots and pictures.

    python -m pipeline.describe --data_dir=DIR --output=report.html
    python -m pipeline.describe --input='drawings/*.ndjson.gz' --output=report.html

Reads a data set of pipeline.create_dataset, or ndjson as that command reads it.
"""

import collections
import os
import zlib
from typing import NamedTuple

from absl import flags
from tqdm import tqdm

from pipeline import command, formats, plots, report, strokes, survey, transforms
from pipeline.create_dataset import match_files
from pipeline.report import Html, Section, Tile
from pipeline.survey import ClassSurvey, Distribution, Seen, Survey
from tfrecords import read
from tfrecords.dataset_info import DatasetInfo

SAMPLES = 180
"""Drawings that are shown in all, about; at least one of each class."""

SAMPLES_PER_CLASS = 12

NAMED_BARS = 40
"""More classes than these are shown without all of their names."""

COUNTRIES = 25

NONE = float("nan")


class Source(NamedTuple):
    """Where the drawings came from.

    Attributes:
      name: what the page is called.
      where: the path or paths.
      splits: names of the splits; empty where there are none.
      notes: what else is to be told, a row each.
    """

    name: str
    where: str
    splits: tuple[str, ...]
    notes: list[tuple[str, str | int]]


def describe_dataset(data_dir: str, found: Survey) -> Source:
    """Looks at all drawings of a local data set.

    Raises:
      ValueError: no data set there, or a damaged one.
    """
    info = read.load_info(data_dir)
    total = sum(split.examples for split in info.splits.values())
    with command.progress(total, "read") as bar:
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


def _making(info: DatasetInfo) -> list[tuple[str, str | int]]:
    """What `dataset_info.json` says of how the data set was made."""
    rows: list[tuple[str, str | int]] = []
    for what, number in info.counts.items():
        if isinstance(number, dict):
            rows += [(f"{what}: {why}", count) for why, count in number.items()]
        else:
            rows.append((what, number))
    settings = {"compression": info.compression} | dict(info.made_by)
    return rows + [(f"--{name}", _setting(value)) for name, value in settings.items()]


def _setting(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {share}" for name, share in value.items())
    return "–" if value is None else str(value)


def describe_files(patterns: list[str], found: Survey) -> Source:
    """Looks at all drawings of ndjson files; what is none is counted by its reason.

    Raises:
      ValueError: no such file, or one that is damaged.
    """
    files = match_files(patterns)
    sizes = [os.path.getsize(path) if os.path.exists(path) else 1 for path in files]
    counts: collections.Counter[str] = collections.Counter()
    with command.progress(None, "read") as bar:
        for number, path in enumerate(files, 1):
            try:
                _describe_file(path, found, counts, bar)
            except (EOFError, zlib.error, OSError) as error:
                raise ValueError(f"cannot read {path}: {error}") from None
            # What the files so far held says how much is to come.
            bar.total = round(bar.n * sum(sizes) / max(sum(sizes[:number]), 1))
    rows: list[tuple[str, str | int]] = [("files", len(files))]
    rows += [(kind, count) for kind, count in sorted(counts.items())]
    name = os.path.basename(files[0]) if len(files) == 1 else "drawings"
    return Source(name, ", ".join(patterns), (), rows)


def _describe_file(
    path: str, found: Survey, counts: collections.Counter[str], bar: tqdm
) -> None:
    for block in transforms.read_file(path):
        for text in block.lines():
            if not text.strip():
                counts["blank"] += 1
                continue
            try:
                drawing = formats.parse_drawing(text)
            except ValueError as error:
                counts[f"rejected: {str(error).partition(':')[0]}"] += 1
                continue
            found.add(
                Seen(
                    word=drawing.word,
                    split="",
                    countrycode=drawing.countrycode,
                    recognized=drawing.recognized,
                    points=drawing.points,
                )
            )
            bar.update()


def look_at_pictures(found: Survey) -> survey.Pictures:
    """Rasterises the picked drawings, with progress."""
    total = sum(len(each.picked) for each in found.classes.values())
    with command.progress(total, "draw") as bar:
        for pictures in survey.look(found):
            bar.update(pictures.count - bar.n)
    return pictures


# The page.


def build_page(source: Source, found: Survey, pictures: survey.Pictures) -> str:
    """Lays out what was found.

    Args:
      source: where the drawings came from.
      found: what was counted; at least one drawing.
      pictures: what the picked drawings look like.

    Returns:
      The content of an HTML file; the same for the same arguments.
    """
    classes = dict(sorted(found.classes.items()))
    looked = (
        f"{pictures.count:,} drawings were looked at, picked at random: at most "
        f"{max(len(each.picked) for each in classes.values()):,} of a class."
    )
    sections = [
        _samples(classes),
        _means(pictures, looked),
        _classes(classes, source.splits),
        *_sizes(found),
        _grey_values(pictures, looked),
        *_countries(found),
        Section("How it was read", report.table(("", ""), source.notes)),
    ]
    lead = f"{found.drawings:,} drawings of {_plural(len(classes), 'class', 'es')}"
    return report.page(
        source.name, f"{lead}, from {source.where}", _tiles(found), sections
    )


def _tiles(found: Survey) -> list[Tile]:
    sizes = sorted(each.drawings for each in found.classes.values())
    span = f"{sizes[0]:,} to {sizes[-1]:,} drawings each"
    tiles = [
        Tile(f"{found.drawings:,}", "drawings"),
        Tile(f"{len(sizes):,}", "classes", span),
    ]
    for what, numbers in (("points", found.points), ("strokes", found.strokes)):
        if numbers:
            hint = f"at most {numbers.quantile(0.99):,} in 99 of 100"
            tiles.append(
                Tile(f"{numbers.quantile(0.5):,}", f"{what}, the median", hint)
            )
    share, known = _recognized(found.recognized())
    if known:
        hint = f"of the {known:,} drawings that say"
        tiles.append(Tile(f"{share:.1%}", "recognised by the game", hint))
    if known_countries := len(set(found.countries) - {""}):
        tiles.append(Tile(f"{known_countries:,}", "countries"))
    return tiles


def _recognized(counts: collections.Counter[int]) -> tuple[float, int]:
    """Which share was recognised (nan without any), and of how many this is known."""
    known = counts[1] + counts[0]
    return (counts[1] / known if known else NONE), known


def _samples(classes: dict[str, ClassSurvey]) -> Section:
    each = min(max(SAMPLES // len(classes), 1), SAMPLES_PER_CLASS)
    groups = [
        (word, [_picture(seen) for seen in found.picked[:each]])
        for word, found in classes.items()
    ]
    note = "Picked at random. Strokes go from dark to light in the order of drawing."
    if any(seen.bitmap is not None for f in classes.values() for seen in f.picked[:1]):
        note = "Picked at random."
    return Section("Samples", report.gallery(groups, each), note)


def _picture(seen: Seen) -> Html:
    if seen.points is None:
        return report.image(seen.pixels(), seen.word)
    return report.strokes_svg(seen.points)


def _means(pictures: survey.Pictures, looked: str) -> Section:
    groups = []
    for word, mean in pictures.means.items():
        scaled = (mean * (255 / max(mean.max(), 1))).round().astype("uint8")
        groups.append((word, [report.image(scaled, f"the mean of {word}")]))
    note = (
        "What a class has in common: the mean of its bitmaps, each as strong as its "
        f"strongest pixel. {looked}"
    )
    return Section("Mean images", report.gallery(groups, 1), note)


def _classes(classes: dict[str, ClassSurvey], splits: tuple[str, ...]) -> Section:
    totals = [found.drawings for found in classes.values()]
    if len(classes) <= NAMED_BARS:
        series = {
            split: [found.by_split[split] for found in classes.values()]
            for split in splits or ("",)
        }
        svg = plots.bars(list(classes), series)
    else:
        svg = plots.ranks(list(classes), totals)
    head = ["class", *(splits if len(splits) > 1 else ()), "drawings", "recognised"]
    head += ["points, median", "99 %", "strokes, median", "99 %"]
    rows = [
        _class_row(word, found, splits if len(splits) > 1 else ())
        for word, found in classes.items()
    ]
    middle = sorted(totals)[len(totals) // 2]
    caption = f"From {min(totals):,} to {max(totals):,} drawings, median {middle:,}."
    body = [
        report.plot("Drawings per class", svg, caption, wide=True),
        report.table(head, rows),
    ]
    return Section("Classes", report.join(body))


def _class_row(
    word: str, found: ClassSurvey, splits: tuple[str, ...]
) -> list[str | int | float]:
    return [
        word,
        *(found.by_split[split] for split in splits),
        found.drawings,
        _recognized(found.by_recognized)[0],
        *(
            numbers.quantile(share) if numbers else NONE
            for numbers in (found.points, found.strokes)
            for share in (0.5, 0.99)
        ),
    ]


def _sizes(found: Survey) -> list[Section]:
    """What the strokes are like; nothing where all drawings are bitmaps."""
    figures = [
        ("Points", found.points, "points per drawing"),
        ("Strokes", found.strokes, "strokes per drawing"),
        ("Ink", found.ink, "length of the lines, in pixels of the 256 px box"),
    ]
    parts = [_distribution(*figure) for figure in figures if figure[1]]
    return [Section("Size of a drawing", report.columns(parts))] if parts else []


def _distribution(title: str, numbers: Distribution, label: str) -> Html:
    values, counts = numbers.sorted()
    marks = {"median": numbers.quantile(0.5), "p99": numbers.quantile(0.99)}
    up_to = min(int(marks["p99"] * 1.25) + 2, int(values[-1]))
    svg = plots.histogram(values, counts, up_to=up_to, label=label, marks=marks)
    beyond = int(counts[values > up_to].sum())
    caption = f"From {values[0]:,} to {values[-1]:,}."
    if beyond:
        caption += f" {_plural(beyond, 'drawing')} beyond the right edge."
    return report.plot(title, svg, caption)


def _grey_values(pictures: survey.Pictures, looked: str) -> Section:
    counts = pictures.grey_values
    ink = counts[128:].sum() / counts.sum()
    caption = f"{ink:.1%} of the pixels are ink (grey value 128 or more)."
    parts = [report.plot("Grey values", plots.grey_values(counts), caption)]
    note = f"Of the 28×28 bitmaps. {looked}"
    return Section("Pixels", report.columns(parts), note)


def _countries(found: Survey) -> list[Section]:
    known = +found.countries
    unknown = known.pop("", 0)
    if not known:
        return []
    ordered = sorted(known.items(), key=lambda item: (-item[1], item[0]))
    others = ordered[COUNTRIES:]
    rows = ordered[:COUNTRIES]
    if others:
        rows.append((f"{len(others)} others", sum(count for _, count in others)))
    svg = plots.bars([code for code, _ in rows], {"": [count for _, count in rows]})
    caption = f"{_plural(unknown, 'drawing')} without a country." if unknown else ""
    body = report.plot("Drawings per country", svg, caption, wide=True)
    return [Section("Countries", body, "By the country's code, as published.")]


def _plural(count: int, what: str, ending: str = "s") -> str:
    return f"{count:,} {what}{'' if count == 1 else ending}"


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_list("input", None, "Instead: files of ndjson: globs, by comma.")
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
    command.require("output")
    if bool(values.data_dir) == bool(values.input):
        raise ValueError("--data_dir and --input: give one of them")
    command.import_extra("matplotlib", "report")  # before all the work
    found = Survey(values.pictures_per_class, values.seed)
    if values.data_dir:
        source = describe_dataset(values.data_dir, found)
    else:
        source = describe_files(values.input, found)
    if not found.drawings:
        raise ValueError(f"{source.where}: there is no drawing")
    report.write(values.output, build_page(source, found, look_at_pictures(found)))
    print(f"{found.drawings:,} drawings described in {values.output}")


def run() -> None:
    """Entry point of `quickdraw-describe`."""
    command.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
