"""The page that `evaluate.py` makes of runs, and the PNG files of its plots."""

from typing import Any, NamedTuple

from pipeline.report import page
from pipeline.report.page import Cell, Columns, Element, Paragraph, Section, Table, Tile
from rnn_model.evaluation import subgroups
from rnn_model.evaluation.bootstrap import REPLICATES
from rnn_model.evaluation.compare_runs import Found
from rnn_model.evaluation.report import pair_sections, run_sections
from rnn_model.evaluation.report import plots as evaluation_plots
from rnn_model.evaluation.report.parts import Plots, point, told_points, with_interval
from tfrecords import schema

Told = dict[str, Any]
"""What `metrics.json` holds (see `evaluation_report.to_json`)."""

METRICS = {
    "top1": ("top-1", "share of drawings whose word is the first guess"),
    "top3": ("top-3", "share whose word is among the first three"),
    "top5": ("top-5", "share whose word is among the first five"),
    "map3": (
        "MAP@3",
        "mean of 1, ½, ⅓ or 0 for a word at rank 1, 2, 3 or below: the score of "
        "Kaggle's Quick, Draw! contest",
    ),
    "macro_top1": ("macro top-1", "mean over the classes of each one's top-1"),
    "loss": ("loss", "mean cross-entropy, in nats; the lower the better"),
    "ece": (
        "ECE",
        "expected calibration error: how far the probability of the first guess is "
        "from the share that is right, the mean over 15 bins of it (Guo and others, "
        "2017); the lower the better",
    ),
}

IN_GROUPS = ("top1", "top3", "top5", "map3", "loss")

GROUPS = {
    subgroups.RECOGNIZED: ("recognised", "Recognised by the game"),
    subgroups.NUMBER_OF_POINTS: ("points", "Number of points"),
    subgroups.COUNTRY: ("country", "Country"),
}


class Page(NamedTuple):
    """The page as HTML, and its plots as PNG by file name."""

    html: str
    pictures: dict[str, bytes]


def build_page(found: Found, told: Told) -> Page:
    """Lays out an evaluation: what was found, and what `metrics.json` holds of it."""
    plots = Plots()
    sections = [
        _metrics(told),
        *pair_sections.sections(found, told, plots),
        *_parts(told, plots),
        *_breakdowns(told, plots),
        _calibration(told, plots),
        *_learning(found, plots),
        *run_sections.sections(found, told, plots),
    ]
    names = [run["name"] for run in told["runs"]]
    title = names[0] if len(names) == 1 else f"{len(names)} runs side by side"
    examples = told["runs"][0]["examples"]
    lead = f"{examples:,} drawings of the split {found.split} of {found.data_dir}"
    if len(names) > 1:
        lead += f"; the same for {', '.join(names)}"
    html = page.render_page(title, f"{lead}.", _tiles(found, told), sections)
    return Page(html, plots.files)


def _tiles(found: Found, told: Told) -> list[Tile]:
    best = max(told["runs"], key=lambda run: run["top1"])
    ends = "{:.1%} to {:.1%}"
    of = f", {best['name']}" if len(told["runs"]) > 1 else ""
    return [
        Tile(
            f"{best[name]:.1%}", METRICS[name][0] + of,
            ends.format(*best["intervals"][name]),
        )
        for name in ("top1", "top3", "map3")
    ] + [
        Tile(f"{best['examples']:,}", "drawings", f"of the split {found.split}"),
        Tile(f"{len(found.info.classes):,}", "classes"),
        Tile(f"{best['milliseconds_alone']:.1f} ms", f"a drawing alone{of}"),
    ]  # fmt: skip


def _metrics(told: Told) -> Section:
    """All metrics of all runs, of all drawings and of the recognised ones."""
    head = ["run", *(name for name, _ in METRICS.values())]
    parts: list[Element] = [
        Table(head, [_row(run["name"], run) for run in told["runs"]])
    ]
    recognized = [
        _row(run["name"], run["recognized_only"])
        for run in told["runs"]
        if run["recognized_only"]
    ]
    if recognized:
        count = told["runs"][0]["recognized_only"]["examples"]
        text = f"The {count:,} drawings that the game recognised, alone:"
        parts += [Paragraph(text), Table(head, recognized)]
    if unseen := told["classes_without_drawings"]:
        text = (
            f"The split has no drawing of {', '.join(unseen)}: macro top-1 is the mean "
            "of the other classes."
        )
        parts.append(Paragraph(text))
    if told["kind"] == schema.BITMAP:
        text = "The drawings are bitmaps: they have no points, and no first ones."
        parts.append(Paragraph(text))
    parts.append(Table((), list(METRICS.values())))
    note = (
        "Under each number its 95 % interval: what other drawings of the same kind "
        f"would give, by {REPLICATES:,} replicates of the Poisson bootstrap."
    )
    return Section("Metrics", parts, note)


def _row(name: str, told: Told) -> list[str | Cell]:
    return [
        name,
        *(
            with_interval(told[metric], told["intervals"][metric], metric != "loss")
            for metric in METRICS
        ),
    ]


def _parts(told: Told, plots: Plots) -> list[Section]:
    """The curve that says how early each run can guess."""
    if not told["partial_drawings"]:
        return []
    series = {
        run["name"]: (
            [row["part"] for row in run["partial"]],
            [point(row) for row in run["partial"]],
        )
        for run in told["runs"]
    }
    note = (
        f"Of {told['partial_drawings']:,} drawings, picked by a hash of their keys. A "
        "drawing in progress is its first points, simplified and scaled to the whole "
        "box again, as a server does with what it is sent."
    )
    head = ["run", *(f"{part:.0%}" for part in _of_first(told))]
    rows = [
        [
            run["name"],
            *(with_interval(r["top1"], r["intervals"]["top1"]) for r in run["partial"]),
        ]
        for run in told["runs"]
    ]
    svg = evaluation_plots.by_part(series)
    frame = plots.frame("partial", "Top-1 by the part that is seen", svg)
    body = Columns([frame, Table(head, rows)])
    return [Section("How early", [body], note)]


def _of_first(told: Told) -> list[float]:
    return [row["part"] for row in told["runs"][0]["partial"]]


def _breakdowns(told: Told, plots: Plots) -> list[Section]:
    """Top-1 of parts of the drawings, as plots and as tables."""
    runs = told["runs"]
    frames, tables = [], []
    for name, (file, title) in GROUPS.items():
        groups = runs[0]["breakdowns"].get(name)
        if not groups:
            continue
        series = {run["name"]: told_points(run["breakdowns"][name]) for run in runs}
        plot = evaluation_plots.groups([group["group"] for group in groups], series)
        frames.append(plots.frame(file, title, plot))
        head = [title, "drawings", "run"]
        head += [METRICS[metric][0] for metric in IN_GROUPS]
        rows = [_group_row(run, name, place) for place in range(len(groups))
                for run in runs]  # fmt: skip
        tables.append(Table(head, rows))
    if not frames:
        return []
    note = "Of what is known of the drawings; the lines are 95 % intervals."
    body = [Columns(frames), *tables]
    return [Section("Parts of the drawings", body, note)]


def _group_row(run: Told, name: str, place: int) -> list[str | int | Cell]:
    group = run["breakdowns"][name][place]
    cells = [
        with_interval(group[metric], group["intervals"][metric], metric != "loss")
        for metric in IN_GROUPS
    ]
    return [group["group"], group["examples"], run["name"], *cells]


def _calibration(told: Told, plots: Plots) -> Section:
    series = {
        run["name"]: [
            (row["confidence"], row["top1"], row["drawings"])
            for row in run["calibration"]
        ]
        for run in told["runs"]
    }
    note = (
        "Of the guesses of which a model says 80 %, four of five should be right: on "
        "the dashed line. Above it a model is too modest, below it too sure."
    )
    plot = evaluation_plots.reliability(series)
    body = plots.frame("reliability", "Reliability", plot, wide=True)
    return Section("Calibration", [body], note)


def _learning(found: Found, plots: Plots) -> list[Section]:
    """What `history.json` says of the training."""
    runs = [run for run in found.contenders if run.history]
    if not runs:
        return []

    def series(name: str) -> dict[str, tuple[list[int], list[float]]]:
        rows = {run.name: run.history for run in runs}
        return {
            run: ([row["epoch"] for row in history], [row[name] for row in history])
            for run, history in rows.items()
        }

    top1 = evaluation_plots.curves(series("validation_top1"), "top-1")
    loss = evaluation_plots.curves(series("validation_loss"), "loss", series("loss"))
    frames = [
        plots.frame("learning-top1", "Top-1 on the validation split", top1),
        plots.frame("learning-loss", "Loss, dashed in training", loss),
    ]
    note = (
        "The loss in training is that of augmented drawings and smoothed labels, so it "
        "stays above the one on the validation split."
    )
    return [Section("Learning curves", [Columns(frames)], note)]
