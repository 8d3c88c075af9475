"""Where things are in an export: `DIR/<version>/`, a SavedModel with our assets."""

from types import ModuleType

CLASSES_ASSET = "classes.txt"
"""The words, one a line, in the order of the probabilities."""

FACTS_ASSET = "preprocessing.json"
"""What a client must know to make the model's input from a drawing."""


def tensorflow() -> ModuleType:
    """TensorFlow, for whoever loads an export: `--help` need not wait for it."""
    import rnn_model  # noqa: F401, I001 - imports it without its chatter
    import tensorflow

    return tensorflow


def versions(folder: str) -> list[int]:
    """The versions that a folder of exports holds; none where there is no folder."""
    gfile = tensorflow().io.gfile
    names = gfile.listdir(folder) if gfile.isdir(folder) else []
    return [int(name.rstrip("/")) for name in names if name.rstrip("/").isdecimal()]


def newest_version(export_dir: str) -> str:
    """Finds the SavedModel in `DIR/<version>` or `DIR`.

    Raises:
      ValueError: there is none.
    """
    gfile = tensorflow().io.gfile
    if gfile.exists(gfile.join(export_dir, "saved_model.pb")):
        return export_dir
    found = versions(export_dir)
    if not found:
        raise ValueError(
            f"{export_dir} holds no export (python -m serve_export.export makes one)"
        )
    return gfile.join(export_dir, str(max(found)))
