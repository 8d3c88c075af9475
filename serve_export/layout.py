"""Where things are in an export: `DIR/<version>/`, the layout of TF Serving.

    saved_model.pb, variables/    the SavedModel
    assets/classes.txt, …         its words, and the facts about its input
    model.tflite                  LiteRT, weights of eight bits; words and facts inside
    model_float.tflite            the same with all bits
    metrics.json                  how good it is, by the check of the export
    examples.ndjson               a typical drawing of each word
    model_card.md                 all of that for people
    web/                          what a page needs to guess by itself (see `web`)

Not every export has all of them.
"""

import os
from types import ModuleType

from pipeline import cli

CLASSES_ASSET = "classes.txt"
"""The words, one a line, in the order of the probabilities."""

FACTS_ASSET = "preprocessing.json"
"""What a client must know to make the model's input from a drawing."""

SAVED_MODEL = "saved_model.pb"
QUANTISED = "model.tflite"
FLOAT = "model_float.tflite"
METRICS = "metrics.json"
EXAMPLES = "examples.ndjson"
MODEL_CARD = "model_card.md"
WEB = "web"

PRETRAINED = os.path.join(os.path.dirname(__file__), "pretrained")
"""The export that comes with the package."""


def tensorflow() -> ModuleType:
    """TensorFlow, for whoever needs it: `--help` and LiteRT do without.

    Raises:
      ValueError: it is not installed.
    """
    return cli.import_extra("tensorflow", "train")


def is_remote(path: str) -> bool:
    return "://" in path


def beam() -> type:
    """Beam's file systems, which take seconds to load and are for remote folders."""
    return cli.import_extra("apache_beam.io.filesystems", "gcp").FileSystems


def join(folder: str, *names: str) -> str:
    """Joins a path, of this machine or of another scheme."""
    return os.path.join(folder, *names)


def exists(path: str) -> bool:
    if not is_remote(path):
        return os.path.exists(path)
    if _is_tensorflow_s(path):
        return tensorflow().io.gfile.exists(path)
    return beam().exists(path)


def read_bytes(path: str) -> bytes:
    if not is_remote(path):
        with open(path, "rb") as file:
            return file.read()
    if _is_tensorflow_s(path):
        with tensorflow().io.gfile.GFile(path, "rb") as file:
            return file.read()
    with beam().open(path, compression_type="uncompressed") as file:
        return file.read()


def versions(folder: str) -> list[int]:
    """The versions that a folder of exports holds; none where there is no folder.

    Where a folder cannot be renamed, one is a version once its model card is there.
    """
    if not is_remote(folder):
        names = os.listdir(folder) if os.path.isdir(folder) else []
    else:
        pattern = join(folder, "*", MODEL_CARD)
        if _is_tensorflow_s(folder):
            cards = tensorflow().io.gfile.glob(pattern)
        else:
            cards = [card.path for card in beam().match([pattern])[0].metadata_list]
        names = [card.split("/")[-2] for card in cards]
    return [int(name) for name in names if name.isdecimal()]


def _is_tensorflow_s(path: str) -> bool:
    """Whether TensorFlow alone knows a scheme; what Beam knows needs none of it."""
    return path.startswith("ram://")


def newest_version(export_dir: str | None) -> str:
    """Finds the export in `DIR/<version>` or `DIR`; without one, the package's own.

    Raises:
      ValueError: there is none.
    """
    if export_dir is None:
        if not versions(PRETRAINED):
            raise ValueError(
                "no model came with this package; name an export of your own "
                "(python -m serve_export.export makes one)"
            )
        export_dir = PRETRAINED
    if any(exists(join(export_dir, name)) for name in (SAVED_MODEL, QUANTISED)):
        return export_dir
    found = versions(export_dir)
    if not found:
        raise ValueError(
            f"{export_dir} holds no export (python -m serve_export.export makes one)"
        )
    return join(export_dir, str(max(found)))
