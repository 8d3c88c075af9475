"""An evaluation as `metrics.json`, and as a table of text."""

import math
from typing import Any

import numpy as np

from pipeline.report.text_table import format_table
from rnn_model.evaluation import metrics, subgroups
from rnn_model.evaluation.bootstrap import interval
from rnn_model.evaluation.compare_runs import Found
from rnn_model.evaluation.mcnemar import Pair
from rnn_model.evaluation.metrics import MetricSums

MOST_CONFUSED = 20

NORMAL = 1.959964
"""So many standard deviations to each side hold 95 % of a normal distribution."""

Columns = dict[str, np.ndarray]
"""Metrics by name, `<float64>[bootstrap.COLUMNS]` each."""


def to_json(found: Found) -> dict[str, Any]:
    """What `metrics.json` holds; README.md tells what is what."""
    return {
        "split": found.split,
        "data_dir": found.data_dir,
        "kind": found.info.kind,
        "classes_without_drawings": found.unseen,
        "partial_drawings": found.sampled,
        "runs": [_run(found, place) for place in range(len(found.contenders))],
        "pairs": [_pair(found, *runs, pair) for runs, pair in found.pairs.items()],
    }


def _run(found: Found, place: int) -> dict[str, Any]:
    run, scorecard = found.contenders[place], found.scorecards[place]
    speed = run.drawings_per_second
    return {
        "name": run.name,
        "workdir": run.workdir,
        "model": run.model,
        "parameters": run.parameters,
        "epochs": len(run.history),
        "train_seconds": run.train_seconds,
        "train_drawings_per_second": None if math.isnan(speed) else speed,
        "milliseconds_alone": found.milliseconds[place],
        **_told(scorecard.all),
        "recognized_only": _told(scorecard.recognized),
        "breakdowns": {
            name: [_group(group) for group in groups]
            for name, groups in scorecard.breakdowns.groups().items()
        },
        "partial": [
            {"part": part} | _told(sums[place]) for part, sums in found.partial.items()
        ],
        "calibration": _calibration(scorecard.all),
        "per_class": _per_class(found.info.classes, scorecard.all),
        "confused": [
            {
                "drawn": found.info.classes[pair.drawn],
                "guessed": found.info.classes[pair.guessed],
                "drawings": pair.drawings,
                "share": pair.share,
            }
            for pair in scorecard.confusion.most_confused(MOST_CONFUSED)
        ],
    }


def _told(sums: MetricSums) -> dict[str, Any]:
    """Metrics with their intervals; empty without a drawing."""
    if not sums.examples:
        return {}
    return _estimates(sums.metrics()) | {"examples": sums.examples}


def _estimates(columns: Columns) -> dict[str, Any]:
    return {name: float(values[0]) for name, values in columns.items()} | {
        "intervals": {name: interval(values) for name, values in columns.items()}
    }


def _group(group: subgroups.Group) -> dict[str, Any]:
    told = _estimates(metrics.means(group.sums))
    return {"group": group.name, "examples": round(group.sums[0, 0])} | told


def _calibration(sums: MetricSums) -> list[dict[str, Any]]:
    """The bins that hold a drawing."""
    bins = []
    for number, (count, confidence, right) in enumerate(sums.calibration()):
        if count[0]:
            bins.append(
                {
                    "up_to": (number + 1) / metrics.BINS,
                    "drawings": round(count[0]),
                    "confidence": float(confidence[0] / count[0]),
                    "top1": float(right[0] / count[0]),
                }
            )
    return bins


def _per_class(classes: tuple[str, ...], sums: MetricSums) -> dict[str, Any]:
    """Of the classes that have a drawing."""
    return {
        word: {
            "drawings": round(drawings),
            "top1": float(hits / drawings),
            "interval": wilson(hits, drawings),
        }
        for word, (drawings, hits) in zip(classes, sums.per_class()[..., 0])
        if drawings
    }


def wilson(hits: float, drawings: float) -> tuple[float, float]:
    """The 95 % interval of a share of so few drawings that a bootstrap misleads.

    Of one drawing, guessed right, every replicate says 100 %. Wilson's score interval,
    https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval.
    """
    share, square = hits / drawings, NORMAL**2 / drawings
    middle = share + square / 2
    half = NORMAL * math.sqrt((share * (1 - share) + square / 4) / drawings)
    low, high = (middle - half) / (1 + square), (middle + half) / (1 + square)
    return float(min(low, share)), float(max(high, share))


def _pair(found: Found, one: int, other: int, pair: Pair) -> dict[str, Any]:
    test = pair.test()
    return {
        "first": found.contenders[one].name,
        "second": found.contenders[other].name,
        "differences": {
            name: {"difference": float(values[0]), "interval": interval(values)}
            for name, values in differences(found, one, other).items()
        },
        "both_right": pair.both,
        "only_first_right": pair.only_first,
        "only_second_right": pair.only_second,
        "neither_right": pair.neither,
        "mcnemar_p": test.p_value,
        "mcnemar_exact": test.exact,
    }


def differences(found: Found, one: int, other: int) -> Columns:
    """The first run's metrics less the second's, replicate by replicate."""
    first, second = (found.scorecards[place].all.metrics() for place in (one, other))
    return {name: first[name] - second[name] for name in first}


def table(report: dict[str, Any]) -> str:
    """Lays what `to_json` gives out as lines of text, a run each."""
    head = (
        "run",
        "model",
        "parameters",
        "top-1",
        "top-3",
        "MAP@3",
        "macro",
        "training",
    )
    rows = [
        (
            run["name"],
            run["model"],
            run["parameters"],
            run["top1"],
            run["top3"],
            run["map3"],
            run["macro_top1"],
            minutes(run["train_seconds"]),
        )
        for run in report["runs"]
    ]
    return format_table(head, rows)


def minutes(seconds: float) -> str:
    return "{}:{:02d} min".format(*divmod(round(seconds), 60))
