"""Validates the formats of an export, from drawings to the content of metrics.json."""

from collections.abc import Sequence
from typing import Any

import keras

from serve_export.formats.keras_file import KerasRuntime
from serve_export.formats.writer import ModelFormat
from serve_export.validation import export_metrics
from serve_export.validation.compare_formats import (
    compare_formats,
    predict_probabilities,
)
from serve_export.validation.drawings import ValidationDrawings, get_common_kind
from serve_export.validation.quantization_check import warn_if_accuracy_lost
from tfrecords import schema


def validate(
    model: keras.Model,
    formats: Sequence[ModelFormat],
    drawings: ValidationDrawings,
    classes: Sequence[str],
    example_drawings: ValidationDrawings | None = None,
) -> tuple[dict[str, Any], str]:
    """Compares the formats of an export with the Keras model.

    Args:
      model: the Keras model.
      formats: of `write_formats`.
      drawings: of `load_drawings` or `generate_drawings`.
      classes: in the order of the probabilities.
      example_drawings: labeled ink to choose the examples from; `drawings` by default.

    Returns:
      The content of metrics.json, and that of examples.ndjson, which is empty without
      labeled ink.

    Raises:
      ValueError: a format with float32 weights differs from Keras.
    """
    kind = get_common_kind(model.name, drawings)
    keras_runtime = KerasRuntime(model)
    reference = ModelFormat("keras", keras_runtime.predict_probabilities, None, True)
    results, probabilities = compare_formats(
        [reference, *formats], drawings.convert_to(kind)
    )
    warn_if_accuracy_lost(results)
    metrics: dict[str, Any] = {
        "source": drawings.source,
        "formats": [result._asdict() for result in results],
        "table": export_metrics.make_table(results),
        "classes": {},
    }
    if drawings.labels is None:
        return metrics, ""
    served, served_probabilities = [reference, *formats][-1], probabilities[-1]
    metrics["accuracy"] = {
        "format": served.name,
        **export_metrics.compute_accuracy(served_probabilities, drawings),
    }
    metrics["classes"] = export_metrics.compute_class_top1(
        served_probabilities, drawings.labels, classes
    )
    metrics["splits"] = drawings.split_sizes
    metrics["split"] = drawings.split
    if drawings.kind != schema.INK:
        return metrics, ""
    metrics["in_progress"] = {
        "format": served.name,
        "top1": export_metrics.compute_partial_top1(served, drawings, kind),
    }
    if example_drawings:
        inks = example_drawings.convert_to(kind)
        example_probabilities = predict_probabilities(reference, inks)
    else:
        example_drawings, example_probabilities = drawings, probabilities[0]
    examples = export_metrics.format_examples(
        example_probabilities, example_drawings, classes
    )
    return metrics, examples
