"""`metrics.json` and the table: what they hold, and that it agrees."""

import json

import pytest

from rnn_model.evaluation import metrics_json

METRICS = {"top1", "top3", "top5", "map3", "macro_top1", "loss", "ece"}


@pytest.fixture(scope="module")
def report(found):
    # A number that is none would be no JSON.
    return json.loads(json.dumps(metrics_json.to_json(found), allow_nan=False))


def test_metrics_json_has_a_run_each(report, data_dir, trained_rnn):
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
        parts = [run, run["recognized_only"], *run["partial"]]
        for told in parts:
            assert set(told["intervals"]) == METRICS
        groups = [group for part in run["breakdowns"].values() for group in part]
        for told in (*parts, *groups):
            for name, (low, high) in told["intervals"].items():
                assert low <= told[name] <= high
        low, high = run["intervals"]["loss"]
        assert low < high


def test_parts_have_their_drawings(report):
    run = report["runs"][0]
    assert [part["part"] for part in run["partial"]] == [0.25, 0.5, 0.75, 1.0]
    assert {part["examples"] for part in run["partial"]} == {report["partial_drawings"]}
    for name in ("per_class", "calibration"):
        rows = run[name].values() if name == "per_class" else run[name]
        assert sum(row["drawings"] for row in rows) == run["examples"]
        hits = sum(row["drawings"] * row["top1"] for row in rows)
        assert hits == pytest.approx(run["top1"] * run["examples"])
    wrong = sum(pair["drawings"] for pair in run["confused"])
    assert wrong == pytest.approx((1 - run["top1"]) * run["examples"])


def test_a_pair_tells_the_difference(report):
    first, second = report["runs"]
    (pair,) = report["pairs"]
    assert (pair["first"], pair["second"]) == ("rnn", "mlp")
    assert set(pair["differences"]) == METRICS
    for name, told in pair["differences"].items():
        assert told["difference"] == pytest.approx(first[name] - second[name])
        low, high = told["interval"]
        assert low <= told["difference"] <= high
    alone = pair["only_first_right"] - pair["only_second_right"]
    gained = pair["differences"]["top1"]["difference"] * first["examples"]
    assert alone == pytest.approx(gained)
    assert 0 < pair["mcnemar_p"] <= 1


def test_the_table_has_a_line_a_run(report):
    head, rule, rnn, mlp = metrics_json.table(report).splitlines()
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


def test_training_time_is_in_minutes_and_seconds():
    assert metrics_json.minutes(3723.6) == "62:04 min"


@pytest.mark.parametrize(
    ("hits", "drawings", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (10, 10, 0.7225, 1),
        (0, 1, 0, 0.7935),
        (50, 100, 0.4038, 0.5962),
    ],
)
def test_the_interval_of_a_class(hits, drawings, low, high):
    found = metrics_json.wilson(hits, drawings)
    assert found == pytest.approx((low, high), abs=1e-4)
