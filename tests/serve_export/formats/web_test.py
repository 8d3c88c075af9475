"""The web folder: a model with padded ink that answers as the others do."""

import json

import numpy as np
import pytest

from rnn_model.workdir import Workdir
from serve_export.export import facts
from serve_export.formats import litert_js, web
from serve_export.predictor import Predictor

RUNTIME = {litert_js.MODULE: b"core", f"{litert_js.WASM}.gz": b"wasm"}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setattr(litert_js, "files", lambda: RUNTIME)


def write(workdir, folder):
    run = Workdir(str(workdir))
    model = run.load_best(use_cudnn=False)
    web.write(model, run.read_classes(), facts(run, model), str(folder))


@pytest.fixture(scope="module")
def folder(trained_rnn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(litert_js, "files", lambda: RUNTIME)
        write(trained_rnn, folder)
    return folder


def inks(lengths, seed=0):
    """Walks of so many points."""
    rng = np.random.default_rng(seed)
    for length in lengths:
        ink = rng.normal(0, 0.1, [length, 3]).astype(np.float32)
        ink[:, 2] = rng.random(length) < 0.1
        yield ink


def test_answers_as_the_model_of_any_length(folder, exported_rnn):
    some = list(inks([1, 2, 45, 766, web.POINTS]))
    answer = web.Padded(str(folder)).probabilities(some)
    right = Predictor(str(exported_rnn), "litert").probabilities(some)
    np.testing.assert_allclose(answer, right, atol=1e-5)


def test_points_beyond_the_padding_are_not_looked_at(folder):
    (long,) = inks([web.POINTS + 10])
    whole, cut = web.Padded(str(folder)).probabilities([long, long[: web.POINTS]])
    np.testing.assert_array_equal(whole, cut)


def test_the_manifest_names_files_that_are_there(folder, trained_rnn):
    manifest = json.loads((folder / web.MANIFEST).read_text())
    assert tuple(manifest["words"]) == Workdir(str(trained_rnn)).read_classes()
    assert manifest["facts"]["box"] == 255
    assert manifest["points"] == web.POINTS
    assert (folder / manifest["model"]).stat().st_size < 2e6
    assert (folder / manifest["runtime"]["module"]).read_bytes() == b"core"
    assert (folder / manifest["runtime"]["wasm"]).read_bytes() == b"wasm"


def test_the_page_knows_this_manifest(folder):
    worker = (folder / "worker.js").read_text()
    assert f"const FORMAT_VERSION = {web.FORMAT_VERSION};" in worker
    assert {"local_guesser.js", "strokes.js"} <= {
        path.name for path in folder.iterdir()
    }


def test_a_model_of_bitmaps_is_refused(trained_mlp, tmp_path):
    with pytest.raises(ValueError, match="for models of strokes, not mlp"):
        write(trained_mlp, tmp_path / "web")
    assert not (tmp_path / "web").exists()
