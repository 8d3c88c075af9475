"""Comparison of runs on the same drawings, and which inputs are refused."""

import json
import shutil
import tracemalloc

import numpy as np
import pytest

from rnn_model import input_pipeline
from rnn_model.evaluation import compare_runs, evaluator
from rnn_model.evaluation.run_metrics import GALLERY_SIZE
from rnn_model.workdir import Workdir


def compare(runs, data_dir, split="test", **settings):
    return compare_runs.compare_runs(
        list(map(str, runs)), str(data_dir), split, **settings
    )


def test_each_run_has_the_metrics_of_its_own_evaluation(comparison, data_dir):
    for run, run_metrics in zip(comparison.runs, comparison.run_metrics):
        expected = evaluator.evaluate_split(
            run.logits_fn, comparison.info, str(data_dir), "test"
        )
        assert run_metrics.all.result() == pytest.approx(expected, abs=1e-6)
    assert [run.name for run in comparison.runs] == ["rnn", "mlp"]


def test_sums_of_subgroups_add_up_to_the_whole(comparison):
    examples = comparison.info.split("test").examples
    for run_metrics in comparison.run_metrics:
        assert run_metrics.all.examples == examples
        assert run_metrics.confusion.counts.sum() == examples
        correct = run_metrics.all.compute()["top1"][0] * examples
        assert np.trace(run_metrics.confusion.counts) == pytest.approx(correct)
        # Number of drawings in each replicate.
        drawings = run_metrics.all.per_class()[:, 0].sum(axis=0)
        assert drawings[0] == examples
        subgroups = run_metrics.subgroups.by_attribute()
        assert set(subgroups) == {"recognized", "country", "points"}
        for groups in subgroups.values():
            total = sum(group.sums[0] for group in groups)
            np.testing.assert_array_equal(total, drawings)
        recognized = subgroups["recognized"][0]
        assert recognized.name == "recognized"
        assert recognized.sums[0, 0] == run_metrics.recognized.examples
    pair, recognized = comparison.pairs[0, 1].all, comparison.pairs[0, 1].recognized
    assert pair.both + pair.only_first + pair.only_second + pair.neither == examples
    total = recognized.both + recognized.only_first
    total += recognized.only_second + recognized.neither
    assert total == comparison.run_metrics[0].recognized.examples


def test_replicates_of_all_runs_have_the_same_weights(comparison):
    first, second = (
        run_metrics.all.per_class()[:, 0] for run_metrics in comparison.run_metrics
    )
    np.testing.assert_array_equal(first, second)
    assert first[:, 1:].std() > 0


def test_galleries_show_drawings_with_the_predictions_of_the_runs(comparison, data_dir):
    (rnn, mlp), info = comparison.runs, comparison.info
    batches = {}
    for batch in input_pipeline.evaluation_batches(info, str(data_dir), "test", 1):
        batches[batch["key_id"].numpy()[0].decode()] = batch
    run_metrics, pair = comparison.run_metrics[1], comparison.pairs[0, 1]
    correct = np.trace(run_metrics.confusion.counts)
    examples = info.split("test").examples
    for gallery, runs, is_correct, available in (
        (run_metrics.correct, [mlp], [True], correct),
        (run_metrics.wrong, [mlp], [False], examples - correct),
        (pair.only_first, [rnn, mlp], [True, False], pair.all.only_first),
        (pair.only_second, [rnn, mlp], [False, True], pair.all.only_second),
    ):
        drawings = gallery.best(99)
        assert min(available, 1) <= len(drawings) <= min(available, GALLERY_SIZE)
        for example in drawings:
            batch = batches[example.key]
            assert example.label == batch["class_index"].numpy()[0]
            np.testing.assert_array_equal(example.drawing, batch["ink"].numpy()[0])
            for run, predictions, correct_prediction in zip(
                runs, example.predictions, is_correct, strict=True
            ):
                logits = run.logits_fn(batch["ink"], batch["length"]).numpy()[0]
                assert predictions[0][0] == logits.argmax()
                assert (predictions[0][0] == example.label) == correct_prediction


def test_last_part_has_the_metrics_of_whole_drawings(data_dir, trained_mlp):
    result = compare([trained_mlp], data_dir)
    assert result.num_partial == result.info.split("test").examples
    whole = result.partial[1.0][0].compute()
    for name, values in result.run_metrics[0].all.compute().items():
        np.testing.assert_allclose(whole[name], values, atol=1e-5)
    assert result.pairs == {}


def test_bitmaps_have_no_parts_and_no_subgroups(bitmap_data_dir, trained_mlp):
    result = compare([trained_mlp], bitmap_data_dir)
    assert result.partial == {}
    assert result.num_partial == 0
    run_metrics = result.run_metrics[0]
    assert run_metrics.subgroups.by_attribute() == {}
    drawings = run_metrics.correct.best(9) + run_metrics.wrong.best(9)
    assert drawings
    assert all(example.is_bitmap for example in drawings)
    assert result.latencies_ms[0] > 0


def test_runs_of_the_same_name_are_named_by_path(data_dir, trained_mlp, tmp_path):
    other = shutil.copytree(trained_mlp, tmp_path / "other" / "mlp")
    result = compare([trained_mlp, other], data_dir, num_partial=0)
    assert [run.name for run in result.runs] == [str(trained_mlp), str(other)]
    pair = result.pairs[0, 1].all
    assert pair.only_first == pair.only_second == 0
    assert result.partial == {}


def test_empty_workdir_is_refused(data_dir, trained_mlp):
    with pytest.raises(ValueError, match="A workdir is empty"):
        compare([trained_mlp, ""], data_dir)


def test_duplicate_run_is_refused(data_dir, trained_mlp):
    with pytest.raises(ValueError, match="mlp is listed twice"):
        compare([trained_mlp, f"{trained_mlp}/"], data_dir)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ("circle clock envelope zebra", "only one of the two has flower, zebra"),
        ("flower clock envelope circle", "the order differs"),
    ],
)
def test_other_classes_are_refused(data_dir, trained_mlp, tmp_path, classes, message):
    run = shutil.copytree(trained_mlp, tmp_path / "run")
    (run / "classes.txt").write_text("".join(f"{word}\n" for word in classes.split()))
    with pytest.raises(ValueError, match=f"other classes than those of .*: {message}"):
        compare([run], data_dir)


def test_unknown_split_is_refused(data_dir, trained_mlp):
    with pytest.raises(ValueError, match="dev"):
        compare([trained_mlp], data_dir, "dev")


def test_run_without_checkpoint_is_refused(data_dir, trained_mlp, tmp_path):
    run = shutil.copytree(trained_mlp, tmp_path / "run")
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(ValueError, match="has no checkpoint"):
        compare([trained_mlp, run], data_dir)


def test_empty_split_is_refused(data_dir, trained_mlp, tmp_path):
    folder = shutil.copytree(data_dir, tmp_path / "data")
    info = json.loads((folder / "dataset_info.json").read_text())
    info["splits"]["empty"] = {"shards": [], "class_counts": [0, 0, 0, 0]}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    with pytest.raises(ValueError, match="the split empty is empty"):
        compare([trained_mlp], folder, "empty")


def test_parameters_are_counted(comparison, trained_rnn):
    model = Workdir(str(trained_rnn)).load_best()
    num_weights = sum(weight.size for weight in model.get_weights())
    assert comparison.runs[0].num_parameters == num_weights


def test_memory_does_not_grow_with_the_number_of_drawings(
    comparison, data_dir, monkeypatch
):
    monkeypatch.setattr(compare_runs, "CHUNK_SIZE", 64)
    info = comparison.info
    evaluation = compare_runs.EvaluationPass(info, comparison.runs, 20, seed=0)
    batches = input_pipeline.evaluation_batches(info, str(data_dir), "train", 32)
    batches = list(batches)
    drawings = info.split("train").examples
    memory = []
    tracemalloc.start()
    try:
        for _ in range(3):
            assert sum(evaluation.run(3 * batches)) == 3 * drawings
            memory.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert evaluation.run_metrics[0].all.examples == 9 * drawings
    # The ink of one drawing takes 500 bytes, its bootstrap weights 4,000.
    assert memory[2] - memory[0] < 100 * 6 * drawings
