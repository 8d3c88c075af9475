"""The style that all report pages share: one HTML file that needs nothing else.

Text is escaped wherever it is put in, unless it is `Html`. Plots come from
`pipeline.report.figures`, drawings from `pipeline.report.thumbnails`. Colours are CSS variables, so that
both follow the reader's choice of light or dark.
"""

import html
import os
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

STROKE_SHADES = 6
"""Shades from a drawing's first stroke to its last."""

_STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f6f3; --card: #ffffff; --text: #1d1f23; --muted: #6b6f76;
  --line: #e3e3de; --accent: #2f62c9;
  --series-1: #3568cf; --series-2: #e08a1e; --series-3: #2a9d74;
  --series-4: #b04a8f; --series-5: #7a7f87;
  --first-stroke: #14315f; --last-stroke: #4f9be8;
  --picture-filter: invert(1); --picture-blend: multiply;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171a; --card: #1e2125; --text: #e9eaec; --muted: #9ba1a9;
    --line: #33373d; --accent: #86aef5;
    --series-1: #7ba4f2; --series-2: #eeaa55; --series-3: #5cc59c;
    --series-4: #d983bd; --series-5: #9ba1a9;
    --first-stroke: #f4f7fd; --last-stroke: #5f93e0;
    --picture-filter: none; --picture-blend: screen;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, Ubuntu, sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1160px; margin: 0 auto; padding: 3rem 1.25rem 4rem; }
h1 { margin: 0; font-size: 2.1rem; line-height: 1.2; letter-spacing: -0.02em; }
h2 { margin: 3.25rem 0 0.25rem; font-size: 1.35rem; letter-spacing: -0.01em; }
h3 { margin: 1.75rem 0 -0.25rem; font-size: 1rem; }
p { margin: 0.4rem 0; max-width: 46rem; }
.lead, .note, figcaption, small { color: var(--muted); }
.lead { font-size: 1.08rem; overflow-wrap: anywhere; }
.note { font-size: 0.92rem; }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin-top: 1rem; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.card {
  margin: 1rem 0 0; padding: 1rem 1.1rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px;
}
.tiles, .columns { display: grid; gap: 0.9rem; }
.tiles {
  grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); margin-top: 1.75rem;
}
.columns { grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); }
.tiles .card, .columns .card { margin: 0; }
.columns { margin-top: 1rem; }
.between { margin-top: 1.5rem; color: var(--muted); }
p:empty, figcaption:empty, small:empty { display: none; }
.tiles b {
  display: block; font-size: 1.75rem; font-weight: 600; line-height: 1.25;
  letter-spacing: -0.02em;
}
.tiles span, .tiles small { display: block; font-size: 0.9rem; line-height: 1.4; }
figcaption { margin-top: 0.6rem; font-size: 0.9rem; line-height: 1.45; }
.plot h3 { margin: 0 0 0.5rem; font-size: 1rem; }
.plot > div { overflow-x: auto; }
.plot svg { display: block; width: 100%; height: auto; stroke-linejoin: round; }
.plot.wide svg { min-width: 40rem; }
.plot svg text { font-family: inherit !important; }
.scroll { overflow: auto; max-height: 34rem; padding: 0; }
table { border-collapse: collapse; font-size: 0.93rem; }
table:has(th) { width: 100%; }
th, td { padding: 0.42rem 0.8rem; text-align: left; }
th { vertical-align: bottom; line-height: 1.3; }
td { white-space: nowrap; }
td small { display: block; line-height: 1.3; }
td:first-child, th:first-child { padding-left: 1.1rem; }
table:not(:has(th)) td:last-child { white-space: normal; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; }
th {
  position: sticky; top: 0; background: var(--card); color: var(--muted);
  font-weight: 500; box-shadow: inset 0 -1px var(--line);
}
td { border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
.gallery {
  display: grid; gap: 1rem 0.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(var(--width), 100%), 1fr));
}
.gallery figure {
  margin: 0; min-width: 0; display: flex; flex-direction: column; justify-content: end;
}
.gallery figcaption {
  margin: 0 0 0.1rem; font-size: 0.82rem; line-height: 1.25; color: var(--text);
  overflow-wrap: break-word;
}
@media (max-width: 40rem) { .gallery { max-height: 85vh; overflow-y: auto; } }
.strip { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.strip svg, .strip img { width: 78px; height: 78px; }
.strip svg {
  fill: none; stroke: var(--text); stroke-width: 7; stroke-linecap: round;
  stroke-linejoin: round;
}
.strip img { filter: var(--picture-filter); mix-blend-mode: var(--picture-blend); }
.answered { gap: 1.5rem 1.3rem; }
.answered figure { justify-content: start; }
.answered .strip { display: block; }
.answered .strip svg, .answered .strip img {
  width: 100%; max-width: 8rem; height: auto;
}
.guesses { margin: 0.25rem 0 0; padding: 0; list-style: none; }
.guesses li {
  display: flex; justify-content: space-between; gap: 0.5rem;
  font-size: 0.8rem; line-height: 1.35; color: var(--muted);
}
.guesses span { min-width: 0; overflow-wrap: anywhere; }
.guesses .right { color: var(--text); font-weight: 600; }
""" + "".join(
    f".s{shade} {{ stroke: color-mix(in oklab, var(--last-stroke) "
    f"{100 * shade // (STROKE_SHADES - 1)}%, var(--first-stroke)); }}\n"
    for shade in range(STROKE_SHADES)
)

LIGHT = dict(re.findall(r"--([\w-]+): (#\w{6})", _STYLE.partition("@media")[0]))
"""The colours by day, for what is no page; each stands for its variable only."""


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


class Section(NamedTuple):
    """A part of a page, under a heading that the page's top links to."""

    title: str
    body: Html
    note: str = ""


class Tile(NamedTuple):
    """A number worth a large font."""

    value: str
    label: str
    hint: str = ""


def page(
    title: str, lead: str, tiles: Iterable[Tile], sections: Sequence[Section]
) -> str:
    """Puts a page together.

    Args:
      title: heading, and name of the window.
      lead: a sentence under it.
      tiles: key figures.
      sections: the rest, in order.

    Returns:
      The content of an HTML file.
    """
    links = join(
        f'<a href="#part-{number}">{markup(section.title)}</a>\n'
        for number, section in enumerate(sections, 1)
    )
    parts = join(
        f'<section>\n<h2 id="part-{number}">{markup(section.title)}</h2>\n'
        f'<p class="note">{markup(section.note)}</p>\n{section.body}\n</section>\n'
        for number, section in enumerate(sections, 1)
    )
    cards = join(
        f'<div class="card"><span>{markup(tile.label)}</span>'
        f"<b>{markup(tile.value)}</b><small>{markup(tile.hint)}</small></div>\n"
        for tile in tiles
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{markup(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{markup(title)}</h1>
<p class="lead">{markup(lead)}</p>
<nav>
{links}</nav>
<div class="tiles">
{cards}</div>
{parts}</main>
</body>
</html>
"""


def write(path: str, text: str) -> None:
    """Writes a page under a temporary name first: a file in place is a whole one."""
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


def markup(text: str) -> Html:
    """Escapes text; leaves `Html` as it is."""
    return text if isinstance(text, Html) else Html(html.escape(text))


def join(parts: Iterable[str]) -> Html:
    """Joins pieces of markup."""
    return Html("".join(parts))


def heading(title: str) -> Html:
    """A heading within a section."""
    return Html(f"<h3>{markup(title)}</h3>\n")


def paragraph(text: str) -> Html:
    """Text between the parts of a section."""
    return Html(f'<p class="between">{markup(text)}</p>\n')


def plot(title: str, svg: Html, caption: str = "", *, wide: bool = False) -> Html:
    """Frames a plot; a wide one is scrolled on a small screen, not shrunk."""
    kind = "plot wide card" if wide else "plot card"
    return Html(
        f'<figure class="{kind}"><h3>{markup(title)}</h3><div>{svg}</div>'
        f"<figcaption>{markup(caption)}</figcaption></figure>"
    )


def columns(parts: Iterable[Html]) -> Html:
    """Lays frames out side by side where there is room."""
    return Html(f'<div class="columns">{join(parts)}</div>')


def table(head: Sequence[str], rows: Iterable[Sequence[str | int | float]]) -> Html:
    """Lays rows out, under a heading if there is one; numbers stand to the right.

    An integer gets thousands separators. A float is a share, shown in per cent; nan
    is shown as a dash.
    """
    body = [[_cell(value) for value in row] for row in rows]
    numeric = body[0] if body else [("", "")] * len(head)
    titles = join(
        f"<th{kind}>{markup(name)}</th>" for name, (kind, _) in zip(head, numeric)
    )
    top = f"<thead><tr>{titles}</tr></thead>\n" if head else ""
    lines = join(
        "<tr>" + "".join(f"<td{kind}>{text}</td>" for kind, text in row) + "</tr>\n"
        for row in body
    )
    return Html(
        f'<div class="scroll card"><table>{top}<tbody>\n{lines}</tbody></table></div>'
    )


def _cell(value: str | int | float) -> tuple[str, str]:
    """The class of a cell, and its text."""
    if isinstance(value, str):
        return "", markup(value)
    if isinstance(value, float):
        return ' class="number"', "–" if value != value else f"{value:.1%}"
    return ' class="number"', f"{value:,}"
