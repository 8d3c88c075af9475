"""The content of preprocessing.json: how a client makes the input of a model."""

from typing import Any

from pipeline import simplification, strokes
from rnn_model.config import BITMAP_MODELS
from tfrecords import schema


def describe_preprocessing(model_name: str, num_classes: int) -> dict[str, Any]:
    """Describes the input of an exported model.

    Args:
      model_name: one of the names of `rnn_model.models`.
      num_classes: number of classes.

    Returns:
      A dict with the model's name and description, the kinds of drawings that it
      `reads`, the `input` of its LiteRT form, and how ink and bitmaps are made.
    """
    return {
        "model": model_name,
        "description": (
            f"Classifies hand-drawn sketches into {num_classes} classes. "
            f"Trained with quickdraw-rnn."
        ),
        "format_version": schema.FORMAT_VERSION,
        "reads": list(schema.KINDS) if model_name in BITMAP_MODELS else [schema.INK],
        "input": get_input_kind(model_name),
        "box": strokes.BOX,
        "epsilon": simplification.EPSILON,
        "ink": (
            "rows (dx, dy, pen) of the simplified drawing: the first row is the first "
            "point's x and y, the others are differences, all divided by the box; "
            "pen is 1 on the last point of each stroke"
        ),
        "bitmap": (
            "28 × 28 values from 0 to 1, white ink on black, the drawing centered as "
            "in Google's bitmaps"
        ),
    }


def get_input_kind(model_name: str) -> str:
    """Returns what the LiteRT form of a model takes, one of `schema.KINDS`."""
    return schema.BITMAP if model_name in BITMAP_MODELS else schema.INK
