"""What the page tells of each run alone: its confusions, its classes, its drawings."""

from typing import Any

import numpy as np

from pipeline.report.page import Card, Cards, Element, Heading, Section, Table
from rnn_model.evaluation import confusion_matrix
from rnn_model.evaluation.compare_runs import Found
from rnn_model.evaluation.confusion_matrix import Confusion
from rnn_model.evaluation.example_gallery import Gallery
from rnn_model.evaluation.report import plots as evaluation_plots
from rnn_model.evaluation.report.parts import Plots, guesses, picture
from rnn_model.evaluation.report.plots import NAMED, Point
from rnn_model.evaluation.run_metrics import SHOWN
from tfrecords import schema


def sections(found: Found, told: dict[str, Any], plots: Plots) -> list[Section]:
    """The sections of all runs, one after the other."""
    many = len(found.contenders) > 1
    parts = []
    for place, run in enumerate(told["runs"]):
        of = f", {run['name']}" if many else ""
        parts += [
            _confusions(found, run, place, plots, of),
            _classes(run, plots, of),
            _galleries(found, place, of),
        ]
    return parts


def _confusions(
    found: Found, run: dict[str, Any], place: int, plots: Plots, of: str
) -> Section:
    confusions, names = found.scorecards[place].confusion, found.info.classes
    order = confusion_matrix.clustered(confusions.shares())
    file = f"confusion-{run['name']}"
    whole = evaluation_plots.confusion(*_part(confusions, names, order))
    frames: list[Element] = []
    note = "Classes that are confused stand side by side. "
    if len(names) <= NAMED:
        note += "The numbers are per cent of the drawings of a row's class."
        frames.append(plots.frame(file, "All classes", whole))
    else:
        worst = [place for place in order if place in _worst(confusions)]
        some = evaluation_plots.confusion(*_part(confusions, names, worst))
        title = f"The {len(worst)} classes that are confused most"
        note += "The numbers are per cent of the drawings of a row's class."
        frames.append(plots.frame(f"{file}-most", title, some))
        frames.append(plots.frame(file, f"All {len(names)} classes", whole))
    head = ["drawn", "guessed", "drawings", "of the class's drawings"]
    rows = [list(pair.values()) for pair in run["confused"]]
    if rows:
        frames.append(Table(head, rows))
    return Section(f"Confusions{of}", frames, note)


def _part(
    confusions: Confusion, names: tuple[str, ...], places: list[int]
) -> tuple[list[str], np.ndarray]:
    """Names of some classes, and what share of each was taken for which of them."""
    shares = confusions.shares()[np.ix_(places, places)]
    return [names[place] for place in places], shares


def _worst(confusions: Confusion) -> set[int]:
    """As many classes as can be read, of the pairs that are confused most."""
    worst: set[int] = set()
    for pair in confusions.most_confused(NAMED * NAMED):
        if len(worst | {pair.drawn, pair.guessed}) > NAMED:
            break
        worst |= {pair.drawn, pair.guessed}
    return worst


def _classes(run: dict[str, Any], plots: Plots, of: str) -> Section:
    told = run["per_class"]
    points = [Point(row["top1"], *row["interval"]) for row in told.values()]
    plot = evaluation_plots.class_accuracy(list(told), points)
    ordered = sorted(told.items(), key=lambda item: (-item[1]["top1"], item[0]))
    rows = [
        [word, row["drawings"], row["top1"], *map(float, row["interval"])]
        for word, row in ordered
    ]
    head = ["class", "drawings", "top-1", "from", "to"]
    frame = plots.frame(
        f"classes-{run['name']}", "Top-1 of each class", plot, wide=True
    )
    body = [frame, Table(head, rows)]
    note = "The best first, each with its 95 % interval (Wilson's)."
    return Section(f"Classes{of}", body, note)


def _galleries(found: Found, place: int, of: str) -> Section:
    scorecard = found.scorecards[place]
    kinds = {
        "Surest, and right": scorecard.right,
        "Surest, and wrong": scorecard.wrong,
        "Most doubtful": scorecard.doubtful,
    }
    parts: list[Element] = []
    for title, kept in kinds.items():
        if cards := _cards(found, kept):
            parts += [Heading(title), Cards(cards)]
    note = "The first guesses are under each drawing, with their probabilities."
    if found.info.kind == schema.INK:
        note += " The earlier a stroke, the stronger its colour."
    return Section(f"Drawings{of}", parts, note)


def _cards(found: Found, kept: Gallery) -> list[Card]:
    classes = found.info.classes
    return [
        Card(
            classes[shown.label],
            picture(shown, classes),
            guesses(shown, shown.answers[0], classes),
        )
        for shown in kept.best(SHOWN)
    ]
