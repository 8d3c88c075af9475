"""Page of the describe command about the drawings of a data set."""

import collections
from typing import NamedTuple

from pipeline.report import dataset_plots, page, thumbnails
from pipeline.report.dataset_stats import (
    BitmapStats,
    ClassStats,
    DatasetStats,
    Distribution,
    DrawingSummary,
)
from pipeline.report.page import Chart, Columns, Element, Gallery, Section, Table, Tile

_MAX_THUMBNAILS = 180
"""Approximate number of thumbnails on the page; each class has at least one."""

_THUMBNAILS_PER_CLASS = (1, 2, 3, 4, 6, 12, 24)
"""Thumbnails per class that fill rows of twelve."""

_MAX_BARS = 40
"""With more classes than this, the plot of class sizes labels only some of them."""

_MAX_COUNTRIES = 15

_NAN = float("nan")


class Source(NamedTuple):
    """Origin of the drawings.

    Attributes:
      name: Title of the page.
      location: Path or paths.
      splits: Names of the splits; empty if there are none.
      details: Further facts as (name, value).
    """

    name: str
    location: str
    splits: tuple[str, ...]
    details: list[tuple[str, str]]


def build_page(source: Source, stats: DatasetStats, bitmaps: BitmapStats) -> str:
    """Builds the page.

    Args:
      source: Origin of the drawings.
      stats: Statistics of at least one drawing.
      bitmaps: Statistics of the bitmaps.

    Returns:
      The content of an HTML file. Equal arguments give equal pages.
    """
    classes = dict(sorted(stats.classes.items()))
    sample_note = (
        f"From a random sample of {bitmaps.num_drawings:,} drawings, at most "
        f"{max(len(each.sample) for each in classes.values()):,} per class."
    )
    sections = [
        _samples_section(classes),
        _means_section(bitmaps, sample_note),
        _classes_section(classes, source.splits),
        _distributions_section(stats, bitmaps, sample_note),
        *_countries_sections(stats),
        Section("Origin", [Table((), source.details)]),
    ]
    counts = (
        f"{stats.num_drawings:,} drawings of {_plural(len(classes), 'class', 'es')}"
    )
    lead = f"{counts}, from {source.location}"
    return page.render_page(source.name, lead, _tiles(stats), sections)


def _tiles(stats: DatasetStats) -> list[Tile]:
    sizes = sorted(each.num_drawings for each in stats.classes.values())
    size_range = f"{sizes[0]:,} to {sizes[-1]:,} drawings each"
    tiles = [
        Tile(f"{stats.num_drawings:,}", "drawings"),
        Tile(f"{len(sizes):,}", "classes", size_range),
    ]
    for name, values in (("points", stats.points), ("strokes", stats.strokes)):
        if values:
            hint = f"99th percentile: {values.quantile(0.99):,}"
            tiles.append(
                Tile(f"{values.quantile(0.5):,}", f"{name} per drawing (median)", hint)
            )
    share, known = _recognized_share(stats.by_recognized)
    if known:
        hint = f"of {known:,} drawings with this field"
        tiles.append(Tile(f"{share:.1%}", "recognized by the game", hint))
    if known_countries := len(set(stats.countries) - {""}):
        tiles.append(Tile(f"{known_countries:,}", "countries"))
    return tiles


def _recognized_share(counts: collections.Counter[int]) -> tuple[float, int]:
    """Returns the recognized share (or NaN) and the number of drawings it is of."""
    known = counts[1] + counts[0]
    return (counts[1] / known if known else _NAN), known


def _samples_section(classes: dict[str, ClassStats]) -> Section:
    fitting = [n for n in _THUMBNAILS_PER_CLASS if n * len(classes) <= _MAX_THUMBNAILS]
    per_class = max(fitting, default=1)
    groups = [
        (word, [_thumbnail(drawing) for drawing in stats.sample[:per_class]])
        for word, stats in classes.items()
    ]
    note = "A random sample of each class."
    if any(stats.strokes for stats in classes.values()):
        note += " Earlier strokes have a stronger color."
    return Section("Samples", [Gallery(groups, min(per_class, 12))], note)


def _thumbnail(drawing: DrawingSummary) -> Element:
    if drawing.points is None:
        return thumbnails.draw_bitmap(drawing.pixels(), drawing.word)
    return thumbnails.draw_strokes(drawing.points)


def _means_section(bitmaps: BitmapStats, sample_note: str) -> Section:
    groups = []
    for word, mean in bitmaps.means.items():
        pixels = (mean * (255 / max(mean.max(), 1))).round().astype("uint8")
        picture = thumbnails.draw_bitmap(pixels, f"Mean image of {word}")
        groups.append((word, [picture]))
    note = (
        "The mean of the bitmaps of each class, scaled so that its brightest pixel is "
        f"255. {sample_note}"
    )
    return Section("Mean images", [Gallery(groups, 1)], note)


def _classes_section(
    classes: dict[str, ClassStats], splits: tuple[str, ...]
) -> Section:
    sizes = [stats.num_drawings for stats in classes.values()]
    if len(classes) <= _MAX_BARS:
        series = {
            split: [stats.by_split[split] for stats in classes.values()]
            for split in splits or ("",)
        }
        svg = dataset_plots.plot_bars(list(classes), series)
    else:
        svg = dataset_plots.plot_ranks(list(classes), sizes)
    columns = splits if len(splits) > 1 else ()
    head = ["class", *columns, "drawings", "recognized"]
    head += ["points, median", "points, p99", "strokes, median", "strokes, p99"]
    rows = [_class_row(word, stats, columns) for word, stats in classes.items()]
    median = sorted(sizes)[len(sizes) // 2]
    caption = f"From {min(sizes):,} to {max(sizes):,} drawings, median {median:,}."
    chart = Chart("Drawings per class", svg, caption, wide=True)
    return Section("Classes", [chart, Table(head, rows)])


def _class_row(
    word: str, stats: ClassStats, splits: tuple[str, ...]
) -> list[str | int | float]:
    return [
        word,
        *(stats.by_split[split] for split in splits),
        stats.num_drawings,
        _recognized_share(stats.by_recognized)[0],
        *(
            values.quantile(share) if values else _NAN
            for values in (stats.points, stats.strokes)
            for share in (0.5, 0.99)
        ),
    ]


def _distributions_section(
    stats: DatasetStats, bitmaps: BitmapStats, sample_note: str
) -> Section:
    distributions = [
        ("Points", stats.points, "points per drawing"),
        ("Strokes", stats.strokes, "strokes per drawing"),
        ("Ink", stats.ink, "length of the strokes, in pixels of the 256-pixel box"),
    ]
    charts = [
        _distribution_chart(title, values, label)
        for title, values, label in distributions
        if values
    ]
    charts.append(_gray_values_chart(bitmaps, sample_note))
    note = "Dashed lines: the median and the 99th percentile (p99)."
    return Section("Distributions", [Columns(charts)], note)


def _distribution_chart(title: str, distribution: Distribution, label: str) -> Chart:
    values, counts = distribution.sorted()
    marks = {"median": distribution.quantile(0.5), "p99": distribution.quantile(0.99)}
    maximum = min(int(marks["p99"] * 1.25) + 2, int(values[-1]))
    edges = dataset_plots.compute_bin_edges(maximum)
    svg = dataset_plots.plot_histogram(
        values, counts, edges=edges, label=label, marks=marks
    )
    beyond = int(counts[values > edges[-1]].sum())
    caption = f"From {values[0]:,} to {values[-1]:,}."
    if beyond:
        caption += f" {_plural(beyond, 'drawing')} beyond the right edge."
    return Chart(title, svg, caption)


def _gray_values_chart(bitmaps: BitmapStats, sample_note: str) -> Chart:
    counts = bitmaps.gray_values
    share = counts[128:].sum() / counts.sum()
    caption = f"{share:.1%} of the pixels of the 28×28 bitmaps are 128 or more."
    svg = dataset_plots.plot_gray_values(counts)
    return Chart("Gray values", svg, f"{caption} {sample_note}")


def _countries_sections(stats: DatasetStats) -> list[Section]:
    known = +stats.countries
    unknown = known.pop("", 0)
    if not known:
        return []
    ordered = sorted(known.items(), key=lambda item: (-item[1], item[0]))
    bars, rest = ordered[:_MAX_COUNTRIES], ordered[_MAX_COUNTRIES:]
    if rest:
        bars.append((f"{len(rest)} others", sum(count for _, count in rest)))
    svg = dataset_plots.plot_bars(
        [code for code, _ in bars], {"": [count for _, count in bars]}
    )
    caption = f"{_plural(unknown, 'drawing')} without a country." if unknown else ""
    chart = Chart("Drawings per country", svg, caption, wide=True)
    return [Section("Countries", [chart], "By country code.")]


def _plural(count: int, noun: str, ending: str = "s") -> str:
    return f"{count:,} {noun}{'' if count == 1 else ending}"
