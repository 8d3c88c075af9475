"""A model → the web: `DIR/<version>/web/`, with which a page guesses by itself.

    local_guesser.js, …    the modules of `static/offline`; a page imports the first
    manifest.json          the words, the facts about the input, and what is where
    model.tflite           weights of eight bits; takes ink, padded, and its length
    litert/                LiteRT.js, and whose it is

Any host of files will do. The runtime is packed with gzip; the page unpacks it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pipeline import cli
from serve_export.formats import litert, litert_js, litert_runtime
from tfrecords import schema

FORMAT_VERSION = 1
"""Of the manifest; `static/offline/worker.js` asks for it."""

POINTS = 1024
"""Of the ink with its padding. The longest of 96,550 drawings has 766 points; what goes
beyond is not looked at."""

SCRIPTS = Path(__file__).parents[1] / "static" / "offline"
MANIFEST, MODEL, RUNTIME = "manifest.json", "model.tflite", "litert"


def write(
    model: keras.Model, words: Sequence[str], facts: Mapping[str, Any], folder: str
) -> None:
    """Writes the folder.

    Args:
      model: built with `use_cudnn=False`.
      words: in the order of the probabilities.
      facts: see `export.facts`.
      folder: where to; is made.

    Raises:
      ValueError: the model reads bitmaps, which a page cannot draw as training did.
      OSError: LiteRT.js cannot be fetched.
    """
    if facts["input"] != schema.INK:
        raise ValueError(f"the web format is for models of strokes, not {model.name}")
    runtime = litert_js.files()
    manifest = {
        "format_version": FORMAT_VERSION,
        "words": list(words),
        "facts": dict(facts),
        "model": MODEL,
        "points": POINTS,
        "runtime": {
            "name": "LiteRT.js",
            "version": litert_js.VERSION,
            "module": f"{RUNTIME}/{litert_js.MODULE}",
            "script": f"{RUNTIME}/{litert_js.SCRIPT}",
            "wasm": f"{RUNTIME}/{litert_js.WASM}.gz",
        },
    }
    files = {
        MANIFEST: (json.dumps(manifest, indent=1) + "\n").encode(),
        MODEL: litert.convert_padded(model, POINTS),
        **{path.name: path.read_bytes() for path in SCRIPTS.glob("*.js")},
        **{f"{RUNTIME}/{name}": data for name, data in runtime.items()},
    }
    tf.io.gfile.makedirs(tf.io.gfile.join(folder, RUNTIME))
    for name, data in files.items():
        with tf.io.gfile.GFile(tf.io.gfile.join(folder, name), "wb") as file:
            file.write(data)


class Padded:
    """The model of a web folder, run as the page runs it, but here and not there."""

    def __init__(self, folder: str):
        library = cli.import_extra("ai_edge_litert.interpreter", "train")
        with tf.io.gfile.GFile(tf.io.gfile.join(folder, MODEL), "rb") as file:
            model = file.read()
        with litert_runtime.silence():
            interpreter = library.Interpreter(model_content=model, num_threads=1)
            interpreter.allocate_tensors()
        self._run = interpreter.get_signature_runner()

    def probabilities(
        self, drawings: Sequence[np.ndarray], kind: str = schema.INK
    ) -> np.ndarray:
        """Gives `<float32>[batch, classes]` of ink; see `predictor.Runtime`."""
        return np.concatenate([self._answer(ink) for ink in drawings])

    def _answer(self, ink: np.ndarray) -> np.ndarray:
        padded = np.zeros([1, POINTS, schema.INK_WIDTH], np.float32)
        known = ink[:POINTS]
        padded[0, : len(known)] = known
        (answer,) = self._run(ink=padded, length=np.int32([len(known)])).values()
        return answer
