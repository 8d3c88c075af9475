"""The report on runs: its numbers, its files, its table."""

import json
import shutil

import numpy as np
import pytest

from rnn_model import evaluation, input_pipeline
from rnn_model.workdir import Workdir
from tests.rnn_model.metrics_test import plain_metrics

METRICS = {"top1", "top3", "map3", "macro_top1", "loss", "examples"}


@pytest.fixture(scope="module")
def report(data_dir, trained_rnn, trained_mlp, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "new"
    runs = [str(trained_rnn), f"{trained_mlp}/"]
    report = evaluation.evaluate_runs(runs, str(data_dir), "test", str(folder))
    assert report == json.loads((folder / "metrics.json").read_text())
    return report


def test_metrics_json_has_a_run_each(report, data_dir, trained_rnn):
    assert set(report) == {"split", "data_dir", "runs"}
    assert (report["split"], report["data_dir"]) == ("test", str(data_dir))
    assert [run["name"] for run in report["runs"]] == ["rnn", "mlp"]
    first = report["runs"][0]
    assert first["workdir"] == str(trained_rnn)
    assert set(first) == METRICS | {
        "name",
        "workdir",
        "model",
        "parameters",
        "epochs",
        "train_seconds",
    }
    assert (first["model"], first["epochs"]) == ("rnn", 1)
    assert first["train_seconds"] > 0


def test_all_runs_are_evaluated_on_the_same_drawings(report, data_dir):
    examples = input_pipeline.load_info(str(data_dir)).split("test").examples
    assert [run["examples"] for run in report["runs"]] == [examples, examples]


def test_the_numbers_are_those_of_a_plain_computation(report, data_dir, trained_rnn):
    model = Workdir(str(trained_rnn)).load_best()
    info = input_pipeline.load_info(str(data_dir))
    logits, labels = [], []
    for batch in input_pipeline.evaluation_batches(info, str(data_dir), "test", 1):
        ink, length = batch["ink"], batch["length"]
        logits.append(model({"ink": ink, "length": length}, training=False).numpy())
        labels.append(batch["class_index"].numpy())
    expected = plain_metrics(np.concatenate(logits), np.concatenate(labels))
    run = report["runs"][0]
    assert {name: run[name] for name in METRICS} == pytest.approx(expected, abs=1e-5)
    assert run["parameters"] == model.count_params()


@pytest.mark.parametrize("batch_size", [1, 5, 256])
def test_batch_size_and_repetition_change_nothing(
    report, data_dir, trained_mlp, batch_size
):
    logits_of = evaluation.logits_function(Workdir(str(trained_mlp)).load_best())
    info = input_pipeline.load_info(str(data_dir))
    result = evaluation.evaluate(logits_of, info, str(data_dir), "test", batch_size)
    run = report["runs"][1]
    assert result == pytest.approx({name: run[name] for name in METRICS}, abs=1e-6)


def test_validation_in_training_is_this_evaluation(data_dir, trained_mlp):
    logits_of = evaluation.logits_function(Workdir(str(trained_mlp)).load_best())
    info = input_pipeline.load_info(str(data_dir))
    result = evaluation.evaluate(logits_of, info, str(data_dir), "validation")
    (row,) = Workdir(str(trained_mlp)).history()
    assert result["loss"] == pytest.approx(row["validation_loss"], abs=1e-6)
    assert result["top1"] == row["validation_top1"]
    assert result["top3"] == row["validation_top3"]


def test_the_table_has_a_line_a_run(report):
    head, rule, rnn, mlp = evaluation.table(report).splitlines()
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


def test_training_time_is_in_minutes_and_seconds(report):
    run = report["runs"][0] | {"train_seconds": 3723.6}
    assert evaluation.table({"runs": [run]}).endswith("62:04 min")


def test_other_classes_are_refused_by_name(data_dir, trained_mlp, tmp_path):
    run = shutil.copytree(trained_mlp, tmp_path / "run")
    (run / "classes.txt").write_text("circle\nclock\nenvelope\nzebra\n")
    with pytest.raises(ValueError, match=r"other classes.*: flower, zebra only in one"):
        evaluation.evaluate_runs([str(run)], str(data_dir), "test", str(tmp_path))
    assert not (tmp_path / "metrics.json").exists()


def test_another_order_of_classes_is_refused(data_dir, trained_mlp, tmp_path):
    run = shutil.copytree(trained_mlp, tmp_path / "run")
    (run / "classes.txt").write_text("flower\nclock\nenvelope\ncircle\n")
    with pytest.raises(ValueError, match="the same in another order"):
        evaluation.evaluate_runs([str(run)], str(data_dir), "test", str(tmp_path))


def test_an_unknown_split_is_refused(data_dir, trained_mlp, tmp_path):
    with pytest.raises(ValueError, match="no split named 'dev'"):
        evaluation.evaluate_runs(
            [str(trained_mlp)], str(data_dir), "dev", str(tmp_path)
        )


def test_a_split_without_drawings_is_refused(data_dir, trained_mlp, tmp_path):
    folder = shutil.copytree(data_dir, tmp_path / "data")
    info = json.loads((folder / "dataset_info.json").read_text())
    info["splits"]["empty"] = {"shards": [], "class_counts": [0, 0, 0, 0]}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    with pytest.raises(ValueError, match="the split empty has no drawing"):
        evaluation.evaluate_runs(
            [str(trained_mlp)], str(folder), "empty", str(tmp_path)
        )
