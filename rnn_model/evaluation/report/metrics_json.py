"""The result of an evaluation as `metrics.json` and as a text table."""

import math
from typing import Any

import numpy as np
from scipy import stats

from pipeline.report.text_table import format_table
from rnn_model.evaluation import metrics
from rnn_model.evaluation.bootstrap import confidence_interval
from rnn_model.evaluation.compare_runs import ComparisonResult
from rnn_model.evaluation.mcnemar import mcnemar_test
from rnn_model.evaluation.metrics import MetricSums
from rnn_model.evaluation.run_metrics import PairCounts, RunPair
from rnn_model.evaluation.subgroups import Subgroup
from rnn_model.evaluation.unknown_words import RocCurve, UnknownWords, compute_roc

MAX_CONFUSED_PAIRS = 20

Columns = dict[str, np.ndarray]
"""Metrics by name, `<float64>[bootstrap.COLUMNS]` each."""


def to_json(result: ComparisonResult) -> dict[str, Any]:
    """Converts a result to the content of `metrics.json`."""
    return {
        "split": result.split,
        "data_dir": result.data_dir,
        "kind": result.info.kind,
        "classes_without_drawings": result.classes_without_drawings,
        "partial_drawings": result.num_partial,
        "unknown_words": _unknown_words_to_json(result.unknown_words),
        "runs": [_run_to_json(result, index) for index in range(len(result.runs))],
        "pairs": [
            _pair_to_json(result, *indices, pair)
            for indices, pair in result.pairs.items()
        ],
    }


def _run_to_json(result: ComparisonResult, index: int) -> dict[str, Any]:
    run, run_metrics = result.runs[index], result.run_metrics[index]
    speed = run.train_drawings_per_second
    classes = result.info.classes
    return {
        "name": run.name,
        "workdir": run.workdir,
        "model": run.model_name,
        "parameters": run.num_parameters,
        "epochs": len(run.history),
        "train_seconds": run.train_seconds,
        "train_drawings_per_second": None if math.isnan(speed) else speed,
        "milliseconds_alone": result.latencies_ms[index],
        **_metrics_to_json(run_metrics.all),
        "recognized_only": _metrics_to_json(run_metrics.recognized),
        "breakdowns": {
            attribute: [_subgroup_to_json(subgroup) for subgroup in subgroups]
            for attribute, subgroups in run_metrics.subgroups.by_attribute().items()
        },
        "partial": [
            {"part": part} | _part_to_json(sums[index])
            for part, sums in result.partial.items()
        ],
        "unknown_words": _roc_to_json(_compute_roc(result, index)),
        "calibration": _calibration_to_json(run_metrics.all),
        "per_class": _per_class_to_json(classes, run_metrics.all),
        "confused": [
            {
                "drawn": classes[pair.drawn],
                "guessed": classes[pair.predicted],
                "drawings": pair.drawings,
                "share": pair.share,
            }
            for pair in run_metrics.confusion.most_confused(MAX_CONFUSED_PAIRS)
        ],
    }


def _metrics_to_json(sums: MetricSums) -> dict[str, Any]:
    """Returns metrics with their intervals; empty without drawings."""
    if not sums.examples:
        return {}
    return _with_intervals(sums.compute()) | {"examples": sums.examples}


def _with_intervals(columns: Columns) -> dict[str, Any]:
    return {name: float(values[0]) for name, values in columns.items()} | {
        "intervals": {
            name: confidence_interval(values) for name, values in columns.items()
        }
    }


def _part_to_json(sums: MetricSums) -> dict[str, Any]:
    """Returns the metrics of a part, with the mean confidence."""
    count, confidence, _ = sums.calibration().sum(axis=0)
    with np.errstate(invalid="ignore"):
        columns = sums.compute() | {"mean_confidence": confidence / count}
    return _with_intervals(columns) | {"examples": sums.examples}


def _subgroup_to_json(subgroup: Subgroup) -> dict[str, Any]:
    means = metrics.compute_means(subgroup.sums)
    examples = round(subgroup.sums[0, 0])
    return {"group": subgroup.name, "examples": examples} | _with_intervals(means)


def _unknown_words_to_json(unknown: UnknownWords | None) -> dict[str, Any]:
    """Returns the facts of the drawings of unknown words; empty without any."""
    if unknown is None:
        return {}
    return {
        "data_dir": unknown.data_dir,
        "words": unknown.words,
        "drawings": unknown.examples,
    }


def _compute_roc(result: ComparisonResult, index: int) -> RocCurve | None:
    if result.unknown_words is None:
        return None
    known = result.run_metrics[index].confidence
    return compute_roc(known, result.unknown_words.histograms[index])


def _roc_to_json(roc: RocCurve | None) -> dict[str, Any]:
    """Returns how well the confidence separates known from unknown words.

    `accepted` is the share of the unknown drawings with a confidence above the
    threshold, which 95 % of the known drawings exceed.
    """
    if roc is None:
        return {}
    metrics = _with_intervals({"auroc": roc.auroc, "accepted": roc.accepted})
    return metrics | {"threshold": roc.threshold}


def _calibration_to_json(sums: MetricSums) -> list[dict[str, Any]]:
    """Returns the confidence bins that have drawings."""
    return [
        {
            "up_to": (index + 1) / metrics.CALIBRATION_BINS,
            "drawings": round(count),
            "confidence": float(confidence / count),
            "top1": float(correct / count),
        }
        for index, (count, confidence, correct) in enumerate(sums.calibration()[..., 0])
        if count
    ]


def _per_class_to_json(classes: tuple[str, ...], sums: MetricSums) -> dict[str, Any]:
    """Returns the top-1 of the classes that have drawings.

    The intervals are Wilson score intervals. A bootstrap would be misleading for few
    drawings: if a class has one drawing, every replicate has a top-1 of 0 or 1.
    """
    return {
        word: {
            "drawings": round(drawings),
            "top1": float(correct / drawings),
            "interval": wilson_interval(round(correct), round(drawings)),
        }
        for word, (drawings, correct) in zip(classes, sums.per_class()[..., 0])
        if drawings
    }


def wilson_interval(correct: int, drawings: int) -> tuple[float, float]:
    """Computes the 95 % Wilson score interval of a share."""
    interval = stats.binomtest(correct, drawings).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def _pair_to_json(
    result: ComparisonResult, first: int, second: int, pair: RunPair
) -> dict[str, Any]:
    one, other = result.run_metrics[first], result.run_metrics[second]
    has_recognized = one.recognized.examples
    return {
        "first": result.runs[first].name,
        "second": result.runs[second].name,
        **_differences_to_json(one.all, other.all, pair.all),
        "partial": [
            {
                "part": part,
                "top1": _difference_to_json(_top1_difference(sums, first, second)),
            }
            for part, sums in result.partial.items()
        ],
        "unknown_words": _auroc_difference_to_json(result, first, second),
        "recognized_only": (
            _differences_to_json(one.recognized, other.recognized, pair.recognized)
            if has_recognized
            else {}
        ),
    }


def _differences_to_json(
    first: MetricSums, second: MetricSums, counts: PairCounts
) -> dict[str, Any]:
    """Returns the paired differences, first minus second, and McNemar's test."""
    first_metrics, second_metrics = first.compute(), second.compute()
    differences = {
        name: values - second_metrics[name] for name, values in first_metrics.items()
    }
    return {
        "differences": {
            name: _difference_to_json(values) for name, values in differences.items()
        },
        "both_right": counts.both,
        "only_first_right": counts.only_first,
        "only_second_right": counts.only_second,
        "neither_right": counts.neither,
        "mcnemar_p": mcnemar_test(counts.only_first, counts.only_second),
        "mcnemar_exact": True,
    }


def _auroc_difference_to_json(
    result: ComparisonResult, first: int, second: int
) -> dict[str, Any]:
    one, other = _compute_roc(result, first), _compute_roc(result, second)
    if one is None or other is None:
        return {}
    return {"auroc": _difference_to_json(one.auroc - other.auroc)}


def _top1_difference(sums: list[MetricSums], first: int, second: int) -> np.ndarray:
    return sums[first].compute()["top1"] - sums[second].compute()["top1"]


def _difference_to_json(values: np.ndarray) -> dict[str, Any]:
    return {"difference": float(values[0]), "interval": confidence_interval(values)}


def format_runs(report: dict[str, Any]) -> str:
    """Formats the content of `metrics.json` as a text table, one line per run."""
    head = ["run", "model", "parameters", "top-1", "top-3", "MAP@3", "macro"]
    rows = [
        [
            run["name"],
            run["model"],
            run["parameters"],
            *(run[metric] for metric in ("top1", "top3", "map3", "macro_top1")),
            format_minutes(run["train_seconds"]),
        ]
        for run in report["runs"]
    ]
    return format_table([*head, "training"], rows)


def format_minutes(seconds: float) -> str:
    """Formats a duration, such as 62:04 min."""
    return "{}:{:02d} min".format(*divmod(round(seconds), 60))
