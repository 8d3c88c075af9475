"""`metrics.json` and the text table: content and consistency."""

import json

import pytest

from rnn_model.evaluation.report import metrics_json

METRICS = {"top1", "top3", "top5", "map3", "macro_top1", "loss", "ece"}


@pytest.fixture(scope="module")
def report(comparison):
    # allow_nan=False: NaN is not valid JSON.
    return json.loads(json.dumps(metrics_json.to_json(comparison), allow_nan=False))


def test_each_run_has_its_facts(report, data_dir, trained_rnn):
    assert (report["split"], report["data_dir"]) == ("test", str(data_dir))
    assert [run["name"] for run in report["runs"]] == ["rnn", "mlp"]
    first = report["runs"][0]
    assert first["workdir"] == str(trained_rnn)
    assert (first["model"], first["epochs"]) == ("rnn", 1)
    assert first["train_seconds"] > 0
    assert first["train_drawings_per_second"] > 0
    assert first["milliseconds_alone"] > 0
    assert report["classes_without_drawings"] == []


def test_every_metric_has_an_interval(report):
    for run in report["runs"]:
        parts = run["partial"]
        for row in (run, run["recognized_only"]):
            assert set(row["intervals"]) == METRICS
        for row in parts:
            assert set(row["intervals"]) == METRICS | {"mean_confidence"}
        subgroups = [row for rows in run["breakdowns"].values() for row in rows]
        for row in (run, run["recognized_only"], *parts, *subgroups):
            for name, (low, high) in row["intervals"].items():
                assert low <= row[name] <= high
        low, high = run["intervals"]["loss"]
        assert low < high


def test_counts_add_up(report):
    run = report["runs"][0]
    assert [row["part"] for row in run["partial"]] == [0.25, 0.5, 0.75, 1.0]
    assert {row["examples"] for row in run["partial"]} == {report["partial_drawings"]}
    for rows in (run["per_class"].values(), run["calibration"]):
        assert sum(row["drawings"] for row in rows) == run["examples"]
        correct = sum(row["drawings"] * row["top1"] for row in rows)
        assert correct == pytest.approx(run["top1"] * run["examples"])
    wrong = sum(pair["drawings"] for pair in run["confused"])
    assert wrong == pytest.approx((1 - run["top1"]) * run["examples"])


def test_mean_confidence_of_whole_drawings_is_that_of_the_bins(comparison):
    """Checked on the run with all drawings as partial ones."""
    sums = comparison.run_metrics[0].all
    row = metrics_json._part_to_json(sums)
    bins = metrics_json._calibration_to_json(sums)
    total = sum(one["drawings"] * one["confidence"] for one in bins)
    assert row["mean_confidence"] == pytest.approx(total / row["examples"])


@pytest.mark.parametrize("part", ["all", "recognized_only"])
def test_pair_has_the_differences_of_its_runs(report, part):
    pair, *runs = report["pairs"][0], *report["runs"]
    assert (pair["first"], pair["second"]) == ("rnn", "mlp")
    if part == "recognized_only":
        pair, *runs = (row[part] for row in (pair, *runs))
    first, second = runs
    assert set(pair["differences"]) == METRICS
    for name, row in pair["differences"].items():
        assert row["difference"] == pytest.approx(first[name] - second[name])
        low, high = row["interval"]
        assert low <= row["difference"] <= high
    net = pair["only_first_right"] - pair["only_second_right"]
    gained = pair["differences"]["top1"]["difference"] * first["examples"]
    assert net == pytest.approx(gained)
    total = net + 2 * pair["only_second_right"]
    assert total + pair["both_right"] + pair["neither_right"] == first["examples"]
    assert 0 < pair["mcnemar_p"] <= 1


def test_pair_has_the_differences_on_partial_drawings(report):
    (pair,) = report["pairs"]
    for row, first, second in zip(
        pair["partial"], *(run["partial"] for run in report["runs"]), strict=True
    ):
        assert row["part"] == first["part"] == second["part"]
        difference = first["top1"] - second["top1"]
        assert row["top1"]["difference"] == pytest.approx(difference)
        low, high = row["top1"]["interval"]
        assert low <= difference <= high


def test_unknown_words_have_auroc_and_threshold(report, unknown_data_dir):
    unknown = report["unknown_words"]
    assert unknown["data_dir"] == str(unknown_data_dir)
    assert len(unknown["words"]) == 2
    assert unknown["drawings"] > 0
    auroc = []
    for run in report["runs"]:
        row = run["unknown_words"]
        for name, (low, high) in row["intervals"].items():
            assert 0 <= low <= row[name] <= high <= 1
        assert 0 <= row["threshold"] < 1
        auroc.append(row["auroc"])
    row = report["pairs"][0]["unknown_words"]["auroc"]
    assert row["difference"] == pytest.approx(auroc[0] - auroc[1])
    low, high = row["interval"]
    assert low <= row["difference"] <= high


def test_unknown_words_are_optional(comparison):
    report = metrics_json.to_json(comparison._replace(unknown_words=None))
    rows = [report, *report["runs"], *report["pairs"]]
    assert all(row["unknown_words"] == {} for row in rows)


def test_table_has_one_line_per_run(report):
    head, rule, rnn, mlp = metrics_json.format_runs(report).splitlines()
    assert head.split() == (
        ["run", "model", "parameters", "top-1", "top-3", "MAP@3", "macro", "training"]
    )
    assert set(rule) == {"-"}
    assert len({len(line) for line in (head, rule, rnn, mlp)}) == 1
    first = report["runs"][0]
    cells = rnn.split()
    assert cells[:3] == ["rnn", "rnn", f"{first['parameters']:,}"]
    assert cells[3:7] == [
        f"{first[name]:.4f}" for name in ("top1", "top3", "map3", "macro_top1")
    ]
    assert mlp.startswith("mlp")


def test_training_time_has_minutes_and_seconds():
    assert metrics_json.format_minutes(3723.6) == "62:04 min"


@pytest.mark.parametrize(
    ("correct", "drawings", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (10, 10, 0.7225, 1),
        (0, 1, 0, 0.7935),
        (50, 100, 0.4038, 0.5962),
    ],
)
def test_wilson_interval(correct, drawings, low, high):
    interval = metrics_json.wilson_interval(correct, drawings)
    assert interval == pytest.approx((low, high), abs=1e-4)
