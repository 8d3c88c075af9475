"""Self-contained HTML pages, made of sections and elements.

`render_page` renders a title, tiles with key figures, and sections. The body of a
section is a list of elements: `Heading`, `Paragraph`, `Code`, `Table`, `Chart`,
`Columns`, `Gallery` and `Cards`. The templates in `templates/` escape all text. A page
loads nothing else and follows the light or dark theme of the reader.

    section = Section("Results", [Table(["run", "top-1"], [["rnn", 0.931]])])
    tile = Tile("93.1%", "top-1")
    html = render_page("Evaluation", "1,000 drawings", [tile], [section])
"""

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from pipeline import cli
from pipeline.report import theme


class Html(str):
    """Markup, which templates insert unescaped."""

    __slots__ = ()

    def __html__(self) -> str:
        """Returns the markup, for markupsafe."""
        return self


class Element:
    """Base class of the parts of a page.

    The macro `Table` of `templates/elements.html.jinja` renders the subclass `Table`.
    """

    def __html__(self) -> str:
        """Renders the element, for markupsafe."""
        macros = _environment().get_template("elements.html.jinja").module
        return getattr(macros, type(self).__name__)(self)


Body: TypeAlias = Sequence[Element | Html]


class Section(NamedTuple):
    """Part of a page under a heading, which the top of the page links to.

    Attributes:
      title: Text of the heading.
      body: Elements, from top to bottom.
      note: Text below the heading.
    """

    title: str
    body: Body
    note: str = ""


class Tile(NamedTuple):
    """Key figure in a large font.

    Attributes:
      value: Formatted number.
      label: Text above the number.
      hint: Text below the number.
    """

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True)
class Heading(Element):
    """Heading within a section."""

    text: str


@dataclass(frozen=True)
class Paragraph(Element):
    """Text within a section."""

    text: str


@dataclass(frozen=True)
class Code(Element):
    """Shell command, which wraps between its words."""

    text: str


@dataclass(frozen=True)
class Chart(Element):
    """Plot with a title and a caption.

    Attributes:
      title: Heading of the plot.
      svg: Markup of the plot.
      caption: Text below the plot.
      wide: Whether small screens scroll the plot instead of shrinking it.
    """

    title: str
    svg: Html
    caption: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Columns(Element):
    """Elements side by side where the page is wide enough."""

    body: Body


class Cell(NamedTuple):
    """Table cell with a smaller second line."""

    text: str
    detail: str


@dataclass(frozen=True)
class Table(Element):
    """Table of text and numbers.

    Numbers are aligned to the right. An integer is shown with thousands separators, a
    float as a percentage, NaN as a dash.

    Attributes:
      head: Column names; empty for a table without a head.
      rows: Cells of each row.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str | int | float | Cell]]

    @property
    def numeric_columns(self) -> list[bool]:
        """Whether each column holds numbers, by the first row."""
        if not self.rows:
            return [False] * len(self.head)
        return [isinstance(value, (int, float)) for value in self.rows[0]]

    @staticmethod
    def format(value: int | float) -> str:
        """Formats a number."""
        if isinstance(value, float):
            return "–" if value != value else f"{value:.1%}"
        return f"{value:,}"


@dataclass(frozen=True)
class Gallery(Element):
    """Groups of pictures.

    Attributes:
      groups: Caption and pictures of each group.
      pictures_per_row: Number of pictures of a group beside each other.
    """

    groups: Sequence[tuple[str, Sequence[Element | Html]]]
    pictures_per_row: int

    @property
    def width(self) -> int:
        """Width of a group in pixels."""
        return 78 * self.pictures_per_row + 8 * (self.pictures_per_row - 1)


class Guess(NamedTuple):
    """Line below a drawing.

    Attributes:
      text: Class name, after the name of the run where there are several.
      probability: Probability from 0 to 1.
      is_right: Whether it is the class of the drawing.
    """

    text: str
    probability: float
    is_right: bool


class Card(NamedTuple):
    """Drawing between its class name and the guesses of a model."""

    caption: str
    picture: Element | Html
    guesses: Sequence[Guess]


@dataclass(frozen=True)
class Cards(Element):
    """Drawings with guesses, side by side; each is at least `width` pixels wide."""

    cards: Sequence[Card]
    width: int = 128


def render_page(
    title: str, lead: str, tiles: Sequence[Tile], sections: Sequence[Section]
) -> str:
    """Renders a page.

    Args:
      title: Heading and window title.
      lead: Sentence below the heading.
      tiles: Key figures.
      sections: Sections from top to bottom.

    Returns:
      The content of an HTML file.

    Raises:
      ValueError: Jinja2 is not installed.
    """
    template = _environment().get_template("page.html.jinja")
    return template.render(title=title, lead=lead, tiles=tiles, sections=sections)


def write_file(path: str, text: str) -> None:
    """Writes a file under a temporary name, then renames it, so that it is complete."""
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


@functools.cache
def _environment() -> Any:
    """Returns the Jinja2 environment of `templates/`."""
    jinja2 = cli.import_extra("jinja2", "report")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals["theme"] = theme
    return environment
