"""Models of drawings: their input, training and evaluation."""

import os

# TensorFlow reads it when first imported; its start-up chatter hides our lines.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _import_tensorflow() -> None:
    """Imports TensorFlow in silence: what it says first, it says at any level."""
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


_import_tensorflow()
