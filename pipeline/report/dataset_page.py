"""The page that `pipeline.describe` makes of a survey of drawings."""

import collections
from typing import NamedTuple

from pipeline.report import dataset_plots, page, thumbnails
from pipeline.report.dataset_stats import (
    ClassSurvey,
    Distribution,
    Pictures,
    Seen,
    Survey,
)
from pipeline.report.page import Html, Section, Tile

SAMPLES = 180
"""Drawings that are shown in all, about; at least one of each class."""

SAMPLES_PER_CLASS = (1, 2, 3, 4, 6, 12, 24)
"""How many of them may be of a class: what fills rows of twelve."""

NAMED_BARS = 40
"""More classes than these are shown without all of their names."""

COUNTRIES = 15

_NONE = float("nan")


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
    notes: list[tuple[str, str]]


def build_page(source: Source, found: Survey, pictures: Pictures) -> str:
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
        _numbers(found, pictures, looked),
        *_countries(found),
        Section("Origin", page.table((), source.notes)),
    ]
    lead = f"{found.drawings:,} drawings of {_plural(len(classes), 'class', 'es')}"
    return page.page(
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
    return (counts[1] / known if known else _NONE), known


def _samples(classes: dict[str, ClassSurvey]) -> Section:
    fitting = [each for each in SAMPLES_PER_CLASS if each * len(classes) <= SAMPLES]
    each = max(fitting, default=1)
    groups = [
        (word, [_picture(seen) for seen in found.picked[:each]])
        for word, found in classes.items()
    ]
    note = "Picked at random."
    if any(found.strokes for found in classes.values()):
        note += " The earlier a stroke, the stronger its colour."
    return Section("Samples", thumbnails.gallery(groups, min(each, 12)), note)


def _picture(seen: Seen) -> Html:
    if seen.points is None:
        return thumbnails.image(seen.pixels(), seen.word)
    return thumbnails.strokes_svg(seen.points)


def _means(pictures: Pictures, looked: str) -> Section:
    groups = []
    for word, mean in pictures.means.items():
        scaled = (mean * (255 / max(mean.max(), 1))).round().astype("uint8")
        groups.append((word, [thumbnails.image(scaled, f"the mean of {word}")]))
    note = (
        "What a class has in common: the mean of its bitmaps, each as strong as its "
        f"strongest pixel. {looked}"
    )
    return Section("Mean images", thumbnails.gallery(groups, 1), note)


def _classes(classes: dict[str, ClassSurvey], splits: tuple[str, ...]) -> Section:
    totals = [found.drawings for found in classes.values()]
    if len(classes) <= NAMED_BARS:
        series = {
            split: [found.by_split[split] for found in classes.values()]
            for split in splits or ("",)
        }
        svg = dataset_plots.bars(list(classes), series)
    else:
        svg = dataset_plots.ranks(list(classes), totals)
    head = ["class", *(splits if len(splits) > 1 else ()), "drawings", "recognised"]
    head += ["points, median", "points, p99", "strokes, median", "strokes, p99"]
    rows = [
        _class_row(word, found, splits if len(splits) > 1 else ())
        for word, found in classes.items()
    ]
    middle = sorted(totals)[len(totals) // 2]
    caption = f"From {min(totals):,} to {max(totals):,} drawings, median {middle:,}."
    body = [
        page.plot("Drawings per class", svg, caption, wide=True),
        page.table(head, rows),
    ]
    return Section("Classes", page.join(body))


def _class_row(
    word: str, found: ClassSurvey, splits: tuple[str, ...]
) -> list[str | int | float]:
    return [
        word,
        *(found.by_split[split] for split in splits),
        found.drawings,
        _recognized(found.by_recognized)[0],
        *(
            numbers.quantile(share) if numbers else _NONE
            for numbers in (found.points, found.strokes)
            for share in (0.5, 0.99)
        ),
    ]


def _numbers(found: Survey, pictures: Pictures, looked: str) -> Section:
    figures = [
        ("Points", found.points, "points per drawing"),
        ("Strokes", found.strokes, "strokes per drawing"),
        ("Ink", found.ink, "length of the lines of a drawing, in px of the 256 px box"),
    ]
    parts = [_distribution(*figure) for figure in figures if figure[1]]
    parts.append(_grey_values(pictures, looked))
    note = "Dashed: half of the drawings have no more than the median, 99 of 100 no "
    return Section("Numbers", page.columns(parts), f"{note}more than p99.")


def _distribution(title: str, numbers: Distribution, label: str) -> Html:
    values, counts = numbers.sorted()
    marks = {"median": numbers.quantile(0.5), "p99": numbers.quantile(0.99)}
    edges = dataset_plots.bin_edges(min(int(marks["p99"] * 1.25) + 2, int(values[-1])))
    svg = dataset_plots.histogram(values, counts, edges=edges, label=label, marks=marks)
    beyond = int(counts[values > edges[-1]].sum())
    caption = f"From {values[0]:,} to {values[-1]:,}."
    if beyond:
        caption += f" {_plural(beyond, 'drawing')} beyond the right edge."
    return page.plot(title, svg, caption)


def _grey_values(pictures: Pictures, looked: str) -> Html:
    counts = pictures.grey_values
    ink = counts[128:].sum() / counts.sum()
    caption = f"Of the 28×28 bitmaps; {ink:.1%} of the pixels are 128 or more. {looked}"
    return page.plot("Grey values", dataset_plots.grey_values(counts), caption)


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
    svg = dataset_plots.bars(
        [code for code, _ in rows], {"": [count for _, count in rows]}
    )
    caption = f"{_plural(unknown, 'drawing')} without a country." if unknown else ""
    body = page.plot("Drawings per country", svg, caption, wide=True)
    return [Section("Countries", body, "By the country's code, as published.")]


def _plural(count: int, what: str, ending: str = "s") -> str:
    return f"{count:,} {what}{'' if count == 1 else ending}"
