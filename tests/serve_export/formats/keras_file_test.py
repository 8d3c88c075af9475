"""The Keras format is loaded by Keras in another process."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnn_model.workdir import Workdir
from serve_export import export, layout

ROOT = Path(__file__).parents[3]

LOAD = """
import sys
import keras
import numpy as np
import rnn_model.models
model = keras.saving.load_model(sys.argv[1])
data = np.load(sys.argv[2])
inputs = {"ink": data["ink"], "length": data["length"]}
np.save(sys.argv[3], model(inputs, training=False))
"""


@pytest.mark.parametrize("run", ["trained_rnn", "trained_cnn", "trained_mlp"])
def test_keras_loads_the_file(run, request, tmp_path):
    workdir = request.getfixturevalue(run)
    path = export.export(str(workdir), str(tmp_path / "out"), formats=["keras"])
    rng = np.random.default_rng(0)
    inputs = {
        "ink": rng.normal(0, 0.1, [2, 9, 3]).astype(np.float32),
        "length": np.array([9, 4], np.int32),
    }
    np.savez(tmp_path / "inputs.npz", **inputs)
    arguments = [f"{path}/{layout.KERAS_FILE}", "inputs.npz", "logits.npy"]
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    expected = Workdir(str(workdir)).load_best()(inputs, training=False)
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), expected, atol=1e-5)
    classes = f"{path}/{layout.ASSETS_DIR}/{layout.CLASSES_FILE}"
    with open(classes, encoding="utf-8") as file:
        assert tuple(file.read().splitlines()) == Workdir(str(workdir)).read_classes()
