"""Web format: `EXPORT_DIR/<version>/web/`, with which a page classifies by itself.

    local_guesser.js, …  the modules of `static/offline`; a page imports the first
    manifest.json        the classes, the preprocessing, and the names of the files
    model.tflite         LiteRT with 8-bit weights; takes padded ink and its length
    litert/              LiteRT.js and its license notice

Any static file host will do. The runtime is compressed with gzip; the page decompresses
it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pipeline import cli
from serve_export.formats import litert, litert_js
from serve_export.formats.litert_runtime import create_interpreter
from tfrecords import schema

FORMAT_VERSION = 1
"""Version of the manifest, which `static/offline/worker.js` checks."""

MAX_POINTS = 1024
"""Rows of the padded ink; further points are dropped. The longest of 96,550 drawings
has 766 points."""

SCRIPTS_DIR = Path(__file__).parents[1] / "static" / "offline"
MANIFEST_FILE, MODEL_FILE, RUNTIME_DIR = "manifest.json", "model.tflite", "litert"


def write_web(
    model: keras.Model,
    classes: Sequence[str],
    preprocessing: Mapping[str, Any],
    folder: str,
) -> None:
    """Writes the directory of the web format.

    Args:
      model: built with `use_cudnn=False`.
      classes: in the order of the probabilities.
      preprocessing: see `describe_preprocessing`.
      folder: a local directory, which is created.

    Raises:
      ValueError: the model takes bitmaps; rasterizing is not implemented in JavaScript.
      OSError: LiteRT.js cannot be downloaded.
    """
    if preprocessing["input"] != schema.INK:
        raise ValueError(
            f"the format web supports models that take ink. Received: {model.name}"
        )
    runtime_files = litert_js.load_files()
    manifest = {
        "format_version": FORMAT_VERSION,
        "words": list(classes),
        "facts": dict(preprocessing),
        "model": MODEL_FILE,
        "points": MAX_POINTS,
        "runtime": {
            "name": "LiteRT.js",
            "version": litert_js.VERSION,
            "module": f"{RUNTIME_DIR}/{litert_js.MODULE_FILE}",
            "script": f"{RUNTIME_DIR}/{litert_js.SCRIPT_FILE}",
            "wasm": f"{RUNTIME_DIR}/{litert_js.WASM_FILE}.gz",
        },
    }
    files = {
        MANIFEST_FILE: (json.dumps(manifest, indent=1) + "\n").encode(),
        MODEL_FILE: litert.convert_padded(model, MAX_POINTS),
        **{path.name: path.read_bytes() for path in SCRIPTS_DIR.glob("*.js")},
        **{f"{RUNTIME_DIR}/{name}": data for name, data in runtime_files.items()},
    }
    Path(folder, RUNTIME_DIR).mkdir(parents=True)
    for name, data in files.items():
        Path(folder, name).write_bytes(data)


class WebModelRuntime:
    """Runs the model of the web format in Python, on the input that a page makes."""

    def __init__(self, folder: str):
        """Loads the model of a web directory."""
        library = cli.import_extra("ai_edge_litert.interpreter", "train")
        model = Path(folder, MODEL_FILE).read_bytes()
        self._run = create_interpreter(library, model).get_signature_runner()

    def predict_probabilities(
        self, drawings: Sequence[np.ndarray], kind: str = schema.INK
    ) -> np.ndarray:
        """Returns `<float32>[batch, classes]` of ink; see `predictor.Runtime`."""
        return np.concatenate([self._classify(ink) for ink in drawings])

    def _classify(self, ink: np.ndarray) -> np.ndarray:
        ink = ink[:MAX_POINTS]
        padded = np.zeros([1, MAX_POINTS, schema.INK_WIDTH], np.float32)
        padded[0, : len(ink)] = ink
        length = np.array([len(ink)], np.int32)
        (probabilities,) = self._run(ink=padded, length=length).values()
        return probabilities
