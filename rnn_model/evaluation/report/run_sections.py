"""Sections of the report about each run: confusion matrix, classes and drawings."""

from typing import Any

import numpy as np

from pipeline.report.figures import Plot
from pipeline.report.page import Card, Cards, Element, Heading, Section, Table
from rnn_model.evaluation import confusion_matrix
from rnn_model.evaluation.compare_runs import ComparisonResult
from rnn_model.evaluation.confusion_matrix import ConfusionMatrix
from rnn_model.evaluation.example_gallery import Gallery
from rnn_model.evaluation.report import plots
from rnn_model.evaluation.report.formatting import (
    PlotCollection,
    make_guesses,
    make_thumbnail,
)
from rnn_model.evaluation.report.plots import MAX_LABELED_CLASSES, Estimate
from rnn_model.evaluation.run_metrics import GALLERY_SIZE
from tfrecords import schema


def build_sections(
    result: ComparisonResult, report: dict[str, Any], collection: PlotCollection
) -> list[Section]:
    """Builds the sections of all runs, one run after the other."""
    sections = []
    for index, run in enumerate(report["runs"]):
        suffix = f", {run['name']}" if len(result.runs) > 1 else ""
        sections += [
            _confusion_section(result, run, index, collection, suffix),
            _classes_section(run, collection, suffix),
            _drawings_section(result, index, suffix),
        ]
    return sections


def _confusion_section(
    result: ComparisonResult,
    run: dict[str, Any],
    index: int,
    collection: PlotCollection,
    suffix: str,
) -> Section:
    confusion, classes = result.run_metrics[index].confusion, result.info.classes
    order = confusion_matrix.order_by_similarity(confusion.shares())
    file = f"confusion-{run['name']}"
    parts: list[Element] = []
    if len(classes) > MAX_LABELED_CLASSES:
        most_confused = _most_confused_classes(confusion)
        selected = [label for label in order if label in most_confused]
        title = f"The {len(selected)} most confused classes"
        plot = _plot_matrix(confusion, classes, selected)
        parts.append(collection.add(f"{file}-most", title, plot))
        title = f"All {len(classes)} classes"
    else:
        title = "All classes"
    parts.append(collection.add(file, title, _plot_matrix(confusion, classes, order)))
    rows = [list(pair.values()) for pair in run["confused"]]
    if rows:
        head = ["drawn", "predicted", "drawings", "share of the class"]
        parts.append(Table(head, rows))
    note = (
        "Classes that are often confused are next to each other. Numbers are "
        "percentages of the drawings of a row's class."
    )
    return Section(f"Confusion matrix{suffix}", parts, note)


def _plot_matrix(
    confusion: ConfusionMatrix, classes: tuple[str, ...], selected: list[int]
) -> Plot:
    shares = confusion.shares()[np.ix_(selected, selected)]
    return plots.plot_confusion([classes[label] for label in selected], shares)


def _most_confused_classes(confusion: ConfusionMatrix) -> set[int]:
    """Returns the classes of the most confused pairs, as many as can be labeled."""
    classes: set[int] = set()
    for pair in confusion.most_confused(MAX_LABELED_CLASSES**2):
        if len(classes | {pair.drawn, pair.predicted}) > MAX_LABELED_CLASSES:
            break
        classes |= {pair.drawn, pair.predicted}
    return classes


def _classes_section(
    run: dict[str, Any], collection: PlotCollection, suffix: str
) -> Section:
    per_class = run["per_class"]
    estimates = [Estimate(row["top1"], *row["interval"]) for row in per_class.values()]
    plot = plots.plot_class_top1(list(per_class), estimates)
    ordered = sorted(per_class.items(), key=lambda item: (-item[1]["top1"], item[0]))
    rows = [
        [word, row["drawings"], row["top1"], *map(float, row["interval"])]
        for word, row in ordered
    ]
    head = ["class", "drawings", "top-1", "low", "high"]
    title = "Top-1 of each class"
    figure = collection.add(f"classes-{run['name']}", title, plot, wide=True)
    note = "Best classes first, with 95 % Wilson score intervals."
    body = [figure, Table(head, rows)]
    return Section(f"Classes{suffix}", body, note)


def _drawings_section(result: ComparisonResult, index: int, suffix: str) -> Section:
    run_metrics = result.run_metrics[index]
    galleries = {
        "Correct, highest confidence": run_metrics.correct,
        "Wrong, highest confidence": run_metrics.wrong,
        "Lowest confidence": run_metrics.uncertain,
    }
    parts: list[Element] = []
    for title, gallery in galleries.items():
        if cards := _make_cards(gallery, result.info.classes):
            parts += [Heading(title), Cards(cards)]
    note = "Below each drawing are its most probable classes."
    if result.info.kind == schema.INK:
        note += " Earlier strokes have a stronger color."
    return Section(f"Drawings{suffix}", parts, note)


def _make_cards(gallery: Gallery, classes: tuple[str, ...]) -> list[Card]:
    return [
        Card(
            classes[example.label],
            make_thumbnail(example, classes),
            make_guesses(example, example.predictions[0], classes),
        )
        for example in gallery.best(GALLERY_SIZE)
    ]
