"""The web format: a model with padded ink that agrees with the other formats."""

import json

import numpy as np
import pytest

from rnn_model.workdir import Workdir
from serve_export.formats import litert_js, web
from serve_export.formats.preprocessing import describe_preprocessing
from serve_export.predictor import Predictor

RUNTIME_FILES = {litert_js.MODULE_FILE: b"core", f"{litert_js.WASM_FILE}.gz": b"wasm"}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setattr(litert_js, "load_files", lambda: RUNTIME_FILES)


def write_web(workdir, folder):
    run = Workdir(str(workdir))
    model = run.load_best(use_cudnn=False)
    preprocessing = describe_preprocessing(model.name, len(run.read_classes()))
    web.write_web(model, run.read_classes(), preprocessing, str(folder))


@pytest.fixture(scope="module")
def folder(trained_rnn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(litert_js, "load_files", lambda: RUNTIME_FILES)
        write_web(trained_rnn, folder / "web")
    return folder / "web"


def make_inks(lengths, seed=0):
    """Random ink of the given lengths."""
    rng = np.random.default_rng(seed)
    for length in lengths:
        ink = rng.normal(0, 0.1, [length, 3]).astype(np.float32)
        ink[:, 2] = rng.random(length) < 0.1
        yield ink


def test_padded_model_agrees_with_the_model_of_dynamic_length(folder, exported_rnn):
    inks = list(make_inks([1, 2, 45, 766, web.MAX_POINTS]))
    actual = web.WebModelRuntime(str(folder)).predict_probabilities(inks)
    expected = Predictor(str(exported_rnn), "litert").predict_probabilities(inks)
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_points_beyond_the_padding_are_dropped(folder):
    (long,) = make_inks([web.MAX_POINTS + 10])
    whole, cut = web.WebModelRuntime(str(folder)).predict_probabilities(
        [long, long[: web.MAX_POINTS]]
    )
    np.testing.assert_array_equal(whole, cut)


def test_manifest_names_existing_files(folder, trained_rnn):
    manifest = json.loads((folder / web.MANIFEST_FILE).read_text())
    assert tuple(manifest["words"]) == Workdir(str(trained_rnn)).read_classes()
    assert manifest["facts"]["box"] == 255
    assert manifest["points"] == web.MAX_POINTS
    assert (folder / manifest["model"]).stat().st_size < 2e6
    assert (folder / manifest["runtime"]["module"]).read_bytes() == b"core"
    assert (folder / manifest["runtime"]["wasm"]).read_bytes() == b"wasm"


def test_worker_script_accepts_the_manifest_version(folder):
    worker = (folder / "worker.js").read_text()
    assert f"const FORMAT_VERSION = {web.FORMAT_VERSION};" in worker
    assert {"local_guesser.js", "strokes.js"} <= {
        path.name for path in folder.iterdir()
    }


def test_bitmap_model_is_refused(trained_mlp, tmp_path):
    with pytest.raises(ValueError, match="Received: mlp"):
        write_web(trained_mlp, tmp_path / "web")
    assert not (tmp_path / "web").exists()
