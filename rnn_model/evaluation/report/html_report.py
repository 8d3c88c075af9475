"""The HTML report of an evaluation, and its plots as PNG files."""

from typing import Any, NamedTuple

from pipeline.report.page import (
    Cell,
    Columns,
    Element,
    Paragraph,
    Section,
    Table,
    Tile,
    render_page,
)
from rnn_model.evaluation import subgroups
from rnn_model.evaluation.bootstrap import REPLICATES
from rnn_model.evaluation.compare_runs import ComparisonResult
from rnn_model.evaluation.report import pair_sections, plots, run_sections
from rnn_model.evaluation.report.formatting import (
    PlotCollection,
    format_difference,
    format_interval,
    get_estimate,
)
from rnn_model.evaluation.unknown_words import KNOWN_SHARE, compute_roc
from tfrecords import schema

METRICS = {
    "top1": ("top-1", "share of drawings whose class is predicted first"),
    "top3": ("top-3", "share whose class is among the first three predictions"),
    "top5": ("top-5", "share whose class is among the first five predictions"),
    "map3": (
        "MAP@3",
        "mean of 1, ½, ⅓ or 0 for a class at rank 1, 2, 3 or below, as in Kaggle's "
        "Quick, Draw! competition",
    ),
    "macro_top1": ("macro top-1", "unweighted mean of the classes' top-1"),
    "loss": ("loss", "mean cross-entropy in nats; lower is better"),
    "ece": (
        "ECE",
        "expected calibration error: mean difference of confidence and top-1 over 15 "
        "bins of the confidence (Guo et al., 2017); lower is better",
    ),
}
"""Name and explanation of each metric."""

SUBGROUP_METRICS = ("top1", "top3", "top5", "map3", "loss")

SUBGROUPS = {
    subgroups.RECOGNIZED: "Recognized by the game",
    subgroups.NUMBER_OF_POINTS: "Number of points",
    subgroups.COUNTRY: "Country",
}
"""Title of each attribute that defines subgroups."""


class ReportPage(NamedTuple):
    """The page as HTML and its plots as PNG by file name."""

    html: str
    plots: dict[str, bytes]


def build_page(result: ComparisonResult, report: dict[str, Any]) -> ReportPage:
    """Builds the page of an evaluation.

    Args:
      result: the result, with the example drawings.
      report: the content of `metrics.json`.
    """
    collection = PlotCollection()
    sections = [
        _metrics_section(report),
        *pair_sections.build_sections(result, report, collection),
        *_partial_sections(report, collection),
        *_unknown_word_sections(result, report, collection),
        *_subgroup_sections(report, collection),
        _calibration_section(report, collection),
        *_learning_curve_sections(result, collection),
        *run_sections.build_sections(result, report, collection),
    ]
    names = [run["name"] for run in report["runs"]]
    title = names[0] if len(names) == 1 else f"Comparison of {len(names)} runs"
    examples = report["runs"][0]["examples"]
    lead = f"{examples:,} drawings of the split {result.split} of {result.data_dir}"
    if len(names) > 1:
        lead += f", the same for {', '.join(names)}"
    html = render_page(title, f"{lead}.", _build_tiles(result, report), sections)
    return ReportPage(html, collection.png_files)


def _build_tiles(result: ComparisonResult, report: dict[str, Any]) -> list[Tile]:
    best = max(report["runs"], key=lambda run: run["top1"])
    suffix = f", {best['name']}" if len(report["runs"]) > 1 else ""
    tiles = []
    for metric in ("top1", "top3", "map3"):
        value, low, high = get_estimate(best, metric)
        label = METRICS[metric][0] + suffix
        tiles.append(Tile(f"{value:.1%}", label, f"{low:.1%} to {high:.1%}"))
    return [
        *tiles,
        Tile(f"{best['examples']:,}", "drawings", f"split {result.split}"),
        Tile(f"{len(result.info.classes):,}", "classes"),
        Tile(f"{best['milliseconds_alone']:.1f} ms", f"latency{suffix}"),
    ]


def _metrics_section(report: dict[str, Any]) -> Section:
    """Lists all metrics of all runs, on all drawings and on the recognized ones."""
    runs = report["runs"]
    head = ["run", *(name for name, _ in METRICS.values())]
    parts: list[Element] = [
        Table(head, [_metrics_row(run["name"], run) for run in runs])
    ]
    if recognized := runs[0]["recognized_only"]:
        text = f"On the {recognized['examples']:,} drawings that the game recognized:"
        rows = [_metrics_row(run["name"], run["recognized_only"]) for run in runs]
        parts += [Paragraph(text), Table(head, rows)]
    if missing := report["classes_without_drawings"]:
        text = (
            f"The split has no drawings of {', '.join(missing)}; macro top-1 is the "
            "mean of the other classes."
        )
        parts.append(Paragraph(text))
    if report["kind"] == schema.BITMAP:
        text = "Bitmaps have no points, so partial drawings are not evaluated."
        parts.append(Paragraph(text))
    parts.append(Table((), list(METRICS.values())))
    note = (
        "Below each number is its 95 % confidence interval, from "
        f"{REPLICATES:,} replicates of the Poisson bootstrap."
    )
    return Section("Metrics", parts, note)


def _metrics_row(name: str, row: dict[str, Any]) -> list[str | Cell]:
    return [name, *(format_interval(row, metric) for metric in METRICS)]


def _partial_sections(
    report: dict[str, Any], collection: PlotCollection
) -> list[Section]:
    """Shows top-1 and mean confidence on parts of the drawings."""
    if not report["partial_drawings"]:
        return []
    runs = report["runs"]
    parts = [row["part"] for row in runs[0]["partial"]]
    top1 = {run["name"]: [get_estimate(row) for row in run["partial"]] for run in runs}
    confidence = {
        run["name"]: [row["mean_confidence"] for row in run["partial"]] for run in runs
    }
    plot = plots.plot_parts(parts, top1, confidence)
    figure = collection.add("partial", "Top-1, dashed: mean confidence", plot)
    head = ["run", *(f"{part:.0%}" for part in parts)]
    rows = [
        [
            Cell(run["name"], name),
            *(format_interval(row, key) for row in run["partial"]),
        ]
        for run in runs
        for key, name in (("top1", "top-1"), ("mean_confidence", "mean confidence"))
    ]
    note = (
        f"On {report['partial_drawings']:,} drawings, chosen by a hash of their keys. "
        "The first points of a drawing are simplified and scaled to the full box, as a "
        "server does with the strokes that it receives."
    )
    body: list[Element] = [Columns([figure, Table(head, rows)])]
    differences: list[list[str | Cell]] = [
        [
            f"{pair['first']} − {pair['second']}",
            *(format_difference(row["top1"]) for row in pair["partial"]),
        ]
        for pair in report["pairs"]
    ]
    if differences:
        head = ["difference in top-1, percentage points", *head[1:]]
        body.append(Table(head, differences))
    return [Section("Partial drawings", body, note)]


def _unknown_word_sections(
    result: ComparisonResult, report: dict[str, Any], collection: PlotCollection
) -> list[Section]:
    """Shows how well the confidence separates known from unknown words."""
    if result.unknown_words is None:
        return []
    unknown, runs = report["unknown_words"], report["runs"]
    curves = {}
    for run, run_metrics, histogram in zip(
        result.runs, result.run_metrics, result.unknown_words.histograms
    ):
        roc = compute_roc(run_metrics.confidence, histogram)
        curves[run.name] = (roc.unknown.tolist(), roc.known.tolist())
    figure = collection.add("unknown-words", "ROC curve", plots.plot_roc(curves))
    head = ["run", "AUROC", "threshold", "unknown drawings above it"]
    rows = [
        [
            run["name"],
            format_interval(run["unknown_words"], "auroc"),
            run["unknown_words"]["threshold"],
            format_interval(run["unknown_words"], "accepted"),
        ]
        for run in runs
    ]
    body: list[Element] = [Columns([figure, Table(head, rows)])]
    differences: list[list[str | Cell]] = [
        [
            f"{pair['first']} − {pair['second']}",
            format_difference(pair["unknown_words"]["auroc"]),
        ]
        for pair in report["pairs"]
    ]
    if differences:
        body.append(
            Table(["runs", "difference in AUROC, percentage points"], differences)
        )
    words = unknown["words"]
    names = ", ".join(words[:10]) + (", …" if len(words) > 10 else "")
    note = (
        f"The confidences for {unknown['drawings']:,} drawings of {len(words)} words "
        f"that the runs do not know ({names}), compared with those for all drawings "
        "above. AUROC is the probability that a drawing of a known word has the higher "
        f"confidence. {KNOWN_SHARE:.0%} of the known drawings are above the threshold."
    )
    return [Section("Unknown words", body, note)]


def _subgroup_sections(
    report: dict[str, Any], collection: PlotCollection
) -> list[Section]:
    """Shows the metrics of subgroups of the drawings."""
    runs = report["runs"]
    figures, tables = [], []
    for attribute, title in SUBGROUPS.items():
        if attribute not in runs[0]["breakdowns"]:
            continue
        by_run = {run["name"]: run["breakdowns"][attribute] for run in runs}
        names = [row["group"] for row in runs[0]["breakdowns"][attribute]]
        top1 = {
            run: [get_estimate(row) for row in rows] for run, rows in by_run.items()
        }
        plot = plots.plot_subgroups(names, top1)
        figures.append(collection.add(attribute, title, plot))
        head = [title, "drawings", "run"]
        head += [METRICS[metric][0] for metric in SUBGROUP_METRICS]
        table_rows = [
            _subgroup_row(run, rows[index])
            for index in range(len(names))
            for run, rows in by_run.items()
        ]
        tables.append(Table(head, table_rows))
    if not figures:
        return []
    body = [Columns(figures), *tables]
    return [Section("Subgroups", body, "Top-1 with 95 % confidence intervals.")]


def _subgroup_row(run: str, row: dict[str, Any]) -> list[str | int | Cell]:
    cells = [format_interval(row, metric) for metric in SUBGROUP_METRICS]
    return [row["group"], row["examples"], run, *cells]


def _calibration_section(report: dict[str, Any], collection: PlotCollection) -> Section:
    series = {
        run["name"]: [
            (row["confidence"], row["top1"], row["drawings"])
            for row in run["calibration"]
        ]
        for run in report["runs"]
    }
    note = (
        "The predictions of a calibrated model are on the dashed line: of those with a "
        "confidence of 80 %, four in five are correct. Points below the line show "
        "overconfidence."
    )
    plot = plots.plot_reliability(series)
    body = collection.add("reliability", "Reliability diagram", plot, wide=True)
    return Section("Calibration", [body], note)


def _learning_curve_sections(
    result: ComparisonResult, collection: PlotCollection
) -> list[Section]:
    """Shows the training history of the runs."""
    runs = [run for run in result.runs if run.history]
    if not runs:
        return []

    def series(column: str) -> dict[str, tuple[list[int], list[float]]]:
        return {
            run.name: (
                [row["epoch"] for row in run.history],
                [row[column] for row in run.history],
            )
            for run in runs
        }

    top1 = plots.plot_learning_curves(series("validation_top1"), "top-1")
    loss = plots.plot_learning_curves(series("validation_loss"), "loss", series("loss"))
    figures = [
        collection.add("learning-top1", "Validation top-1", top1),
        collection.add("learning-loss", "Validation loss, dashed: training loss", loss),
    ]
    note = (
        "The training loss is computed on augmented drawings with label smoothing, so "
        "it may be higher than the validation loss."
    )
    return [Section("Learning curves", [Columns(figures)], note)]
