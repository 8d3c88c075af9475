"""TensorFlow Serving's REST API: requests, responses and the model's metadata.

    {"signature_name": "serving_default", "instances": [{"ink": …, "length": …}, …]}
      → {"predictions": [[…], …]}                    row format
    {"inputs": {"ink": […], "length": […]}}
      → {"outputs": [[…], …]}                        column format
    {"signature_name": "classify", "examples": [{"ink": […]}, …]}
      → {"results": [[["cat", 0.9], …], …]}

Source: https://www.tensorflow.org/tfx/serving/api_rest
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from tfrecords import schema

MODEL_NAME = "quickdraw"
MAX_INSTANCES = 256

INK, LENGTH, EXAMPLES, BITMAP = "ink", "length", "examples", "bitmap"
"""Names of inputs."""


class PredictBody(msgspec.Struct):
    """Rows (`instances`) or columns (`inputs`) of the inputs of a signature."""

    signature_name: str = "serving_default"
    instances: (
        Annotated[
            msgspec.Raw,
            msgspec.Meta(
                examples=[[{"ink": [[0, 0, 0], [1, 1, 1]], "length": 2}]],
                extra_json_schema={
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MAX_INSTANCES,
                },
            ),
        ]
        | msgspec.UnsetType
    ) = msgspec.UNSET
    inputs: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class ClassifyBody(msgspec.Struct):
    """Drawings as the features of `tf.train.Example`."""

    examples: list[dict[str, msgspec.Raw]]
    signature_name: str = "serving_default"
    context: dict[str, msgspec.Raw] = {}


class PredictResponse(msgspec.Struct, omit_defaults=True):
    """Probabilities, one per class, for each drawing."""

    predictions: list[list[float]] | msgspec.UnsetType = msgspec.UNSET
    outputs: list[list[float]] | msgspec.UnsetType = msgspec.UNSET


class ClassifyResponse(msgspec.Struct):
    """Words and their probabilities, in descending order, for each drawing."""

    results: list[list[list[str | float]]]


class ErrorBody(msgspec.Struct):
    """An error."""

    error: str


class VersionState(msgspec.Struct):
    """The status of one version of the model."""

    version: str
    state: str = "AVAILABLE"
    status: dict[str, str] = msgspec.field(
        default_factory=lambda: {"error_code": "OK", "error_message": ""}
    )


class ModelStatus(msgspec.Struct):
    """The status of the model."""

    model_version_status: list[VersionState]


class ModelMetadata(msgspec.Struct):
    """The signatures of the model."""

    model_spec: dict[str, str]
    metadata: dict[str, Any]


def describe_model(version: str, accepts_bitmaps: bool) -> ModelMetadata:
    """Returns the response of `/metadata`: the signatures of an exported SavedModel."""
    width, side = schema.INK_WIDTH, schema.BITMAP_SIDE
    ink = {
        INK: _tensor_info("DT_FLOAT", [-1, -1, width]),
        LENGTH: _tensor_info("DT_INT32", [-1]),
    }
    probabilities = {"probabilities": _tensor_info("DT_FLOAT", [-1, -1])}
    examples = _tensor_info("DT_STRING", [-1])
    classification = {
        "classes": _tensor_info("DT_STRING", [-1, -1]),
        "scores": _tensor_info("DT_FLOAT", [-1, -1]),
    }
    signatures = {
        "serving_default": _signature(ink, probabilities, "predict"),
        "serve_ink": _signature({INK: ink[INK]}, probabilities, "predict"),
        "serve_examples": _signature({EXAMPLES: examples}, probabilities, "predict"),
        "classify": _signature({"inputs": examples}, classification, "classify"),
    }
    if accepts_bitmaps:
        bitmap = {BITMAP: _tensor_info("DT_FLOAT", [-1, side, side, 1])}
        signatures["serve_bitmaps"] = _signature(bitmap, probabilities, "predict")
    return ModelMetadata(
        {"name": MODEL_NAME, "signature_name": "", "version": version},
        {"signature_def": {"signature_def": signatures}},
    )


def _signature(
    inputs: Mapping[str, Any], outputs: Mapping[str, Any], method: str
) -> dict[str, Any]:
    return {
        "inputs": inputs,
        "outputs": outputs,
        "method_name": f"tensorflow/serving/{method}",
    }


def _tensor_info(dtype: str, shape: Sequence[int]) -> dict[str, Any]:
    dims = [{"size": str(size), "name": ""} for size in shape]
    return {"dtype": dtype, "tensor_shape": {"dim": dims, "unknown_rank": False}}
