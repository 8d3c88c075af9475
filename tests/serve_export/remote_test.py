"""On `ram://`, storage that is no folder of this machine: from data to answers."""

import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import tensorflow as tf

from rnn_model import evaluate_command
from rnn_model.config import TrainConfig
from rnn_model.training.loop import train_and_evaluate
from rnn_model.workdir import Workdir
from serve_export import export, exported, layout, predictor, publish, validate

CONFIG = TrainConfig(model="mlp", epochs=2, batch_size=32)


@pytest.fixture
def remote(data_dir):
    """A folder in memory with the data set in `data`."""
    folder = f"ram://{uuid.uuid4().hex}"
    for path in data_dir.iterdir():
        with tf.io.gfile.GFile(f"{folder}/data/{path.name}", "wb") as file:
            file.write(path.read_bytes())
    return folder


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """The working directory: a path taken for a local one would show there."""
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.iterdir())


def names_in(folder):
    return {
        f"{path}/{name}".removeprefix(f"{folder}/")
        for path, _, names in tf.io.gfile.walk(folder)
        for name in names
    }


@pytest.mark.usefixtures("nowhere")
def test_train_evaluate_export_and_answer(remote, doodles):
    data, run, out = f"{remote}/data", f"{remote}/runs/mlp", f"{remote}/exports/mlp"
    train_and_evaluate(CONFIG, data, run)
    assert len(Workdir(run).read_history()) == 2
    assert any("tfevents" in name for name in names_in(f"{run}/logs"))
    train_and_evaluate(CONFIG, data, run)  # goes on, and finds that it is over
    assert len(Workdir(run).read_history()) == 2

    report_dir = f"{remote}/report"
    report = evaluate_command.evaluate(run, data, report_dir, partial_drawings=0)
    assert report["runs"][0]["examples"] > 0
    assert {"metrics.json", "index.html", "confusion-mlp.png"} <= names_in(report_dir)

    assert export.export(export.Source(run, data), out) == f"{out}/1"
    assert {"model.tflite", "saved_model.pb", "model_card.md"} <= names_in(f"{out}/1")
    assert layout.newest_version(out) == f"{out}/1"
    assert set(exported.read(f"{out}/1").examples) == set(Workdir(run).read_classes())
    drawing = [[[0, 255], [0, 255]]]
    answers = [
        predictor.Predictor(out, runtime).guess(drawing, top_k=1)[0]
        for runtime in predictor.RUNTIMES
    ]
    assert answers[0].word == answers[1].word
    assert export.export(export.Source(run), out, ["litert"]) == f"{out}/2"


def test_what_fails_leaves_no_version(trained_mlp, monkeypatch):
    out = f"ram://{uuid.uuid4().hex}"
    monkeypatch.setattr(validate, "TOLERANCE", -1.0)
    with pytest.raises(ValueError, match="answers otherwise"):
        export.export(export.Source(str(trained_mlp)), out, ["litert"])
    assert names_in(out) == set()


def test_the_last_file_makes_a_version(monkeypatch):
    out = f"ram://{uuid.uuid4().hex}"
    names = ["variables/variables.index", *publish.LAST]

    def write():
        with publish.new_version(out) as (aside, target):
            for name in names:
                path = Path(aside, name)
                path.parent.mkdir(exist_ok=True)
                path.write_text(name)
        return target

    copied = []
    copy = tf.io.gfile.copy

    def fail_at_last(source, target):
        if source.endswith(publish.LAST[-1]):
            raise tf.errors.ResourceExhaustedError(None, None, "full")
        copied.append(target)
        copy(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(tf.io.gfile, "copy", fail_at_last)
        with pytest.raises(tf.errors.ResourceExhaustedError):
            write()
    assert copied == [f"{out}/1/{name}" for name in names[:-1]]
    assert layout.versions(out) == []
    assert write() == f"{out}/1"
    assert layout.versions(out) == [1]


WITHOUT_TENSORFLOW = """
import sys
from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.localfilesystem import LocalFileSystem
from serve_export import exported, predict, predictor

class Shelf(LocalFileSystem):
    # Under another scheme, as if it were far away.
    @classmethod
    def scheme(cls):
        return "shelf"
    def open(self, path, *rest, **settings):
        return super().open(path.removeprefix("shelf:/"), *rest, **settings)
    def exists(self, path):
        return super().exists(path.removeprefix("shelf:/"))
    def match(self, patterns, limits=None):
        (found,) = super().match([patterns[0].removeprefix("shelf:/")], limits)
        found.metadata_list = [
            FileMetadata(f"shelf:/{each.path}", each.size_in_bytes)
            for each in found.metadata_list
        ]
        return [found]

found = predictor.Predictor(f"shelf:/{sys.argv[1]}")
assert exported.read(found.path).examples, found.path
print(found.path, found.guess([[[0, 255], [0, 255]]], top_k=1)[0].word)
sys.argv = ["predict", f"--export_dir={found.path}"]
sys.argv.append(f"--input={found.path}/examples.ndjson")
predict.run()
assert "tensorflow" not in sys.modules
"""


def test_what_beam_reaches_is_served_without_tensorflow(exported_rnn, tmp_path):
    shutil.copytree(exported_rnn, tmp_path / "rnn" / "3")
    (tmp_path / "rnn" / "4").mkdir()  # on its way
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, str(tmp_path / "rnn")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first, *answers = done.stdout.splitlines()
    assert first.startswith(f"shelf:/{tmp_path}/rnn/3 ")
    examples = (exported_rnn / "examples.ndjson").read_text()
    assert len(answers) == len(examples.splitlines())
