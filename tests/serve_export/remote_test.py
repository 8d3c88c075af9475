"""From data set to predictions on remote storage: `ram://` and a scheme of Beam."""

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
from serve_export import export, layout, predictor, publish
from serve_export.validation import compare_formats
from tfrecords import storage

CONFIG = TrainConfig(model="mlp", epochs=2, batch_size=32)


@pytest.fixture
def remote(data_dir):
    """A remote directory with the data set in `data`."""
    folder = f"ram://{uuid.uuid4().hex}"
    for path in data_dir.iterdir():
        with tf.io.gfile.GFile(f"{folder}/data/{path.name}", "wb") as file:
            file.write(path.read_bytes())
    return folder


@pytest.fixture
def empty_working_dir(tmp_path, monkeypatch):
    """An empty working directory: a file appears in it if a path is taken for local."""
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.iterdir())


def names_in(folder):
    return {
        f"{path}/{name}".removeprefix(f"{folder}/")
        for path, _, names in tf.io.gfile.walk(folder)
        for name in names
    }


@pytest.mark.usefixtures("empty_working_dir")
def test_train_evaluate_export_and_predict(remote, doodles):
    data, run, out = f"{remote}/data", f"{remote}/runs/mlp", f"{remote}/exports/mlp"
    train_and_evaluate(CONFIG, data, run)
    assert len(Workdir(run).read_history()) == 2
    assert any("tfevents" in name for name in names_in(f"{run}/logs"))
    train_and_evaluate(CONFIG, data, run)  # resumes a run that is complete
    assert len(Workdir(run).read_history()) == 2

    report_dir = f"{remote}/report"
    report = evaluate_command.evaluate(run, data, report_dir, partial_drawings=0)
    assert report["runs"][0]["examples"] > 0
    assert {"metrics.json", "index.html", "confusion-mlp.png"} <= names_in(report_dir)

    assert export.export(run, out, data_dir=data) == f"{out}/1"
    assert {"model.tflite", "saved_model.pb", "model_card.md"} <= names_in(f"{out}/1")
    assert layout.find_newest_version(out) == f"{out}/1"
    assert set(layout.load_export_info(f"{out}/1").examples) == set(
        Workdir(run).read_classes()
    )
    drawing = [[[0, 255], [0, 255]]]
    guesses = [
        predictor.Predictor(out, runtime).guess(drawing, top_k=1)[0]
        for runtime in predictor.RUNTIMES
    ]
    assert guesses[0].word == guesses[1].word
    assert export.export(run, out, formats=["litert"]) == f"{out}/2"


def test_failed_export_leaves_no_version(trained_mlp, monkeypatch):
    out = f"ram://{uuid.uuid4().hex}"
    monkeypatch.setattr(compare_formats, "TOLERANCE", -1.0)
    with pytest.raises(ValueError, match="differs from Keras"):
        export.export(str(trained_mlp), out, formats=["litert"])
    assert names_in(out) == set()


def test_last_file_makes_the_version_visible(monkeypatch):
    out = f"ram://{uuid.uuid4().hex}"
    names = ["variables/variables.index", *publish.LAST_FILES]

    def write():
        with publish.new_version(out) as (staging_dir, version_dir):
            for name in names:
                path = Path(staging_dir, name)
                path.parent.mkdir(exist_ok=True)
                path.write_text(name)
        return version_dir

    copied = []
    copy = storage.copy

    def fail_at_last(source, target):
        if source.endswith(publish.LAST_FILES[-1]):
            raise OSError("disk full")
        copied.append(target)
        copy(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "copy", fail_at_last)
        with pytest.raises(OSError, match="disk full"):
            write()
    assert copied == [f"{out}/1/{name}" for name in names[:-1]]
    assert layout.list_versions(out) == []
    assert write() == f"{out}/1"
    assert layout.list_versions(out) == [1]


WITHOUT_TENSORFLOW = """
import sys
from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.localfilesystem import LocalFileSystem
from serve_export import layout, predict, predictor

class ShelfFileSystem(LocalFileSystem):
    # Local files under a scheme that only Beam knows.
    @classmethod
    def scheme(cls):
        return "shelf"
    def open(self, path, *rest, **settings):
        return super().open(path.removeprefix("shelf:/"), *rest, **settings)
    def exists(self, path):
        return super().exists(path.removeprefix("shelf:/"))
    def match(self, patterns, limits=None):
        (result,) = super().match([patterns[0].removeprefix("shelf:/")], limits)
        result.metadata_list = [
            FileMetadata(f"shelf:/{file.path}", file.size_in_bytes)
            for file in result.metadata_list
        ]
        return [result]

model = predictor.Predictor(f"shelf:/{sys.argv[1]}")
assert layout.load_export_info(model.path).examples, model.path
print(model.path, model.guess([[[0, 255], [0, 255]]], top_k=1)[0].word)
sys.argv = ["predict", f"--export_dir={model.path}"]
sys.argv.append(f"--input={model.path}/examples.ndjson")
predict.run()
assert "tensorflow" not in sys.modules
"""


def test_beam_storage_needs_no_tensorflow(exported_rnn, tmp_path):
    shutil.copytree(exported_rnn, tmp_path / "rnn" / "3")
    (tmp_path / "rnn" / "4").mkdir()  # an incomplete version
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, str(tmp_path / "rnn")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first, *lines = done.stdout.splitlines()
    assert first.startswith(f"shelf:/{tmp_path}/rnn/3 ")
    examples = (exported_rnn / "examples.ndjson").read_text()
    assert len(lines) == len(examples.splitlines())
