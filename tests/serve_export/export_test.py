"""The export: its layout, its signatures, and that it needs none of our code."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipeline.formats.text.ndjson_lines import parse_simplified
from rnn_model import input_pipeline
from rnn_model.evaluation.evaluator import make_logits_fn
from rnn_model.workdir import Workdir
from serve_export import export, layout, validate
from tfrecords import encode
from tfrecords.dataset_info import load_dataset_info

TOLERANCE = 1e-5

ELSEWHERE = """
import json, sys
import numpy as np
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
data = np.load(sys.argv[2])
answer = model.signatures["serving_default"](
    ink=tf.constant(data["ink"]), length=tf.constant(data["length"])
)
np.save(sys.argv[3], answer["probabilities"].numpy())
ours = ("rnn_model", "tfrecords", "pipeline", "serve_export")
print(json.dumps([name for name in ours if name in sys.modules]))
"""


@pytest.fixture(scope="module")
def batch(data_dir):
    info = load_dataset_info(str(data_dir))
    return next(iter(input_pipeline.evaluation_batches(info, str(data_dir), "test", 8)))


def keras_answer(workdir, batch):
    model = Workdir(str(workdir)).load_best()
    inputs = {"ink": batch["ink"], "length": batch["length"]}
    return tf.nn.softmax(model(inputs, training=False)).numpy()


def test_answers_as_keras_does_in_a_process_without_our_code(
    trained_rnn, exported_rnn, batch, tmp_path
):
    np.savez(tmp_path / "batch.npz", ink=batch["ink"], length=batch["length"])
    arguments = [exported_rnn, tmp_path / "batch.npz", tmp_path / "answer.npy"]
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *map(str, arguments)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
    answer = np.load(tmp_path / "answer.npy")
    np.testing.assert_allclose(answer, keras_answer(trained_rnn, batch), atol=TOLERANCE)
    np.testing.assert_allclose(answer.sum(axis=1), 1, atol=TOLERANCE)


@pytest.fixture(scope="module")
def signatures(exported_mlp):
    return tf.saved_model.load(str(exported_mlp)).signatures


def test_bitmap_models_answer_ink(signatures, trained_mlp, batch):
    given = {"ink": batch["ink"], "length": batch["length"]}
    answer = signatures["serving_default"](**given)["probabilities"]
    np.testing.assert_allclose(answer, keras_answer(trained_mlp, batch), atol=TOLERANCE)


def test_bitmap_models_take_a_bitmap_too(signatures, trained_mlp, batch):
    model = Workdir(str(trained_mlp)).load_best()
    bitmap = model.get_layer("bitmap")(batch["ink"], batch["length"])
    answer = signatures["serve_bitmaps"](bitmap=bitmap)["probabilities"]
    np.testing.assert_allclose(answer, keras_answer(trained_mlp, batch), atol=TOLERANCE)


def test_versions_count_up_and_nothing_half_done_stays(trained_mlp, tmp_path):
    (tmp_path / "7").mkdir()
    source = export.Source(str(trained_mlp))
    path = export.export(source, str(tmp_path), ["litert_int8"])
    assert path == str(tmp_path / "8")
    assert {path.name for path in tmp_path.iterdir()} == {"7", "8"}
    models = {path.name for path in (tmp_path / "8").glob("*model*")}
    assert models == {layout.QUANTISED, layout.MODEL_CARD}


def test_words_and_facts_travel_along(trained_rnn, exported_rnn):
    assets = exported_rnn / "assets"
    words = (assets / layout.CLASSES_ASSET).read_text().splitlines()
    assert tuple(words) == Workdir(str(trained_rnn)).read_classes()
    facts = json.loads((assets / layout.FACTS_ASSET).read_text())
    assert facts["model"] == "rnn"
    assert facts["box"] == 255
    assert facts["epsilon"] == 2.0


def saved_model_cli(*arguments):
    command = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli"]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_saved_model_cli_shows_a_signature(exported_rnn):
    named = ("--tag_set=serve", "--signature_def=classify")
    shown = saved_model_cli("show", f"--dir={exported_rnn}", *named)
    assert "inputs['inputs'] tensor_info" in shown
    assert "Method name is: tensorflow/serving/classify" in shown


def test_saved_model_cli_runs_it(exported_rnn, batch, tmp_path):
    np.save(tmp_path / "ink.npy", batch["ink"][:2])
    np.save(tmp_path / "length.npy", batch["length"][:2])
    given = f"ink={tmp_path}/ink.npy;length={tmp_path}/length.npy"
    named = ("--tag_set=serve", "--signature_def=serving_default")
    saved_model_cli(
        "run", f"--dir={exported_rnn}", *named, f"--inputs={given}",
        f"--outdir={tmp_path}",
    )  # fmt: skip
    answer = np.load(tmp_path / "probabilities.npy")
    assert answer.shape[0] == 2
    np.testing.assert_allclose(answer.sum(axis=1), 1, atol=TOLERANCE)


def test_classify_has_the_form_of_tf_serving(exported_rnn, trained_rnn, batch):
    records = [
        encode.encode_example(ink=ink[:length], class_index=0, key_id="1")
        for ink, length in zip(batch["ink"].numpy(), batch["length"].numpy())
    ]
    signature = tf.saved_model.load(str(exported_rnn)).signatures["classify"]
    answer = signature(inputs=tf.constant(records))
    expected = keras_answer(trained_rnn, batch)
    words = Workdir(str(trained_rnn)).read_classes()
    assert answer["classes"].dtype == tf.string
    assert [row[0].decode() for row in answer["classes"].numpy()] == [
        words[i] for i in expected.argmax(axis=1)
    ]
    np.testing.assert_allclose(
        answer["scores"], -np.sort(-expected, axis=1), atol=TOLERANCE
    )


def test_made_beside_a_gpu_it_holds_no_op_that_a_cpu_lacks(
    trained_rnn, tmp_path, monkeypatch
):
    """Keras asks whether there is a GPU; here it is told that there is one."""
    backend = sys.modules["keras.src.backend.tensorflow.rnn"]
    monkeypatch.setattr(backend, "_is_gpu_available", lambda: True)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    model = Workdir(str(trained_rnn)).load_best()
    graph = make_logits_fn(model).get_concrete_function().graph.as_graph_def()
    assert b"CudnnRNN" in graph.SerializeToString(), "else this would prove nothing"
    source = export.Source(str(trained_rnn))
    path = Path(export.export(source, str(tmp_path), ["savedmodel"]))
    assert b"CudnnRNN" not in (path / layout.SAVED_MODEL).read_bytes()


def test_the_check_and_the_card_go_along(exported_rnn, trained_rnn):
    metrics = json.loads((exported_rnn / layout.METRICS).read_text())
    names = [row["name"] for row in metrics["formats"]]
    assert names == ["keras", "savedmodel", "litert, float", "litert, int8"]
    for row in metrics["formats"][:3]:
        assert row["difference"] < 1e-4
    card = (exported_rnn / layout.MODEL_CARD).read_text()
    for word in Workdir(str(trained_rnn)).read_classes():
        assert word in card
    assert "CC BY 4.0" in card
    assert "| litert, int8 |" in card
    assert "of the split test, which training never saw" in card
    early = metrics["in_progress"]["top1"]
    assert early[-1]["top1"] == round(metrics["formats"][3]["top1"], 4)
    seen = f"| 25% | {early[0]['drawings']} | {early[0]['top1']:.4f} |"
    assert seen in card


def test_each_class_has_an_example_of_its_own(exported_rnn, trained_rnn, data_dir):
    examples = exported_rnn / layout.EXAMPLES
    drawings = [parse_simplified(line) for line in examples.read_bytes().splitlines()]
    words = [drawing.word for drawing in drawings]
    assert words == sorted(set(words))
    assert set(words) <= set(Workdir(str(trained_rnn)).read_classes())
    test_keys = set()
    info = load_dataset_info(str(data_dir))
    for batch in input_pipeline.evaluation_batches(info, str(data_dir), "test", 8):
        test_keys |= {key.decode() for key in batch["key_id"].numpy()}
    assert {drawing.key_id for drawing in drawings} <= test_keys


def test_a_format_that_answers_otherwise_is_never_seen(
    trained_mlp, tmp_path, monkeypatch
):
    monkeypatch.setattr(validate, "TOLERANCE", -1.0)
    source = export.Source(str(trained_mlp))
    with pytest.raises(ValueError, match="litert, float answers otherwise than Keras"):
        export.export(source, str(tmp_path), ["litert"])
    assert not list(tmp_path.iterdir())


def test_another_data_set_is_refused(trained_mlp, quickly_made, tmp_path):
    source = export.Source(str(trained_mlp), str(quickly_made))
    with pytest.raises(ValueError, match="trained on other classes"):
        export.export(source, str(tmp_path / "exports"))
    assert not (tmp_path / "exports").exists()


@pytest.fixture
def quickly_made(build, doodles, tmp_path):
    build([min(doodles.glob("*"))], tmp_path / "data")
    return tmp_path / "data"


def test_a_run_without_checkpoint_is_a_clear_error(trained_mlp, tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(trained_mlp, workdir)
    shutil.rmtree(workdir / "checkpoints")
    with pytest.raises(ValueError, match="no checkpoint"):
        export.export(export.Source(str(workdir)), str(tmp_path / "exports"))
    assert not (tmp_path / "exports").exists()
