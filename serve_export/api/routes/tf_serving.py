"""TensorFlow Serving's REST API, so that its clients need no change.

Source: https://www.tensorflow.org/tfx/serving/api_rest
"""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serve_export.api import tf_serving
from serve_export.api.errors import ApiError
from serve_export.api.openapi import Handler, Operation
from serve_export.api.routes.job_handler import JobHandler

BASE_PATH = f"/v1/models/{tf_serving.MODEL_NAME}"

_TAG = "TensorFlow Serving"
_INK = [[0, 0, 0], [1, 1, 1]]


def make_operations(
    jobs: JobHandler, version: str, accepts_bitmaps: bool
) -> list[Operation]:
    """Makes the operations, each with and without a version in its path.

    Args:
      jobs: runs them.
      version: of the export that is served.
      accepts_bitmaps: whether the model classifies bitmaps too.
    """
    status = msgspec.json.encode(
        tf_serving.ModelStatus([tf_serving.VersionState(version)])
    )
    metadata = msgspec.json.encode(tf_serving.describe_model(version, accepts_bitmaps))
    version_parameter = {
        "name": "version",
        "in": "path",
        "required": True,
        "description": "The version of the model.",
        "schema": {"type": "string"},
        "example": version,
    }

    def make_pair(method: str, suffix: str, handler: Handler, **fields: Any) -> None:
        async def handle_version(request: Request) -> Response:
            requested = request.path_params["version"]
            if requested != version:
                raise ApiError(
                    404,
                    "not_found",
                    f"Servable not found for request: Specific({tf_serving.MODEL_NAME},"
                    f" {requested[:20]})",
                )
            return await handler(request)

        fields |= {"tag": _TAG}
        operations.append(Operation(method, BASE_PATH + suffix, handler, **fields))
        fields["errors"] = [404]
        fields["parameters"] = [version_parameter]
        path = f"{BASE_PATH}/versions/{{version}}{suffix}"
        operations.append(Operation(method, path, handle_version, **fields))

    operations: list[Operation] = []
    make_pair(
        "POST",
        ":predict",
        jobs.make_handler("tf_predict"),
        summary="Returns the probabilities of all classes, in row or column format.",
        request=tf_serving.PredictBody,
        response=tf_serving.PredictResponse,
        example={"instances": [{"ink": _INK, "length": 2}]},
        example_response={"predictions": [[0.01, 0.93]]},
    )
    make_pair(
        "POST",
        ":classify",
        jobs.make_handler("tf_classify"),
        summary="Returns all words with their probabilities, in descending order.",
        request=tf_serving.ClassifyBody,
        response=tf_serving.ClassifyResponse,
        example={
            "signature_name": "classify",
            "examples": [{"ink": [value for row in _INK for value in row]}],
        },
        example_response={"results": [[["cat", 0.93], ["dog", 0.01]]]},
    )
    make_pair(
        "GET",
        "",
        _make_constant_handler(status),
        summary="Returns the status of the model.",
        response=tf_serving.ModelStatus,
        example_response=msgspec.json.decode(status),
    )
    make_pair(
        "GET",
        "/metadata",
        _make_constant_handler(metadata),
        summary="Returns the signatures of the model.",
        response=tf_serving.ModelMetadata,
        example_response={"model_spec": {"name": tf_serving.MODEL_NAME}},
    )
    return operations


def _make_constant_handler(body: bytes) -> Handler:
    async def handle(request: Request) -> Response:
        return Response(body, media_type="application/json")

    return handle
