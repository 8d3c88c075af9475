"""The training loop: what a run leaves, how it goes on, and what it refuses."""

import dataclasses
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from rnn_model import checkpoints
from rnn_model.config import OPTIMIZERS, TrainConfig
from rnn_model.evaluation import compare_runs
from rnn_model.training import class_balance, loop, precision, train_step
from rnn_model.workdir import Workdir
from serve_export import export
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

ROOT = Path(__file__).parents[3]

QUICK = TrainConfig(model="mlp", epochs=2, batch_size=32, precision="float32", seed=4)


def train(data_dir, workdir, **settings):
    """Trains with the settings of QUICK, but for these."""
    config = dataclasses.replace(QUICK, **settings)
    loop.train(config, str(data_dir), str(workdir))


def newest(workdir, kind="last"):
    return checkpoints.numbered(str(workdir / "checkpoints" / kind))[0]


def weights_of(workdir, kind="last"):
    """The variables of the newest checkpoint, optimizer and all."""
    path = newest(workdir, kind)
    return {
        name: tf.train.load_variable(path, name)
        for name, _ in tf.train.list_variables(path)
        if "OBJECT_GRAPH" not in name and "position/seconds" not in name
    }


def assert_same_weights(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def history_of(workdir):
    return json.loads((workdir / "history.json").read_text())


def take_step(run, ink, length, class_index):
    """The loss of a step on a batch of these."""
    batch = {"ink": ink, "length": length, "class_index": class_index}
    return run.step(batch | {"drawings": len(length)})[0]


@pytest.fixture
def info(data_dir):
    return load_dataset_info(str(data_dir))


def without(data_dir, folder, split):
    """A copy of the data set that lacks a split."""
    shutil.copytree(data_dir, folder)
    path = folder / "dataset_info.json"
    whole = DatasetInfo.from_json(path.read_text(), str(path))
    splits = {name: part for name, part in whole.splits.items() if name != split}
    path.write_text(dataclasses.replace(whole, splits=splits).to_json())
    return folder


# --- What a run leaves ----------------------------------------------------------------


def test_a_run_leaves_all_that_evaluation_and_export_need(data_dir, tmp_path, capsys):
    run = tmp_path / "runs" / "mlp"
    train(data_dir, run)
    config = TrainConfig.from_json((run / "config.json").read_text(), "")
    assert config == QUICK
    classes = (run / "classes.txt").read_text()
    assert classes == "circle\nclock\nenvelope\nflower\n"
    assert [row["epoch"] for row in history_of(run)] == [1, 2]
    assert set(history_of(run)[0]) == {
        "epoch",
        "loss",
        "validation_loss",
        "validation_top1",
        "validation_top3",
        "drawings_per_second",
        "seconds",
    }
    for kind in ("last", "best"):
        assert len(checkpoints.numbered(str(run / "checkpoints" / kind))) >= 1
    told = capsys.readouterr().out
    assert "epoch 2/2  loss" in told
    assert "drawings/s" in told
    assert re.search(r"best: validation top-1 0\.\d{4} in epoch [12]", told)


def test_tensorboard_finds_every_number_of_the_history(trained_mlp):
    told = {}
    for path in (trained_mlp / "logs").glob("events.out.tfevents.*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                told[value.tag, event.step] = float(tf.make_ndarray(value.tensor))
    row = history_of(trained_mlp)[0]
    expected = {(name, 1): row[name] for name in row if name != "epoch"}
    assert told == pytest.approx(expected, rel=1e-6)


def test_the_loss_falls(data_dir, tmp_path):
    train(data_dir, tmp_path / "run", model="cnn", epochs=3, augment=False)
    first, *_, last = history_of(tmp_path / "run")
    assert last["loss"] < 0.8 * first["loss"]
    assert last["validation_loss"] < math.log(4)


@pytest.mark.slow
def test_the_rnn_learns_the_doodles(data_dir, tmp_path):
    settings = {"epochs": 15, "patience": 15, "batch_size": 16, "augment": False}
    train(data_dir, tmp_path / "run", model="rnn", **settings)
    first, *_, last = history_of(tmp_path / "run")
    assert last["loss"] < 0.6 * first["loss"]
    assert last["validation_top1"] > 0.4


def test_the_loss_is_that_of_smoothed_targets_and_offset_logits(info, tmp_path):
    config = dataclasses.replace(QUICK, label_smoothing=0.2, learning_rate=1e-9)
    run = loop._Run(config, info, Workdir(str(tmp_path)))
    ink, length = np.zeros([3, 4, 3], np.float32), np.array([4, 4, 4], np.int32)
    counts = info.split("train").class_counts
    offsets = class_balance.offsets(counts, config.balance)
    logits = run.logits_of(ink, length).numpy() + offsets
    log_shares = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    target = np.eye(4)[[0, 1, 3]] * 0.8 + 0.05
    loss = take_step(run, ink, length, np.array([0, 1, 3]))
    assert loss == pytest.approx(-(target * log_shares).sum(axis=1).mean(), rel=1e-5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_moves_the_weights(info, tmp_path, optimizer):
    config = dataclasses.replace(QUICK, optimizer=optimizer)
    run = loop._Run(config, info, Workdir(str(tmp_path)))
    before = [weight.numpy() for weight in run.model.trainable_variables]
    ink = np.random.default_rng(0).normal(size=[8, 20, 3]).astype(np.float32)
    classes = np.arange(8) % 4
    for _ in range(2):  # the first is at rate 0
        loss = take_step(run, ink, np.full(8, 20, np.int32), classes)
        assert math.isfinite(loss)
    assert int(run.optimizer.iterations) == 2
    after = [weight.numpy() for weight in run.model.trainable_variables]
    assert any((one != other).any() for one, other in zip(before, after))
    assert all(np.isfinite(weight).all() for weight in after)


def test_an_unknown_optimizer_is_told_the_known_ones():
    with pytest.raises(ValueError, match=r"adadelta, .*sgd"):
        TrainConfig(optimizer="adamm")


def test_the_rate_rises_and_falls_to_zero():
    config = dataclasses.replace(QUICK, learning_rate=0.5)
    optimizer = train_step.make_optimizer(config, total_steps=2000)
    schedule = optimizer._learning_rate
    rates = [float(schedule(step)) for step in (0, 50, 100, 1000, 2000)]
    assert rates[:3] == pytest.approx([0, 0.25, 0.5], abs=1e-6)
    assert 0.2 < rates[3] < 0.3
    assert rates[4] == pytest.approx(0, abs=1e-6)


def test_weight_decay_reaches_adamw(info):
    config = dataclasses.replace(QUICK, weight_decay=0.125)
    assert train_step.make_optimizer(config, 10).weight_decay == 0.125


@pytest.mark.parametrize("model", ["mlp", "rnn"])
def test_no_shape_of_batch_is_traced_again(info, tmp_path, model):
    config = dataclasses.replace(QUICK, model=model)
    run = loop._Run(config, info, Workdir(str(tmp_path)))
    for batch, time_steps in [(4, 9), (4, 12), (3, 12), (1, 30)]:
        ink = np.zeros([batch, time_steps, 3], np.float32)
        length = np.full(batch, time_steps, np.int32)
        take_step(run, ink, length, np.zeros(batch, np.int64))
        run.logits_of(ink, length)
    # An optimizer that makes its variables in the first call costs a second trace.
    assert run.step.function.experimental_get_tracing_count() <= 2
    assert run.logits_of.experimental_get_tracing_count() == 1


def test_a_log_is_not_filled_with_progress(data_dir, tmp_path, capsys):
    train(data_dir, tmp_path / "run", epochs=2)
    told = capsys.readouterr().err
    assert re.split(r"[\r\n]", told).count("mlp:") <= 1
    assert len(re.findall(r"mlp: +\d+%", told)) <= 2 * 2 + 2


def evaluated(run, data_dir, split):
    """The metrics of a run."""
    result = compare_runs.compare_runs([str(run)], str(data_dir), split, 0)
    return result.run_metrics[0].all.result()


@pytest.mark.parametrize("model", ["cnn", "mlp"])
def test_a_run_on_bitmaps_learns_and_leaves_a_model_of_ink(
    bitmap_data_dir, data_dir, tmp_path, model
):
    run = tmp_path / model
    train(bitmap_data_dir, run, model=model, epochs=4)
    first, *_, last = history_of(run)
    assert last["loss"] < 0.9 * first["loss"]
    report = {
        kind: evaluated(run, folder, "train")
        for kind, folder in (("bitmap", bitmap_data_dir), ("ink", data_dir))
    }
    assert report["ink"]["loss"] == pytest.approx(report["bitmap"]["loss"], abs=0.2)


def test_words_that_quick_draw_never_had_train_like_any_other(doodles, build, tmp_path):
    words = ("mon œuvre", "our logo: v2")
    (tmp_path / "mine").mkdir()
    for path, word in zip(sorted(doodles.glob("*.ndjson")), words):
        lines = [
            json.dumps({"word": word, "drawing": json.loads(line)["drawing"]})
            for line in path.read_text().splitlines()
        ]
        (tmp_path / "mine" / f"{word}.ndjson").write_text("\n".join(lines))
    build([f"{tmp_path}/mine/*"], tmp_path / "data")
    train(tmp_path / "data", tmp_path / "run", epochs=10, learning_rate=0.01)
    assert (tmp_path / "run" / "classes.txt").read_text().splitlines() == list(words)
    assert max(row["validation_top1"] for row in history_of(tmp_path / "run")) > 0.7


def test_the_rnn_refuses_bitmaps_before_it_writes(bitmap_data_dir, tmp_path):
    with pytest.raises(ValueError, match=r"^--model=rnn reads strokes, but"):
        train(bitmap_data_dir, tmp_path / "run", model="rnn")
    assert not (tmp_path / "run").exists()


def test_a_run_of_the_rnn_is_not_evaluated_on_bitmaps(bitmap_data_dir, trained_rnn):
    with pytest.raises(ValueError, match=r"^--model=rnn reads strokes"):
        evaluated(trained_rnn, bitmap_data_dir, "test")


@pytest.fixture(scope="module")
def trained_in_bfloat16(data_dir, tmp_path_factory):
    """The workdir of a run of the rnn."""
    run = tmp_path_factory.mktemp("runs") / "bfloat16"
    train(data_dir, run, model="rnn", epochs=1, precision="bfloat16")
    return run


def test_the_rnn_trains_in_bfloat16_and_is_judged_in_float32(
    data_dir, trained_in_bfloat16, tmp_path
):
    (row,) = history_of(trained_in_bfloat16)
    assert 0.5 < row["loss"] < 3
    judged = evaluated(trained_in_bfloat16, data_dir, "validation")
    assert judged["loss"] == pytest.approx(row["validation_loss"], rel=1e-5)
    exact = tmp_path / "exact"
    train(data_dir, exact, model="rnn", epochs=1)
    assert row["loss"] == pytest.approx(history_of(exact)[0]["loss"], rel=0.05)
    assert row["loss"] != history_of(exact)[0]["loss"]


@pytest.mark.parametrize("other", ["float32", "bfloat16"])
def test_a_checkpoint_of_one_precision_is_one_of_the_other(
    data_dir, trained_in_bfloat16, tmp_path, capsys, other
):
    run = shutil.copytree(trained_in_bfloat16, tmp_path / "run")
    config = dataclasses.replace(Workdir(str(run)).config(), precision=other, epochs=2)
    (run / "config.json").write_text(config.to_json())
    loop.train(config, str(data_dir), str(run))
    assert "going on after epoch 1" in capsys.readouterr().out
    assert [row["epoch"] for row in history_of(run)] == [1, 2]
    assert weights_of(run).keys() == weights_of(trained_in_bfloat16).keys()


def test_an_export_of_a_run_in_bfloat16_computes_in_float32(
    trained_in_bfloat16, tmp_path
):
    source = export.Source(str(trained_in_bfloat16))
    path = export.export(source, str(tmp_path / "export"))
    saved = next(Path(path).rglob("saved_model.pb"))
    graph = str(SavedModel.FromString(saved.read_bytes()).meta_graphs[0].graph_def)
    assert "DT_BFLOAT16" not in graph
    assert "DT_FLOAT" in graph


# --- Stopping and going on ------------------------------------------------------------


def test_training_stops_when_validation_no_longer_improves(data_dir, tmp_path, capsys):
    # So small a rate moves no answer: the first epoch stays the best.
    run = tmp_path / "run"
    train(data_dir, run, epochs=20, patience=2, learning_rate=1e-12)
    assert len(history_of(run)) == 3
    assert "in epoch 1" in capsys.readouterr().out


def test_a_run_that_is_over_says_so_and_stays(data_dir, tmp_path, capsys):
    run = tmp_path / "run"
    train(data_dir, run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    capsys.readouterr()
    train(data_dir, run)
    assert "training is over; best validation top-1" in capsys.readouterr().out
    assert before == {
        path: path.read_bytes() for path in run.rglob("*") if path.is_file()
    }


def test_more_epochs_go_on_where_it_stopped(data_dir, tmp_path, capsys):
    run = tmp_path / "run"
    train(data_dir, run, epochs=1)
    first, weights = history_of(run)[0], weights_of(run)
    train(data_dir, run, epochs=2)
    assert "going on after epoch 1" in capsys.readouterr().out
    history = history_of(run)
    assert history[0] == first
    assert [row["epoch"] for row in history] == [1, 2]
    moved = weights_of(run)
    kernels = [name for name in weights if "/_trainable_variables/" in name]
    assert len(kernels) == 6
    assert all((weights[name] != moved[name]).any() for name in kernels)
    assert Workdir(str(run)).config().epochs == 2


def test_an_interrupted_run_ends_with_the_same_weights(data_dir, tmp_path):
    """As if the process had died after epoch 1: its later files are taken away."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(data_dir, whole, model="rnn")
    shutil.copytree(whole, broken)
    for path in Path(newest(broken)).parent.glob(f"{Path(newest(broken)).name}.*"):
        path.unlink()
    train(data_dir, broken, model="rnn")
    assert_same_weights(weights_of(whole), weights_of(broken))
    assert len(history_of(broken)) == 2


def test_a_run_cut_short_within_an_epoch_ends_with_the_same_weights(
    data_dir, tmp_path, capsys, monkeypatch
):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(data_dir, whole, model="rnn")
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0)  # after every step
    with monkeypatch.context() as patch:
        patch.setattr(loop._Run, "_close_epoch", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(data_dir, broken, model="rnn")
    for path in Path(newest(broken)).parent.glob(f"{Path(newest(broken)).name}.*"):
        path.unlink()
    capsys.readouterr()
    train(data_dir, broken, model="rnn")
    told = capsys.readouterr().out
    assert re.search(r"going on after epoch 0 and \d+ drawings", told)
    assert_same_weights(weights_of(whole), weights_of(broken))
    for key in ("loss", "validation_loss", "validation_top1"):
        assert [row[key] for row in history_of(whole)] == [
            row[key] for row in history_of(broken)
        ]


def test_a_checkpoint_cut_in_half_costs_no_more_than_its_epoch(
    data_dir, tmp_path, capsys
):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(data_dir, whole)
    shutil.copytree(whole, broken)
    data = Path(newest(broken) + ".data-00000-of-00001")
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    train(data_dir, broken)
    assert f"warning: passing over {newest(broken)}: " in capsys.readouterr().err
    assert_same_weights(weights_of(whole), weights_of(broken))


KILLED = ["--model=cnn", "--epochs=6", "--patience=6", "--batch_size=4"]


@pytest.fixture(scope="module")
def never_killed(data_dir, tmp_path_factory):
    """A run of a process that was left alone."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    flags = [f"--data_dir={data_dir}", f"--workdir={run}", *KILLED]
    subprocess.run([sys.executable, "train.py", *flags], cwd=ROOT, check=True)
    return run


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [0, 1, 3])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_process_goes_on_to_the_same_weights(
    data_dir, never_killed, tmp_path, number, epochs
):
    """Killed somewhere in an epoch, after so many whole ones."""
    killed = tmp_path / "killed"
    flags = [f"--data_dir={data_dir}", f"--workdir={killed}", *KILLED]
    process = subprocess.Popen(
        [sys.executable, "train.py", *flags],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    wanted = killed / ("history.json" if epochs else "config.json")
    try:
        deadline = time.monotonic() + 120
        while not wanted.exists() or (epochs and epochs > len(history_of(killed))):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.2)  # into the next epoch
    finally:
        process.send_signal(number)
        told = process.communicate()[1]
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert re.search(
            r"\nerror: stopped after epoch \d( and [\d,]+ drawings)?; the same command "
            r"goes on from there\n$",
            told,
        )
    again = subprocess.run(
        [sys.executable, "train.py", *flags],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    if epochs or number != signal.SIGKILL:
        assert "going on after epoch" in again.stdout
    assert len(history_of(killed)) == 6
    assert_same_weights(weights_of(never_killed), weights_of(killed))


def test_a_run_keeps_the_precision_that_it_began_in(data_dir, tmp_path, monkeypatch):
    run = tmp_path / "run"
    for number, flag in enumerate(["fma", "avx512_bf16"], 1):
        (tmp_path / "cpuinfo").write_text(f"flags\t\t: sse {flag} aes\n")
        monkeypatch.setattr(precision, "CPU_INFO", str(tmp_path / "cpuinfo"))
        train(data_dir, run, model="rnn", precision="auto", epochs=number)
        assert Workdir(str(run)).config().precision == "float32"


# --- What is refused ------------------------------------------------------------------


def test_other_settings_are_refused(data_dir, trained_mlp):
    config = Workdir(str(trained_mlp)).config()
    other = dataclasses.replace(config, dropout=0.1, seed=7)
    with pytest.raises(ValueError, match="holds a run of other settings") as caught:
        loop.train(other, str(data_dir), str(trained_mlp))
    assert "--dropout was 0.2, now 0.1; --seed was 0, now 7" in str(caught.value)
    assert Workdir(str(trained_mlp)).config() == config


def test_other_classes_are_refused(data_dir, trained_mlp, tmp_path):
    run = shutil.copytree(trained_mlp, tmp_path / "run")
    (run / "classes.txt").write_text("circle\nclock\nenvelope\nzebra\n")
    config = Workdir(str(run)).config()
    with pytest.raises(ValueError, match="holds a run with other classes"):
        loop.train(config, str(data_dir), str(run))


def test_a_loss_that_is_not_finite_stops_with_step_and_keys(data_dir, tmp_path):
    with pytest.raises(ValueError, match=r"the loss is (nan|inf) at step \d") as caught:
        train(data_dir, tmp_path / "run", optimizer="sgd", learning_rate=1e30)
    message = str(caught.value)
    assert re.search(r"epoch 1, drawings \d+, \d+, \d+, …", message)
    assert "--learning_rate than 1e+30" in message
    assert "\n" not in message


def test_weights_that_the_last_step_of_an_epoch_broke_are_not_kept(data_dir, tmp_path):
    settings = {"optimizer": "sgd", "learning_rate": 1e30, "batch_size": 500}
    with pytest.raises(ValueError, match=r"the validation loss is (nan|inf) at step 1"):
        train(data_dir, tmp_path / "run", **settings)
    assert not (tmp_path / "run" / "checkpoints").exists()
    assert not (tmp_path / "run" / "history.json").exists()


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_missing_split_is_an_error(data_dir, tmp_path, split):
    folder = without(data_dir, tmp_path / "data", split)
    with pytest.raises(ValueError, match=f"no split named '{split}'"):
        train(folder, tmp_path / "run")
    assert not os.path.exists(tmp_path / "run")
