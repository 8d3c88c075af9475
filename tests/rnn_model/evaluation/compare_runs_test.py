"""Runs side by side: the same drawings for each, and what is refused."""

import json
import shutil
import tracemalloc

import numpy as np
import pytest

from rnn_model import input_pipeline
from rnn_model.evaluation import compare_runs, evaluator
from rnn_model.workdir import Workdir


def evaluated(runs, data_dir, split="test", **settings):
    return compare_runs.evaluate_runs(
        list(map(str, runs)), str(data_dir), split, **settings
    )


def test_each_run_has_the_metrics_of_its_own_evaluation(found, data_dir):
    for run, scorecard in zip(found.contenders, found.scorecards):
        expected = evaluator.evaluate(run.logits_of, found.info, str(data_dir), "test")
        assert scorecard.all.result() == pytest.approx(expected, abs=1e-6)
    assert [run.name for run in found.contenders] == ["rnn", "mlp"]


def test_parts_add_up_to_the_whole(found):
    examples = found.info.split("test").examples
    for scorecard in found.scorecards:
        assert scorecard.all.examples == examples
        assert scorecard.confusion.matrix.sum() == examples
        hits = scorecard.all.metrics()["top1"][0] * examples
        assert np.trace(scorecard.confusion.matrix) == pytest.approx(hits)
        groups = scorecard.breakdowns.groups()
        assert set(groups) == {"recognized", "country", "points"}
        for parts in groups.values():
            # Of the drawings themselves, and of every replicate.
            total = sum(group.sums[0] for group in parts)
            np.testing.assert_array_equal(total, parts[0].sums[0] * 0 + total)
            assert total[0] == examples
        recognised = groups["recognized"][0]
        assert recognised.name == "recognised"
        assert recognised.sums[0, 0] == scorecard.recognized.examples
    pair = found.pairs[0, 1]
    assert pair.both + pair.only_first + pair.only_second + pair.neither == examples


def test_replicates_of_all_runs_count_the_same_drawings(found):
    one, other = (card.all.per_class()[:, 0] for card in found.scorecards)
    np.testing.assert_array_equal(one, other)
    assert one[:, 1:].std() > 0


def test_galleries_show_drawings_with_the_runs_own_answers(found, data_dir):
    (rnn, mlp), info = found.contenders, found.info
    keys = {}
    for batch in input_pipeline.evaluation_batches(info, str(data_dir), "test", 1):
        keys[batch["key_id"].numpy()[0].decode()] = batch
    card, pair = found.scorecards[1], found.pairs[0, 1]
    shown = {
        "right": card.right.best(99),
        "wrong": card.wrong.best(99),
        "first": pair.first_gets.best(99),
        "second": pair.second_gets.best(99),
    }
    for kind, drawings in shown.items():
        for drawing in drawings:
            batch = keys[drawing.key]
            assert drawing.label == batch["class_index"].numpy()[0]
            np.testing.assert_array_equal(drawing.drawing, batch["ink"].numpy()[0])
            runs = (rnn, mlp) if kind in ("first", "second") else (mlp,)
            first = []
            for run, answer in zip(runs, drawing.answers):
                logits = run.logits_of(batch["ink"], batch["length"]).numpy()[0]
                assert answer[0][0] == logits.argmax()
                first.append(answer[0][0] == drawing.label)
            right = {"right": [True], "wrong": [False]}
            right |= {"first": [True, False], "second": [False, True]}
            assert first == right[kind]
    examples = info.split("test").examples
    kept = len(shown["right"]) + len(shown["wrong"])
    assert kept == min(examples, kept)
    assert len(shown["first"]) == min(pair.only_first, len(shown["first"]))


def test_drawings_in_progress_end_with_the_whole_ones(data_dir, trained_mlp):
    found = evaluated([trained_mlp], data_dir)
    examples = found.info.split("test").examples
    assert found.sampled == examples
    whole = found.partial[1.0][0].metrics()
    for name, values in found.scorecards[0].all.metrics().items():
        np.testing.assert_allclose(whole[name], values, atol=1e-5)
    assert found.pairs == {}


def test_bitmaps_are_evaluated_without_what_they_do_not_have(
    bitmap_data_dir, trained_mlp
):
    found = evaluated([trained_mlp], bitmap_data_dir)
    assert found.partial == {}
    assert found.sampled == 0
    scorecard = found.scorecards[0]
    assert scorecard.breakdowns.groups() == {}
    drawings = scorecard.right.best(9) + scorecard.wrong.best(9)
    assert all(shown.is_bitmap for shown in drawings)
    assert found.milliseconds[0] > 0


def test_runs_of_one_name_are_told_apart(data_dir, trained_mlp, tmp_path):
    other = shutil.copytree(trained_mlp, tmp_path / "other" / "mlp")
    found = evaluated([trained_mlp, other], data_dir, partial_drawings=0)
    assert [run.name for run in found.contenders] == [str(trained_mlp), str(other)]
    pair = found.pairs[0, 1]
    assert pair.only_first == pair.only_second == 0
    assert found.partial == {}


def test_a_run_that_is_given_twice_is_refused(data_dir, trained_mlp):
    with pytest.raises(ValueError, match="mlp is given twice"):
        evaluated([trained_mlp, f"{trained_mlp}/"], data_dir)


def test_other_classes_are_refused_by_name(data_dir, trained_mlp, tmp_path):
    run = shutil.copytree(trained_mlp, tmp_path / "run")
    (run / "classes.txt").write_text("circle\nclock\nenvelope\nzebra\n")
    with pytest.raises(ValueError, match=r"other classes.*: flower, zebra only in one"):
        evaluated([run], data_dir)


def test_another_order_of_classes_is_refused(data_dir, trained_mlp, tmp_path):
    run = shutil.copytree(trained_mlp, tmp_path / "run")
    (run / "classes.txt").write_text("flower\nclock\nenvelope\ncircle\n")
    with pytest.raises(ValueError, match="the same in another order"):
        evaluated([run], data_dir)


def test_an_unknown_split_is_refused(data_dir, trained_mlp):
    with pytest.raises(ValueError, match="no split named 'dev'"):
        evaluated([trained_mlp], data_dir, "dev")


def test_a_run_without_a_checkpoint_is_refused(data_dir, trained_mlp, tmp_path):
    run = shutil.copytree(trained_mlp, tmp_path / "run")
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(ValueError, match="has no checkpoint"):
        evaluated([trained_mlp, run], data_dir)


def test_a_split_without_drawings_is_refused(data_dir, trained_mlp, tmp_path):
    folder = shutil.copytree(data_dir, tmp_path / "data")
    info = json.loads((folder / "dataset_info.json").read_text())
    info["splits"]["empty"] = {"shards": [], "class_counts": [0, 0, 0, 0]}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    with pytest.raises(ValueError, match="the split empty has no drawing"):
        evaluated([trained_mlp], folder, "empty")


def test_parameters_are_counted(found, trained_rnn):
    model = Workdir(str(trained_rnn)).load_best()
    assert found.contenders[0].parameters == model.count_params()


def test_memory_does_not_grow_with_the_drawings(found, data_dir, monkeypatch):
    monkeypatch.setattr(compare_runs, "CHUNK", 64)
    survey = compare_runs.Pass(found.info, found.contenders, sample=20, seed=0)
    batches = input_pipeline.evaluation_batches(found.info, str(data_dir), "train", 32)
    batches = list(batches)
    drawings = found.info.split("train").examples
    held = []
    tracemalloc.start()
    try:
        for _ in range(3):
            assert sum(survey.over(3 * batches)) == 3 * drawings
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert survey.scorecards[0].all.examples == 9 * drawings
    # A drawing's ink alone is 500 bytes, its weights 4,000.
    assert held[2] - held[0] < 100 * 6 * drawings
