"""The benchmark trains all contenders on the same drawings and prints their speed."""

import json
import re

import pytest

from benchmarks import ancestor_model, train_ancestor
from benchmarks import train as benchmark
from tfrecords.dataset_info import load_dataset_info


@pytest.mark.parametrize("contender", ["mlp", "cnn, bitmaps given", "ancestor"])
def test_a_contender_trains(data_dir, contender):
    info = load_dataset_info(str(data_dir))
    if contender == "ancestor":
        step = ancestor_model.make_step(ancestor_model.build(len(info.classes)))
        batches = benchmark.epochs(info, str(data_dir), 8, augment=False)
    elif contender == "mlp":
        step, batches = benchmark.ours(info, str(data_dir), contender)
    else:
        step, batches = benchmark.with_bitmaps(info, str(data_dir))
    losses = []
    turn = benchmark.run(lambda batch: losses.append(step(batch)), batches, steps=3)
    assert len(losses) == 3
    assert all(0.5 < loss < 3 for loss in losses)
    assert turn.rate > 0
    assert turn.of_cpu > 0


def test_medians_stand_beside_the_ancestors():
    def turns(*rates):
        return [benchmark.Turn(rate, 2 * rate) for rate in rates]

    told = benchmark.table(
        {
            "ancestor, batch 128": turns(90, 110, 100),
            "rnn": turns(2000, 900, 1000),
            "cnn": turns(400),
            "cnn, bitmaps given": turns(500),
        }
    )
    lines = [line.split() for line in told.splitlines()]
    assert lines[2] == ["rnn", "1,000", "900", "2,000", "10.00", "2,000", "10.00"]
    assert "takes 20.0% of the cnn's step, 20.0% of its CPU time" in told


@pytest.mark.slow
def test_every_contender_has_its_speed_beside_the_ancestors(measure, data_dir):
    done = measure("train", f"--data_dir={data_dir}", "--rounds=1", "--seconds=0.1")
    assert done.returncode == 0, done.stderr
    head, *lines, last = done.stdout.splitlines()
    columns = "drawings/s from to × ancestor of CPU time × ancestor"
    assert " ".join(head.split()) == columns
    rows = {
        line[:20].strip(): [float(cell.replace(",", "")) for cell in line[20:].split()]
        for line in lines
    }
    contenders = ["ancestor, batch 8", "ancestor, batch 128", "rnn", "cnn"]
    assert list(rows) == [*contenders, "cnn, bitmaps given"]
    base = rows["ancestor, batch 128"]
    for rate, slowest, fastest, faster, of_cpu, cheaper in rows.values():
        assert 0 < slowest <= rate <= fastest
        assert faster == pytest.approx(rate / base[0], abs=0.01, rel=0.2)
        assert cheaper == pytest.approx(of_cpu / base[4], abs=0.01, rel=0.2)
    share = r"-?[\d.]+%"
    assert re.fullmatch(
        f"the rasteriser takes {share} of the cnn's step, {share} of its CPU time", last
    )


def test_a_missing_data_set_is_one_line(measure, tmp_path):
    done = measure("train", f"--data_dir={tmp_path}")
    assert done.returncode == 1
    assert re.search(r"error: .* is not a data set.*\n$", done.stderr)


@pytest.mark.slow
def test_the_ancestor_trains_to_its_end_and_a_run_is_put_beside_it(
    measure, data_dir, trained_mlp, tmp_path
):
    flags = [f"--data_dir={data_dir}", f"--workdir={tmp_path}/ancestor"]
    flags += [f"--runs={trained_mlp}", "--hours=0.0001"]
    done = measure("train_ancestor", *flags)
    assert done.returncode == 0, done.stderr
    *epochs, ancestor, ours = done.stdout.splitlines()
    history = json.loads((tmp_path / "ancestor/history.json").read_text())
    test = json.loads((tmp_path / "ancestor/metrics.json").read_text())
    assert len(epochs) == len(history) == 1
    assert history[0]["seconds"] > 0
    assert f"top-1 {history[0]['validation_top1']:.4f} after" in ancestor
    assert f"macro {test['macro_top1']:.4f}, MAP@3 {test['map3']:.4f}" in ancestor
    assert test["examples"] > 0
    assert ours.startswith(f"{trained_mlp}: ")
    assert "reached validation top-1" in ours
    again = measure("train_ancestor", *flags)
    assert again.stdout.splitlines() == [ancestor, ours]


def test_a_run_is_as_good_when_an_epoch_of_it_ends():
    tops = [(0.3, 10.0), (0.6, 11.0), (0.5, 12.0), (0.8, 13.0)]
    history = [{"validation_top1": top1, "seconds": took} for top1, took in tops]
    assert train_ancestor.seconds_to(history, 0.3) == 10
    assert train_ancestor.seconds_to(history, 0.55) == 21
    assert train_ancestor.seconds_to(history, 0.6) == 21
    assert train_ancestor.seconds_to(history, 0.7) == 46
    assert train_ancestor.comparison(history, 0.7, 460).endswith(
        "after 46 s, 0.100 of the ancestor's time"
    )
    assert "never reached" in train_ancestor.comparison(history, 0.81, 460)
