"""Sections of the report that compare runs: cost and paired differences."""

from typing import Any

from pipeline.report.page import (
    Card,
    Cards,
    Cell,
    Columns,
    Element,
    Heading,
    Paragraph,
    Section,
    Table,
)
from rnn_model.evaluation.compare_runs import ComparisonResult
from rnn_model.evaluation.example_gallery import Gallery
from rnn_model.evaluation.report import plots
from rnn_model.evaluation.report.formatting import (
    PlotCollection,
    format_difference,
    get_estimate,
    make_guesses,
    make_thumbnail,
)
from rnn_model.evaluation.report.metrics_json import format_minutes

COMPARED = {"top1": "top-1", "map3": "MAP@3", "macro_top1": "macro top-1", "ece": "ECE"}
"""Metrics whose differences are shown, with their names."""

GALLERY_SIZE = 12
"""Drawings that only one run of a pair predicts correctly."""

CARD_WIDTH = 140
"""Minimum width in pixels of a drawing with the predictions of two runs."""


def build_sections(
    result: ComparisonResult, report: dict[str, Any], collection: PlotCollection
) -> list[Section]:
    """Builds the sections about pairs of runs, if there are several, and the cost."""
    if not report["pairs"]:
        return [_cost_section(report, collection)]
    return [
        _differences_section(report["pairs"]),
        *(
            _drawings_section(result, pair, *runs)
            for pair, runs in zip(report["pairs"], result.pairs)
        ),
        _cost_section(report, collection),
    ]


def _cost_section(report: dict[str, Any], collection: PlotCollection) -> Section:
    runs = report["runs"]
    parts: list[Element] = []
    if len(runs) > 1:
        estimates = {run["name"]: get_estimate(run) for run in runs}
        minutes = {run["name"]: run["train_seconds"] / 60 for run in runs}
        parameters = {run["name"]: run["parameters"] for run in runs}
        time_plot = plots.plot_cost(minutes, estimates, "minutes of training")
        size_plot = plots.plot_cost(parameters, estimates, "parameters")
        figures = [
            collection.add("training-time", "Top-1 and training time", time_plot),
            collection.add("model-size", "Top-1 and model size", size_plot),
        ]
        parts.append(Columns(figures))
    head = ["run", "model", "parameters", "epochs", "training time"]
    head += ["training drawings/s", "latency"]
    parts.append(Table(head, [_cost_row(run) for run in runs]))
    note = (
        "Training speed is the median of the epochs, on the machine that trained the "
        "model. Latency is the median time for a single drawing on this machine."
    )
    return Section("Cost", parts, note)


def _cost_row(run: dict[str, Any]) -> list[str | int]:
    speed = run["train_drawings_per_second"]
    return [
        run["name"],
        run["model"],
        run["parameters"],
        run["epochs"],
        format_minutes(run["train_seconds"]),
        "–" if speed is None else round(speed),
        f"{run['milliseconds_alone']:.2f} ms",
    ]


def _differences_section(pairs: list[dict[str, Any]]) -> Section:
    head = [
        "runs",
        *(f"difference in {name}" for name in COMPARED.values()),
        *("only first correct", "only second correct", "p (McNemar)"),
    ]
    rows = [_difference_row(pair, pair) for pair in pairs]
    parts: list[Element] = [Table(head, rows)]
    recognized = [
        _difference_row(pair, pair["recognized_only"])
        for pair in pairs
        if pair["recognized_only"]
    ]
    if recognized:
        text = "On the drawings that the game recognized:"
        parts += [Paragraph(text), Table(head, recognized)]
    note = (
        "The first run minus the second, in percentage points, with the 95 % interval "
        "of the paired difference. McNemar's test gives the probability of counts at "
        "least as unequal if both runs are correct equally often."
    )
    return Section("Pairs of runs", parts, note)


def _difference_row(
    pair: dict[str, Any], row: dict[str, Any]
) -> list[str | int | Cell]:
    p = row["mcnemar_p"]
    return [
        f"{pair['first']} − {pair['second']}",
        *(format_difference(row["differences"][metric]) for metric in COMPARED),
        row["only_first_right"],
        row["only_second_right"],
        "< 0.0001" if p < 1e-4 else f"{p:.4f}",
    ]


def _drawings_section(
    result: ComparisonResult, pair: dict[str, Any], first: int, second: int
) -> Section:
    """Builds galleries of the drawings that only one run predicts correctly."""
    run_pair = result.pairs[first, second]
    parts: list[Element] = []
    names = pair["first"], pair["second"]
    for gallery, name, count in (
        (run_pair.only_first, names[0], run_pair.all.only_first),
        (run_pair.only_second, names[1], run_pair.all.only_second),
    ):
        parts.append(Heading(f"Only {name} is correct: {count:,} drawings"))
        if count:
            cards = _make_cards(gallery, result.info.classes, names)
            parts.append(Cards(cards, CARD_WIDTH))
    note = (
        "Drawings with the largest difference in the probability of the true class, "
        "with the first prediction of each run."
    )
    return Section(" and ".join(names), parts, note)


def _make_cards(
    gallery: Gallery, classes: tuple[str, ...], names: tuple[str, str]
) -> list[Card]:
    return [
        Card(
            classes[example.label],
            make_thumbnail(example, classes),
            [
                guess
                for name, predictions in zip(names, example.predictions)
                for guess in make_guesses(example, predictions[:1], classes, name)
            ],
        )
        for example in gallery.best(GALLERY_SIZE)
    ]
