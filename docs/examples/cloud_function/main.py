"""A Cloud Function that classifies drawings.

It responds to `{"drawing": strokes}` with `{"guesses": […]}`. The environment variable
EXPORT_DIR names an export; without it the bundled model is used.
"""

import os

import flask
import functions_framework

from serve_export.api.settings import ServerSettings
from serve_export.predictor import RAW, Predictor, to_ink

# Loaded once per instance, not once per request.
predictor = Predictor(os.environ.get("EXPORT_DIR"))
limits = ServerSettings()


@functions_framework.http
def guess(request: flask.Request) -> tuple[dict, int]:
    """Handles `POST {"drawing": [[[x, …], [y, …]], …]}`, raw strokes on any canvas."""
    if (request.content_length or 0) > limits.max_bytes:
        return {"error": "too large"}, 413
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("drawing"), list):
        return {"error": 'send JSON: {"drawing": [[[x, …], [y, …]], …]}'}, 400
    try:
        ink = to_ink(body["drawing"], RAW, limits.max_ink)
    except (LookupError, TypeError, ValueError) as error:
        return {"error": f"not a drawing: {error}"}, 422
    (guesses,) = predictor.guess_batch([ink], top_k=3)
    return {"guesses": [guess._asdict() for guess in guesses]}, 200
