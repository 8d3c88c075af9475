"""The export: its layout, its signatures, and that it needs none of our code."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from rnn_model import input_pipeline
from rnn_model.workdir import Workdir
from serve_export import export, layout

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
    info = input_pipeline.load_info(str(data_dir))
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


@pytest.mark.parametrize("model", ["trained_cnn", "trained_mlp"])
def test_bitmap_models_export_too(model, batch, tmp_path, request):
    workdir = request.getfixturevalue(model)
    path = export.export(str(workdir), str(tmp_path))
    signature = tf.saved_model.load(path).signatures["serving_default"]
    answer = signature(ink=batch["ink"], length=batch["length"])["probabilities"]
    np.testing.assert_allclose(answer, keras_answer(workdir, batch), atol=TOLERANCE)


def test_versions_count_up_and_nothing_half_done_stays(trained_rnn, tmp_path):
    (tmp_path / "7").mkdir()
    assert export.export(str(trained_rnn), str(tmp_path)) == str(tmp_path / "8")
    assert {path.name for path in tmp_path.iterdir()} == {"7", "8"}


def test_words_and_facts_travel_along(trained_rnn, exported_rnn):
    assets = exported_rnn / "assets"
    words = (assets / layout.CLASSES_ASSET).read_text().splitlines()
    assert tuple(words) == Workdir(str(trained_rnn)).classes()
    facts = json.loads((assets / layout.FACTS_ASSET).read_text())
    assert facts["model"] == "rnn"
    assert facts["box"] == 255
    assert facts["epsilon"] == 2.0


def test_holds_no_op_that_a_gpu_alone_has(exported_rnn):
    assert b"CudnnRNN" not in (exported_rnn / "saved_model.pb").read_bytes()


def test_a_run_without_checkpoint_is_a_clear_error(trained_rnn, tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(trained_rnn, workdir)
    shutil.rmtree(workdir / "checkpoints")
    with pytest.raises(ValueError, match="no checkpoint"):
        export.export(str(workdir), str(tmp_path / "exports"))
    assert not (tmp_path / "exports").exists()
