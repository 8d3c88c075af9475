"""The training loop: files of a run, resuming, and errors."""

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
from rnn_model.config import TrainConfig
from rnn_model.evaluation import evaluator
from rnn_model.training import loop, precision
from rnn_model.workdir import Workdir
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

ROOT = Path(__file__).parents[3]

QUICK = TrainConfig(model="mlp", epochs=2, batch_size=32, precision="float32", seed=4)


def train(data_dir, workdir, **settings):
    """Trains with the settings of `QUICK`, overridden by the given ones."""
    config = dataclasses.replace(QUICK, **settings)
    loop.train_and_evaluate(config, str(data_dir), str(workdir))


def newest_checkpoint(workdir):
    """Returns the path of the newest checkpoint in `last/`."""
    return Path(checkpoints.list_checkpoints(str(workdir / "checkpoints" / "last"))[0])


def delete_checkpoint(path):
    for file in path.parent.glob(f"{path.name}.*"):
        file.unlink()


def load_state(workdir):
    """Loads the variables of the newest checkpoint, without counters of time."""
    path = str(newest_checkpoint(workdir))
    return {
        name: tf.train.load_variable(path, name)
        for name, _ in tf.train.list_variables(path)
        if not re.match("_CHECKPOINTABLE|save_counter|state/seconds", name)
    }


def assert_equal_states(actual, expected):
    assert actual.keys() == expected.keys()
    assert len(actual) >= 10
    for name in actual:
        np.testing.assert_array_equal(actual[name], expected[name], err_msg=name)


def read_history(workdir):
    return json.loads((workdir / "history.json").read_text())


def evaluate_best(workdir, data_dir, split):
    """Evaluates the best weights of a run."""
    info = load_dataset_info(str(data_dir))
    logits_fn = evaluator.make_logits_fn(Workdir(str(workdir)).load_best(), info.kind)
    return evaluator.evaluate_split(logits_fn, info, str(data_dir), split)


# --- Files of a run -------------------------------------------------------------------


def test_files_and_log_of_a_run(data_dir, tmp_path, capsys):
    run = tmp_path / "runs" / "mlp"
    train(data_dir, run)
    workdir = Workdir(str(run))
    assert workdir.read_config() == QUICK
    assert workdir.read_classes() == ("circle", "clock", "envelope", "flower")
    history = workdir.read_history()
    assert [row["epoch"] for row in history] == [1, 2]
    assert set(history[0]) == {
        "epoch",
        "loss",
        "validation_loss",
        "validation_top1",
        "validation_top3",
        "drawings_per_second",
        "seconds",
    }
    for folder in (workdir.last, workdir.best):
        assert checkpoints.list_checkpoints(folder)
    output = capsys.readouterr().out
    assert "epoch 2/2  loss" in output
    assert "drawings/s" in output
    assert re.search(r"best: validation top-1 0\.\d{4} in epoch [12]", output)


def test_tensorboard_logs_hold_the_history(trained_mlp):
    scalars = {}
    for path in (trained_mlp / "logs").glob("events.out.tfevents.*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                scalars[value.tag, event.step] = float(tf.make_ndarray(value.tensor))
    row = read_history(trained_mlp)[0]
    expected = {(name, 1): row[name] for name in row if name != "epoch"}
    assert scalars == pytest.approx(expected, rel=1e-6)


def test_the_loss_decreases(data_dir, tmp_path):
    train(data_dir, tmp_path / "run", model="cnn", epochs=3, augment=False)
    first, *_, last = read_history(tmp_path / "run")
    assert last["loss"] < 0.8 * first["loss"]
    assert last["validation_loss"] < math.log(4)


@pytest.mark.slow
def test_the_rnn_learns_the_sample_drawings(data_dir, tmp_path):
    settings = {"epochs": 15, "patience": 15, "batch_size": 16, "augment": False}
    train(data_dir, tmp_path / "run", model="rnn", **settings)
    first, *_, last = read_history(tmp_path / "run")
    assert last["loss"] < 0.6 * first["loss"]
    assert last["validation_top1"] > 0.4


def test_a_log_file_gets_few_lines_of_progress(data_dir, tmp_path, capsys):
    train(data_dir, tmp_path / "run", epochs=2)
    stderr = capsys.readouterr().err
    assert re.split(r"[\r\n]", stderr).count("mlp:") <= 1
    assert len(re.findall(r"mlp: +\d+%", stderr)) <= 2 * 2 + 2


@pytest.mark.parametrize("model", ["cnn", "mlp"])
def test_a_model_trained_on_bitmaps_classifies_ink(
    bitmap_data_dir, data_dir, tmp_path, model
):
    run = tmp_path / model
    train(bitmap_data_dir, run, model=model, epochs=4)
    first, *_, last = read_history(run)
    assert last["loss"] < 0.9 * first["loss"]
    losses = [
        evaluate_best(run, folder, "train")["loss"]
        for folder in (bitmap_data_dir, data_dir)
    ]
    assert losses[0] == pytest.approx(losses[1], abs=0.2)


def test_words_may_contain_any_characters(doodles, build, tmp_path):
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
    assert Workdir(str(tmp_path / "run")).read_classes() == words
    assert max(row["validation_top1"] for row in read_history(tmp_path / "run")) > 0.7


# --- bfloat16 -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bfloat16_run(data_dir, tmp_path_factory):
    """The workdir of a run of the rnn."""
    run = tmp_path_factory.mktemp("runs") / "bfloat16"
    train(data_dir, run, model="rnn", epochs=1, precision="bfloat16")
    return run


def test_a_run_in_bfloat16_is_evaluated_in_float32(data_dir, bfloat16_run, tmp_path):
    (row,) = read_history(bfloat16_run)
    assert 0.5 < row["loss"] < 3
    metrics = evaluate_best(bfloat16_run, data_dir, "validation")
    assert metrics["loss"] == pytest.approx(row["validation_loss"], rel=1e-5)
    float32_run = tmp_path / "float32"
    train(data_dir, float32_run, model="rnn", epochs=1)
    (float32_row,) = read_history(float32_run)
    assert row["loss"] == pytest.approx(float32_row["loss"], rel=0.05)
    assert row["loss"] != float32_row["loss"]


@pytest.mark.parametrize("new_precision", ["float32", "bfloat16"])
def test_checkpoints_do_not_depend_on_the_precision(
    data_dir, bfloat16_run, tmp_path, capsys, new_precision
):
    run = shutil.copytree(bfloat16_run, tmp_path / "run")
    config = Workdir(str(run)).read_config()
    config = dataclasses.replace(config, precision=new_precision, epochs=2)
    (run / "config.json").write_text(config.to_json())
    loop.train_and_evaluate(config, str(data_dir), str(run))
    assert "resuming after epoch 1" in capsys.readouterr().out
    assert [row["epoch"] for row in read_history(run)] == [1, 2]
    assert load_state(run).keys() == load_state(bfloat16_run).keys()


def test_an_export_of_a_run_in_bfloat16_computes_in_float32(bfloat16_run, tmp_path):
    from serve_export import export

    path = export.export(str(bfloat16_run), str(tmp_path / "export"))
    saved_model = next(Path(path).rglob("saved_model.pb"))
    meta_graph = SavedModel.FromString(saved_model.read_bytes()).meta_graphs[0]
    graph = str(meta_graph.graph_def)
    assert "DT_BFLOAT16" not in graph
    assert "DT_FLOAT" in graph


def test_a_resumed_run_keeps_its_precision(data_dir, tmp_path, monkeypatch):
    run = tmp_path / "run"
    for epochs, flag in enumerate(["fma", "avx512_bf16"], 1):
        (tmp_path / "cpuinfo").write_text(f"flags\t\t: sse {flag} aes\n")
        monkeypatch.setattr(precision, "CPU_INFO", str(tmp_path / "cpuinfo"))
        train(data_dir, run, model="rnn", precision="auto", epochs=epochs)
        assert Workdir(str(run)).read_config().precision == "float32"


# --- Stopping and resuming ------------------------------------------------------------


def test_training_stops_when_validation_does_not_improve(data_dir, tmp_path, capsys):
    # The learning rate is too small to change a prediction: epoch 1 stays the best.
    run = tmp_path / "run"
    train(data_dir, run, epochs=20, patience=2, learning_rate=1e-12)
    assert len(read_history(run)) == 3
    assert "in epoch 1" in capsys.readouterr().out


def test_a_finished_run_is_not_changed(data_dir, tmp_path, capsys):
    run = tmp_path / "run"

    def read_files():
        return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}

    train(data_dir, run)
    files = read_files()
    capsys.readouterr()
    train(data_dir, run)
    output = capsys.readouterr().out
    assert "training has finished; best: validation top-1" in output
    assert read_files() == files


def test_a_run_can_be_continued_for_more_epochs(data_dir, tmp_path, capsys):
    run = tmp_path / "run"
    train(data_dir, run, epochs=1)
    first_row, state = read_history(run)[0], load_state(run)
    train(data_dir, run, epochs=2)
    assert "resuming after epoch 1" in capsys.readouterr().out
    history = read_history(run)
    assert history[0] == first_row
    assert [row["epoch"] for row in history] == [1, 2]
    new_state = load_state(run)
    kernels = [name for name in state if "/_trainable_variables/" in name]
    assert len(kernels) == 6
    assert all((state[name] != new_state[name]).any() for name in kernels)
    assert Workdir(str(run)).read_config().epochs == 2


def test_a_run_resumed_after_an_epoch_ends_with_the_same_weights(data_dir, tmp_path):
    """Deletes the last checkpoint, as if the process had been killed in epoch 2."""
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    train(data_dir, whole, model="rnn")
    shutil.copytree(whole, resumed)
    delete_checkpoint(newest_checkpoint(resumed))
    train(data_dir, resumed, model="rnn")
    assert_equal_states(load_state(resumed), load_state(whole))
    assert len(read_history(resumed)) == 2


def test_a_run_resumed_within_an_epoch_ends_with_the_same_weights(
    data_dir, tmp_path, capsys, monkeypatch
):
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    train(data_dir, whole, model="rnn")
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0)  # saves after every step
    with monkeypatch.context() as patch:
        patch.setattr(loop, "_evaluate_epoch", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(data_dir, resumed, model="rnn")
    delete_checkpoint(newest_checkpoint(resumed))
    capsys.readouterr()
    train(data_dir, resumed, model="rnn")
    output = capsys.readouterr().out
    assert re.search(r"resuming after epoch 0 and \d+ drawings", output)
    assert_equal_states(load_state(resumed), load_state(whole))
    for metric in ("loss", "validation_loss", "validation_top1"):
        expected = [row[metric] for row in read_history(whole)]
        assert [row[metric] for row in read_history(resumed)] == expected


KILLED_FLAGS = ["--model=cnn", "--epochs=6", "--patience=6", "--batch_size=4"]


@pytest.fixture(scope="module")
def uninterrupted_run(data_dir, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "whole"
    flags = [f"--data_dir={data_dir}", f"--workdir={run}", *KILLED_FLAGS]
    subprocess.run([sys.executable, "train.py", *flags], cwd=ROOT, check=True)
    return run


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [0, 1, 3])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_process_can_be_resumed_to_the_same_weights(
    data_dir, uninterrupted_run, tmp_path, number, epochs
):
    """Sends a signal within an epoch, after some complete epochs."""
    run = tmp_path / "killed"
    flags = [f"--data_dir={data_dir}", f"--workdir={run}", *KILLED_FLAGS]
    command = [sys.executable, "train.py", *flags]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    file = run / ("history.json" if epochs else "config.json")
    try:
        deadline = time.monotonic() + 120
        while not file.exists() or (epochs and len(read_history(run)) < epochs):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.2)  # into the next epoch
    finally:
        process.send_signal(number)
        stderr = process.communicate()[1]
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert re.search(
            r"\nerror: stopped after epoch \d( and [\d,]+ drawings)?; run the same "
            r"command again to resume\n$",
            stderr,
        )
    resumed = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True
    )
    if epochs or number != signal.SIGKILL:
        assert "resuming after epoch" in resumed.stdout
    assert len(read_history(run)) == 6
    assert_equal_states(load_state(run), load_state(uninterrupted_run))


# --- Errors ---------------------------------------------------------------------------


def test_other_settings_than_those_of_the_run_are_an_error(data_dir, trained_mlp):
    config = Workdir(str(trained_mlp)).read_config()
    other = dataclasses.replace(config, dropout=0.1, seed=7)
    with pytest.raises(ValueError, match="a run with other settings") as caught:
        loop.train_and_evaluate(other, str(data_dir), str(trained_mlp))
    assert "--dropout was 0.2, now 0.1; --seed was 0, now 7" in str(caught.value)
    assert Workdir(str(trained_mlp)).read_config() == config


def test_other_classes_than_those_of_the_run_are_an_error(
    data_dir, trained_mlp, tmp_path
):
    run = shutil.copytree(trained_mlp, tmp_path / "run")
    (run / "classes.txt").write_text("circle\nclock\nenvelope\nzebra\n")
    config = Workdir(str(run)).read_config()
    with pytest.raises(ValueError, match="holds a run with other classes"):
        loop.train_and_evaluate(config, str(data_dir), str(run))


def test_checkpoints_of_another_version_are_an_error(data_dir, trained_mlp, tmp_path):
    """Before, the variables had other names."""
    run = shutil.copytree(trained_mlp, tmp_path / "run")
    shutil.rmtree(run / "checkpoints" / "last")
    model = Workdir(str(run)).load_best()
    checkpoint = tf.train.Checkpoint(model=model, position=tf.Variable(0))
    checkpoint.write(str(run / "checkpoints" / "last" / "ckpt-5"))
    config = Workdir(str(run)).read_config()
    with pytest.raises(ValueError, match=r"of another network") as caught:
        loop.train_and_evaluate(config, str(data_dir), str(run))
    assert "\n" not in str(caught.value)


def test_a_loss_that_is_not_finite_is_an_error(data_dir, tmp_path):
    with pytest.raises(loop.DivergedError, match=r"loss is (nan|inf) at") as caught:
        train(data_dir, tmp_path / "run", optimizer="sgd", learning_rate=1e30)
    message = str(caught.value)
    assert re.search(r"\(epoch 1, drawings \d+, \d+, \d+, …\)", message)
    assert "Try a smaller --learning_rate" in message
    assert "\n" not in message


def test_weights_that_are_not_finite_after_an_epoch_are_not_saved(data_dir, tmp_path):
    settings = {"optimizer": "sgd", "learning_rate": 1e30, "batch_size": 500}
    with pytest.raises(loop.DivergedError, match=r"validation loss is (nan|inf)"):
        train(data_dir, tmp_path / "run", **settings)
    assert not (tmp_path / "run" / "checkpoints").exists()
    assert not (tmp_path / "run" / "history.json").exists()


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_missing_split_is_an_error(data_dir, tmp_path, split):
    folder = shutil.copytree(data_dir, tmp_path / "data")
    path = folder / "dataset_info.json"
    info = DatasetInfo.from_json(path.read_text(), str(path))
    splits = {name: part for name, part in info.splits.items() if name != split}
    path.write_text(dataclasses.replace(info, splits=splits).to_json())
    with pytest.raises(ValueError, match=f"{split}"):
        train(folder, tmp_path / "run")
    assert not os.path.exists(tmp_path / "run")


def test_the_rnn_cannot_be_trained_on_bitmaps(bitmap_data_dir, tmp_path):
    with pytest.raises(ValueError, match=r"^--model=rnn reads strokes, but"):
        train(bitmap_data_dir, tmp_path / "run", model="rnn")
    assert not (tmp_path / "run").exists()
