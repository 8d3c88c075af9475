"""File names in an export, `EXPORT_DIR/<version>/`, the layout of TensorFlow Serving.

    saved_model.pb, variables/  the SavedModel
    model.keras                 the Keras model
    assets/                     classes.txt and preprocessing.json of the two above
    model.tflite                LiteRT with 8-bit weights, classes and metadata inside
    model_float.tflite          LiteRT with float32 weights
    web/                        the model and scripts for a web page, see `formats.web`
    metrics.json                accuracy and latency of each format
    examples.ndjson             typical drawings of each class
    model_card.md               a summary for readers

`--formats` decides which of them an export has.
"""

import json
import os
from typing import Any, NamedTuple

import ndjson

from tfrecords import storage

CLASSES_FILE = "classes.txt"
"""The classes, one per line, in the order of the probabilities."""

PREPROCESSING_FILE = "preprocessing.json"
"""How the model's input is made from a drawing."""

ASSETS_DIR = "assets"
SAVED_MODEL_FILE = "saved_model.pb"
KERAS_FILE = "model.keras"
LITERT_INT8_FILE = "model.tflite"
LITERT_FLOAT_FILE = "model_float.tflite"
METRICS_FILE = "metrics.json"
EXAMPLES_FILE = "examples.ndjson"
MODEL_CARD_FILE = "model_card.md"
WEB_DIR = "web"

BUNDLED_EXPORT_DIR = os.path.join(os.path.dirname(__file__), "pretrained")
"""The export that is part of the package."""

DEFAULT_ATTRIBUTION = (
    "The Quick, Draw! Dataset, Google, CC BY 4.0 "
    "(https://github.com/googlecreativelab/quickdraw-dataset)"
)
"""Author and license of the drawings that a model was trained on."""


class ExportInfo(NamedTuple):
    """Accuracy and examples; empty for an export made without a data set.

    Attributes:
      top1: top-1 accuracy on the test drawings of each class.
      examples: typical drawings `[[xs, ys], …]` of each class, the clearest first.
      attribution: author and license of the drawings.
    """

    top1: dict[str, float]
    examples: dict[str, list[list[list[list[int]]]]]
    attribution: str


def load_export_info(path: str) -> ExportInfo:
    """Loads the accuracy and the examples of the export `EXPORT_DIR/<version>`."""
    metrics: dict[str, Any] = {}
    if storage.exists(file := storage.join(path, METRICS_FILE)):
        metrics = json.loads(storage.read_text(file))
    examples: dict[str, list[list[list[list[int]]]]] = {}
    if storage.exists(file := storage.join(path, EXAMPLES_FILE)):
        for line in ndjson.loads(storage.read_text(file)):
            examples.setdefault(line["word"], []).append(line["drawing"])
    classes = metrics.get("classes", {})
    return ExportInfo(
        {word: result["top1"] for word, result in classes.items()},
        examples,
        metrics.get("attribution", DEFAULT_ATTRIBUTION),
    )


def find_newest_version(export_dir: str | None = None) -> str:
    """Returns the path of an export's newest version.

    Args:
      export_dir: `EXPORT_DIR` or `EXPORT_DIR/<version>`; the bundled model if None.

    Raises:
      ValueError: there is no export.
    """
    if export_dir is None:
        if not list_versions(BUNDLED_EXPORT_DIR):
            raise ValueError(
                "this installation has no bundled model; pass an export directory "
                "(python -m serve_export.export creates one)"
            )
        export_dir = BUNDLED_EXPORT_DIR
    for name in (SAVED_MODEL_FILE, LITERT_INT8_FILE):
        if storage.exists(storage.join(export_dir, name)):
            return export_dir
    versions = list_versions(export_dir)
    if not versions:
        raise ValueError(
            f"{export_dir} contains no export (python -m serve_export.export creates "
            f"one)"
        )
    return storage.join(export_dir, str(max(versions)))


def list_versions(export_dir: str) -> list[int]:
    """Returns the versions in a directory of exports; none if it does not exist.

    On remote storage, where a directory cannot be renamed, a version is complete once
    it has a model card.
    """
    if storage.is_remote(export_dir):
        cards = storage.match(storage.join(export_dir, "*", MODEL_CARD_FILE))
        names = [card.split("/")[-2] for card in cards]
    else:
        names = storage.list_dir(export_dir)
    return [int(name) for name in names if name.isdecimal()]
