"""The export: its files and signatures, which need no code of this project."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.formats.text.ndjson_lines import parse_simplified
from rnn_model import input_pipeline
from rnn_model.evaluation.evaluator import make_logits_fn
from rnn_model.workdir import Workdir
from serve_export import export, layout
from serve_export.validation import compare_formats
from serve_export.validation.drawings import EXAMPLES_PER_CLASS
from tfrecords import encode
from tfrecords.dataset_info import load_dataset_info

TOLERANCE = 1e-5

WITHOUT_PROJECT = """
import json, sys
import numpy as np
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
data = np.load(sys.argv[2])
outputs = model.signatures["serving_default"](
    ink=tf.constant(data["ink"]), length=tf.constant(data["length"])
)
np.save(sys.argv[3], outputs["probabilities"].numpy())
packages = ("rnn_model", "tfrecords", "pipeline", "serve_export")
print(json.dumps([name for name in packages if name in sys.modules]))
"""


@pytest.fixture(scope="module")
def batch(data_dir):
    info = load_dataset_info(str(data_dir))
    return next(iter(input_pipeline.evaluation_batches(info, str(data_dir), "test", 8)))


def predict_with_keras(workdir, batch):
    model = Workdir(str(workdir)).load_best()
    inputs = {"ink": batch["ink"], "length": batch["length"]}
    return tf.nn.softmax(model(inputs, training=False)).numpy()


def test_savedmodel_agrees_with_keras_in_a_process_without_the_project(
    trained_rnn, exported_rnn, batch, tmp_path
):
    np.savez(tmp_path / "batch.npz", ink=batch["ink"], length=batch["length"])
    arguments = [exported_rnn, tmp_path / "batch.npz", tmp_path / "probabilities.npy"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PROJECT, *map(str, arguments)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
    probabilities = np.load(tmp_path / "probabilities.npy")
    np.testing.assert_allclose(
        probabilities, predict_with_keras(trained_rnn, batch), atol=TOLERANCE
    )
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=TOLERANCE)


@pytest.fixture(scope="module")
def signatures(exported_mlp):
    return tf.saved_model.load(str(exported_mlp)).signatures


def test_bitmap_models_take_ink(signatures, trained_mlp, batch):
    inputs = {"ink": batch["ink"], "length": batch["length"]}
    probabilities = signatures["serving_default"](**inputs)["probabilities"]
    np.testing.assert_allclose(
        probabilities, predict_with_keras(trained_mlp, batch), atol=TOLERANCE
    )


def test_bitmap_models_take_bitmaps(signatures, trained_mlp, batch):
    model = Workdir(str(trained_mlp)).load_best()
    bitmap = model.get_layer("bitmap")(batch["ink"], batch["length"])
    probabilities = signatures["serve_bitmaps"](bitmap=bitmap)["probabilities"]
    np.testing.assert_allclose(
        probabilities, predict_with_keras(trained_mlp, batch), atol=TOLERANCE
    )


def test_versions_count_up_and_no_temporary_files_remain(trained_mlp, tmp_path):
    (tmp_path / "7").mkdir()
    path = export.export(str(trained_mlp), str(tmp_path), formats=["litert_int8"])
    assert path == str(tmp_path / "8")
    assert {path.name for path in tmp_path.iterdir()} == {"7", "8"}
    models = {path.name for path in (tmp_path / "8").glob("*model*")}
    assert models == {layout.LITERT_INT8_FILE, layout.MODEL_CARD_FILE}


def test_classes_and_preprocessing_are_assets(trained_rnn, exported_rnn):
    assets = exported_rnn / "assets"
    classes = (assets / layout.CLASSES_FILE).read_text().splitlines()
    assert tuple(classes) == Workdir(str(trained_rnn)).read_classes()
    preprocessing = json.loads((assets / layout.PREPROCESSING_FILE).read_text())
    assert preprocessing["model"] == "rnn"
    assert preprocessing["box"] == 255
    assert preprocessing["epsilon"] == 2.0


def test_serve_ink_finds_the_length(exported_rnn, trained_rnn, batch):
    layer = keras.layers.TFSMLayer(str(exported_rnn), call_endpoint="serve_ink")
    probabilities = layer(batch["ink"])["probabilities"]
    expected = predict_with_keras(trained_rnn, batch)
    np.testing.assert_allclose(probabilities, expected, atol=TOLERANCE)


def saved_model_cli(*arguments):
    command = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli"]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_saved_model_cli_shows_a_signature(exported_rnn):
    arguments = ("--tag_set=serve", "--signature_def=classify")
    output = saved_model_cli("show", f"--dir={exported_rnn}", *arguments)
    assert "inputs['inputs'] tensor_info" in output
    assert "Method name is: tensorflow/serving/classify" in output


def test_saved_model_cli_runs_a_signature(exported_rnn, batch, tmp_path):
    np.save(tmp_path / "ink.npy", batch["ink"][:2])
    np.save(tmp_path / "length.npy", batch["length"][:2])
    inputs = f"ink={tmp_path}/ink.npy;length={tmp_path}/length.npy"
    arguments = ("--tag_set=serve", "--signature_def=serving_default")
    saved_model_cli(
        "run", f"--dir={exported_rnn}", *arguments, f"--inputs={inputs}",
        f"--outdir={tmp_path}",
    )  # fmt: skip
    probabilities = np.load(tmp_path / "probabilities.npy")
    assert probabilities.shape[0] == 2
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=TOLERANCE)


def test_classify_returns_classes_and_scores(exported_rnn, trained_rnn, batch):
    records = [
        encode.encode_example(ink=ink[:length], class_index=0, key_id="1")
        for ink, length in zip(batch["ink"].numpy(), batch["length"].numpy())
    ]
    signature = tf.saved_model.load(str(exported_rnn)).signatures["classify"]
    outputs = signature(inputs=tf.constant(records))
    expected = predict_with_keras(trained_rnn, batch)
    classes = Workdir(str(trained_rnn)).read_classes()
    assert outputs["classes"].dtype == tf.string
    assert [row[0].decode() for row in outputs["classes"].numpy()] == [
        classes[i] for i in expected.argmax(axis=1)
    ]
    np.testing.assert_allclose(
        outputs["scores"], -np.sort(-expected, axis=1), atol=TOLERANCE
    )


def test_export_on_a_gpu_contains_no_cudnn_operation(
    trained_rnn, tmp_path, monkeypatch
):
    """Keras is made to believe that there is a GPU."""
    backend = sys.modules["keras.src.backend.tensorflow.rnn"]
    monkeypatch.setattr(backend, "_is_gpu_available", lambda: True)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    model = Workdir(str(trained_rnn)).load_best()
    graph = make_logits_fn(model).get_concrete_function().graph.as_graph_def()
    assert b"CudnnRNN" in graph.SerializeToString(), (
        "otherwise this test could not fail"
    )
    exported = export.export(str(trained_rnn), str(tmp_path), formats=["savedmodel"])
    assert b"CudnnRNN" not in Path(exported, layout.SAVED_MODEL_FILE).read_bytes()


def test_metrics_and_model_card_are_written(exported_rnn, trained_rnn):
    metrics = json.loads((exported_rnn / layout.METRICS_FILE).read_text())
    names = [row["name"] for row in metrics["formats"]]
    assert names == ["keras", "savedmodel", "litert, float", "litert, int8"]
    for row in metrics["formats"][:3]:
        assert row["difference"] < 1e-4
    card = (exported_rnn / layout.MODEL_CARD_FILE).read_text()
    for word in Workdir(str(trained_rnn)).read_classes():
        assert word in card
    assert "CC BY 4.0" in card
    assert "| litert, int8 |" in card
    assert "of the split test, which were not used for training" in card
    partial = metrics["in_progress"]["top1"]
    assert partial[-1]["top1"] == round(metrics["formats"][3]["top1"], 4)
    row = f"| 25% | {partial[0]['drawings']} | {partial[0]['top1']:.4f} |"
    assert row in card


def test_each_class_has_examples_from_the_test_split(
    exported_rnn, trained_rnn, data_dir
):
    examples = exported_rnn / layout.EXAMPLES_FILE
    drawings = [parse_simplified(line) for line in examples.read_bytes().splitlines()]
    words = [drawing.word for drawing in drawings]
    assert words == sorted(words)
    assert max(words.count(word) for word in words) <= EXAMPLES_PER_CLASS
    assert set(words) <= set(Workdir(str(trained_rnn)).read_classes())
    test_keys = set()
    info = load_dataset_info(str(data_dir))
    for batch in input_pipeline.evaluation_batches(info, str(data_dir), "test", 8):
        test_keys |= {key.decode() for key in batch["key_id"].numpy()}
    assert {drawing.key_id for drawing in drawings} <= test_keys


def test_examples_of_another_data_set(trained_mlp, data_dir, build, doodles, tmp_path):
    build([doodles / "*.ndjson"], tmp_path / "data", max_per_class=8)
    version = export.export(
        str(trained_mlp),
        str(tmp_path / "exports"),
        data_dir=str(data_dir),
        examples_data_dir=str(tmp_path / "data"),
        formats=["litert_int8"],
    )
    text = Path(version, layout.EXAMPLES_FILE).read_text()
    other = load_dataset_info(str(tmp_path / "data")).splits["test"]
    assert 0 < len(text.splitlines()) <= other.examples
    metrics = json.loads(Path(version, layout.METRICS_FILE).read_text())
    own = load_dataset_info(str(data_dir)).splits["test"]
    assert metrics["accuracy"]["all"]["drawings"] == own.examples > other.examples


def test_format_that_differs_from_keras_is_not_published(
    trained_mlp, tmp_path, monkeypatch
):
    monkeypatch.setattr(compare_formats, "TOLERANCE", -1.0)
    with pytest.raises(ValueError, match="litert, float differs from Keras"):
        export.export(str(trained_mlp), str(tmp_path), formats=["litert"])
    assert not list(tmp_path.iterdir())


def test_data_set_with_other_classes_is_an_error(trained_mlp, one_class_dir, tmp_path):
    output_dir = tmp_path / "exports"
    with pytest.raises(ValueError, match="trained on other classes"):
        export.export(str(trained_mlp), str(output_dir), data_dir=str(one_class_dir))
    assert not output_dir.exists()


@pytest.fixture
def one_class_dir(build, doodles, tmp_path):
    build([min(doodles.glob("*"))], tmp_path / "data")
    return tmp_path / "data"


def test_run_without_checkpoint_is_an_error(trained_mlp, tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(trained_mlp, workdir)
    shutil.rmtree(workdir / "checkpoints")
    with pytest.raises(ValueError, match="no checkpoint"):
        export.export(str(workdir), str(tmp_path / "exports"))
    assert not (tmp_path / "exports").exists()
