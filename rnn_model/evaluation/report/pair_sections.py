"""What the page tells of several runs beside each other."""

from typing import Any

from pipeline.report.page import (
    Card,
    Cards,
    Cell,
    Columns,
    Element,
    Heading,
    Section,
    Table,
)
from rnn_model.evaluation.compare_runs import Found
from rnn_model.evaluation.example_gallery import Gallery
from rnn_model.evaluation.metrics_json import minutes
from rnn_model.evaluation.report import plots as evaluation_plots
from rnn_model.evaluation.report.parts import Plots, guesses, picture, point

COMPARED = {"top1": "top-1", "map3": "MAP@3", "macro_top1": "macro top-1", "ece": "ECE"}
"""Metrics whose difference is told."""

SHOWN = 12
"""Drawings that one of a pair gets and the other does not."""

CARD_WIDTH = 140
"""Pixels of a drawing above the guesses of two runs, with their names."""


def sections(found: Found, told: dict[str, Any], plots: Plots) -> list[Section]:
    """Cost of each run and, where there are several, each pair of them."""
    cost = Section("Cost", _cost(told, plots), _cost_note())
    if not found.pairs:
        return [cost]
    galleries = [
        section
        for number, runs in enumerate(found.pairs)
        for section in [_pair_drawings(found, told["pairs"][number], *runs)]
    ]
    return [_pairs(told), *galleries, cost]


def _cost_note() -> str:
    return (
        "Speed in training is the median of the epochs, on the machine that trained; a "
        "drawing alone is timed on this one, the median."
    )


def _cost(told: dict[str, Any], plots: Plots) -> list[Any]:
    runs = told["runs"]
    parts: list[Element] = []
    if len(runs) > 1:
        kinds = {
            "training-time": ("Top-1 and training time", "minutes of training",
                              lambda run: run["train_seconds"] / 60),
            "model-size": ("Top-1 and size", "parameters",
                           lambda run: run["parameters"]),
        }  # fmt: skip
        frames = []
        for file, (title, label, of) in kinds.items():
            series = {run["name"]: (of(run), point(run)) for run in runs}
            plot = evaluation_plots.trade(series, label)
            frames.append(plots.frame(file, title, plot))
        parts.append(Columns(frames))
    head = ["run", "model", "parameters", "epochs", "training"]
    head += ["drawings/s in training", "a drawing alone"]
    parts.append(Table(head, [_cost_row(run) for run in runs]))
    return parts


def _cost_row(run: dict[str, Any]) -> list[str | int]:
    speed = run["train_drawings_per_second"]
    return [
        run["name"],
        run["model"],
        run["parameters"],
        run["epochs"],
        minutes(run["train_seconds"]),
        "–" if speed is None else round(speed),
        f"{run['milliseconds_alone']:.2f} ms",
    ]


def _pairs(told: dict[str, Any]) -> Section:
    head = [
        "runs",
        *(f"{name}, difference" for name in COMPARED.values()),
        *("first alone", "second alone", "p (McNemar)"),
    ]
    rows = [_pair_row(pair) for pair in told["pairs"]]
    note = (
        "The first run less the second, in points, with the 95 % interval of the "
        "difference on the same drawings. “Alone” are drawings that one gets and the "
        "other does not; McNemar's test says how probable as unequal numbers are if "
        "both runs are right equally often."
    )
    return Section("Pairs of runs", [Table(head, rows)], note)


def _pair_row(pair: dict[str, Any]) -> list[str | int | Cell]:
    told = [pair["differences"][metric] for metric in COMPARED]
    p = pair["mcnemar_p"]
    return [
        f"{pair['first']} − {pair['second']}",
        *(_points(row["difference"], row["interval"]) for row in told),
        pair["only_first_right"],
        pair["only_second_right"],
        "< 0.0001" if p < 1e-4 else f"{p:.4f}",
    ]


def _points(difference: float, interval: list[float]) -> Cell:
    low, high = (100 * end for end in interval)
    return Cell(f"{100 * difference:+.2f}", f"{low:+.2f} to {high:+.2f}")


def _pair_drawings(found: Found, told: dict[str, Any], one: int, other: int) -> Section:
    """Drawings that one gets and the other does not."""
    pair = found.pairs[one, other]
    parts: list[Element] = []
    names = told["first"], told["second"]
    for kept, (gets, misses), count in (
        (pair.first_gets, names, pair.only_first),
        (pair.second_gets, names[::-1], pair.only_second),
    ):
        title = f"{gets} gets, {misses} does not: {count:,} drawings"
        parts.append(Heading(title))
        if count:
            parts.append(Cards(_cards(found, kept, names), CARD_WIDTH))
    note = "Those of which the two are surest, with the first guess of each."
    return Section(" and ".join(names), parts, note)


def _cards(found: Found, kept: Gallery, names: tuple[str, str]) -> list[Card]:
    classes = found.info.classes
    return [
        Card(
            classes[shown.label],
            picture(shown, classes),
            [
                guess
                for name, answer in zip(names, shown.answers)
                for guess in guesses(shown, answer[:1], classes, name)
            ],
        )
        for shown in kept.best(SHOWN)
    ]
