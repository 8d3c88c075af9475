"""What a worker does with the body of a request: parse, preprocess, run the model.

Everything whose cost depends on the body happens here, so the server's event loop only
moves bytes. Each job returns the status and the JSON body of the response, or None if
it is too expensive for a worker of small jobs and must be given to one of large jobs.
"""

import base64
import binascii
import functools
import math
import struct
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from pipeline import simplification, strokes
from pipeline.formats import images
from serve_export.api import schemas
from serve_export.api.errors import ApiError, encode_error
from serve_export.api.settings import ServerSettings
from serve_export.api.workers import tf_serving_requests
from serve_export.predictor import SIMPLIFIED, Predictor, select_top_k, to_ink
from tfrecords import schema

SMALL_BATCH = 8
SMALL_STROKES = 100
SMALL_INK = 8_000
"""Length of strokes, in pixels, that is simplified within a few milliseconds."""

BATCH_SECONDS = 0.25
"""CPU time limit for a request with several drawings."""

BATCH_POINTS = 14_000
"""Points that simplification keeps in all drawings of a batch, which measures its work.
256 typical drawings have 11,000."""

SMALL_IMAGE_SIDE = 256
MAX_IMAGE_SIDE = 1024
"""Longer side of an image, in pixels. An image is padded to a square, so the number of
its pixels does not limit the work."""

Reply = tuple[int, bytes]


class TooExpensiveError(Exception):
    """A job is too expensive for a worker of small jobs."""


def _job(method: Callable[..., Any], tf_serving_errors: bool = False) -> Callable:
    """Turns the exceptions of a job into replies."""

    @functools.wraps(method)
    def run(self: "Inference", body: bytearray, is_small: bool) -> Any:
        try:
            return method(self, body, is_small)
        except TooExpensiveError:
            return None
        except ApiError as error:
            content = encode_error(error.code, error.message, tf_serving_errors)
            return error.status, content
        except Exception:
            traceback.print_exc(file=sys.stderr)
            message = "internal server error"
            return 500, encode_error("internal_error", message, tf_serving_errors)

    return run


_tf_serving_job = functools.partial(_job, tf_serving_errors=True)


class Inference:
    """The jobs of a worker."""

    def __init__(self, predictor: Predictor, settings: ServerSettings):
        self._predictor, self._settings = predictor, settings
        self._class_index = {word: i for i, word in enumerate(predictor.classes)}
        self._predict_decoder = msgspec.json.Decoder(schemas.PredictRequest)
        self._score_decoder = msgspec.json.Decoder(schemas.ScoreRequest)
        self._store_decoder = msgspec.json.Decoder(schemas.StoreRequest)
        self._drawing_decoder = msgspec.json.Decoder(schemas.Drawing)

    def warm_up(self) -> None:
        """Classifies a dot, so that no request waits for the model's first run."""
        self._predictor.guess([[[0], [0]]], 1)

    @_job
    def predict(self, body: bytearray, is_small: bool) -> Reply:
        """Classifies the drawing, the drawings or the image of a `PredictRequest`."""
        request = schemas.parse_request(body, self._predict_decoder)
        given = [
            name
            for name in ("drawing", "drawings", "image")
            if getattr(request, name) is not msgspec.UNSET
        ]
        if len(given) != 1:
            raise ApiError(
                422,
                "invalid_request",
                "send one of drawing, drawings and image. "
                f"Received: {' and '.join(given) or 'none'}",
            )
        if isinstance(request.image, str):
            bitmap = self._parse_image(request.image, is_small)
            probabilities = self._predict([bitmap], schema.BITMAP)[0]
        elif isinstance(request.drawings, list):
            return self._predict_batch(request, is_small)
        else:
            assert isinstance(request.drawing, list)
            ink = self._make_ink(request.drawing, request.format, is_small)
            probabilities = self._predict([ink])[0]
        return _encode(self._respond(probabilities, request.top_k))

    @_job
    def score(self, body: bytearray, is_small: bool) -> Reply:
        """Scores the drawing of a `ScoreRequest`."""
        request = schemas.parse_request(body, self._score_decoder)
        index = self._find_class(request.word)
        ink = self._make_ink(request.drawing, request.format, is_small)
        probabilities = self._predict([ink])[0]
        probability = float(probabilities[index])
        response = schemas.ScoreResponse(
            word=request.word,
            rank=1 + int((probabilities > probabilities[index]).sum()),
            probability=probability,
            score=compute_score(probability),
            guesses=self._respond(probabilities, request.top_k).guesses,
        )
        return _encode(response)

    @_job
    def check_drawing(self, body: bytearray, is_small: bool) -> Reply:
        """Checks the drawing of a `StoreRequest` before it is stored."""
        request = schemas.parse_request(body, self._store_decoder)
        if not request.consent:
            raise ApiError(
                422, "consent_missing", "a drawing is stored only if consent is true"
            )
        index = self._find_class(request.word)
        ink = self._make_ink(request.drawing, request.format, is_small)
        is_recognized = int(self._predict([ink])[0].argmax()) == index
        drawing = strokes.to_drawing(strokes.from_ink(ink))
        return _encode(schemas.CheckedDrawing(request.word, drawing, is_recognized))

    @_tf_serving_job
    def tf_predict(self, body: bytearray, is_small: bool) -> Reply:
        """Answers TensorFlow Serving's `:predict`."""
        request = tf_serving_requests.parse_predict(body, self._accepts_bitmaps)
        self._check_instances(request.instances, is_small)
        probabilities = self._predict(request.instances, request.kind)
        return _encode({request.response_key: probabilities.tolist()})

    @_tf_serving_job
    def tf_classify(self, body: bytearray, is_small: bool) -> Reply:
        """Answers TensorFlow Serving's `:classify`."""
        instances = tf_serving_requests.parse_classify(body)
        self._check_instances(instances, is_small)
        words = self._predictor.classes
        rows = self._predict(instances)
        results = [select_top_k(row, words, len(words)) for row in rows]
        return _encode({"results": results})

    def _predict_batch(self, request: schemas.PredictRequest, is_small: bool) -> Reply:
        assert isinstance(request.drawings, list)
        count = len(request.drawings)
        if not 0 < count <= schemas.MAX_BATCH:
            raise ApiError(
                422,
                "invalid_request",
                f"drawings must have 1 to {schemas.MAX_BATCH} items. Received: {count}",
            )
        if is_small and count > SMALL_BATCH:
            raise TooExpensiveError
        results = []
        num_points = 0
        deadline = time.process_time() + BATCH_SECONDS
        for raw in request.drawings:
            try:
                if num_points > BATCH_POINTS or time.process_time() > deadline:
                    raise ApiError(
                        422,
                        "too_expensive",
                        "not classified: the drawings before are too large; send fewer "
                        "at once",
                    )
                ink = self._parse_drawing(raw, request.format, is_small)
                if request.format != SIMPLIFIED:
                    num_points += len(ink)
                probabilities = self._predict([ink])[0]
                guesses = self._respond(probabilities, request.top_k).guesses
                results.append(schemas.DrawingResult(guesses))
            except ApiError as error:
                detail = schemas.ErrorDetail(error.code, error.message)
                results.append(schemas.DrawingResult(error=detail))
        return _encode(schemas.BatchPredictResponse(results))

    def _parse_drawing(
        self, raw: msgspec.Raw, input_format: str, is_small: bool
    ) -> np.ndarray:
        try:
            drawing = self._drawing_decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ApiError(422, "invalid_drawing", str(error)[:200])
        return self._make_ink(drawing, input_format, is_small)

    def _make_ink(
        self, drawing: Sequence[strokes.Stroke], input_format: str, is_small: bool
    ) -> np.ndarray:
        """Returns ink `<float32>[time, 3]`.

        Raises:
          ApiError: the strokes are not a drawing, or exceed a limit.
          TooExpensiveError: this is a worker of small jobs.
        """
        self._check_limits(drawing)
        if is_small and len(drawing) > SMALL_STROKES:
            raise TooExpensiveError
        max_ink = self._settings.max_ink
        if is_small:
            max_ink = min(max_ink, SMALL_INK)
        if input_format == SIMPLIFIED:  # JSON has only one type of number
            drawing = [[[_to_int(v) for v in axis] for axis in s] for s in drawing]
        try:
            # `to_ink` accepts lists of points too; the API has one layout only, since a
            # short drawing could be read as either.
            strokes.check_strokes(drawing)
            return to_ink(drawing, input_format, max_ink)
        except simplification.StrokesTooLongError as error:
            if max_ink < self._settings.max_ink:
                raise TooExpensiveError
            raise ApiError(422, "invalid_drawing", str(error))
        except ValueError as error:
            raise ApiError(422, "invalid_drawing", str(error))

    def _check_limits(self, drawing: Sequence[strokes.Stroke]) -> None:
        num_points = sum(len(axis) for stroke in drawing for axis in stroke[:1])
        for unit, number, limit in (
            ("strokes", len(drawing), self._settings.max_strokes),
            ("points", num_points, self._settings.max_points),
        ):
            if number > limit:
                raise ApiError(
                    422,
                    "too_large",
                    f"a drawing may have at most {limit:,} {unit}. Received: "
                    f"{number:,}",
                )

    def _check_instances(self, instances: Sequence[np.ndarray], is_small: bool) -> None:
        if is_small and len(instances) > SMALL_BATCH:
            raise TooExpensiveError
        limit = self._settings.max_points
        if (longest := max(map(len, instances))) > limit:
            raise ApiError(
                400,
                "too_large",
                f"an instance may have at most {limit:,} rows. Received: {longest:,}",
            )

    def _parse_image(self, image: str, is_small: bool) -> np.ndarray:
        """Returns the bitmap `<uint8>[28, 28]` of a PNG in base64."""
        if not self._accepts_bitmaps:
            raise ApiError(
                422, "invalid_request", "this model reads strokes: send a drawing"
            )
        try:
            data = base64.b64decode(image, validate=True)
            side = _read_longer_side(data)
            if is_small and side > SMALL_IMAGE_SIDE:
                raise TooExpensiveError
            if side > MAX_IMAGE_SIDE:
                raise ValueError(
                    f"an image may have at most {MAX_IMAGE_SIDE} pixels a side. "
                    f"Received: {side}"
                )
            return images.parse(data, "image").bitmap
        except binascii.Error as error:
            raise ApiError(422, "invalid_image", f"not base64: {error}")
        except ValueError as error:
            raise ApiError(422, "invalid_image", str(error))

    def _find_class(self, word: str) -> int:
        try:
            return self._class_index[word]
        except KeyError:
            raise ApiError(
                422,
                "unknown_word",
                "the model does not know this word; /v1/classes lists the words",
            )

    def _predict(
        self, drawings: Sequence[np.ndarray], kind: str = schema.INK
    ) -> np.ndarray:
        return self._predictor.predict_probabilities(drawings, kind)

    @property
    def _accepts_bitmaps(self) -> bool:
        return self._predictor.accepts_bitmaps

    def _respond(
        self, probabilities: np.ndarray, top_k: int
    ) -> schemas.PredictResponse:
        guesses = select_top_k(probabilities, self._predictor.classes, top_k)
        return schemas.PredictResponse([schemas.Guess(*guess) for guess in guesses])


def compute_score(probability: float) -> int:
    """Returns 0 to 100 points for the probability of a word.

    The square root, since a quarter of the probability among many words is a good
    drawing. Only a first guess can have more than 71 points.
    """
    return round(100 * math.sqrt(probability))


def _encode(response: Any) -> Reply:
    return 200, msgspec.json.encode(response)


def _to_int(number: float) -> float | int:
    return int(number) if number.is_integer() else number


def _read_longer_side(data: bytes) -> int:
    """Returns the longer side of a PNG in pixels, without decompressing it.

    Source: https://www.w3.org/TR/png-3/#11IHDR

    Raises:
      ValueError: not a PNG.
    """
    if data[:4] != images.PNG_MAGIC or len(data) < 24:
        raise ValueError("not a PNG file")
    return max(struct.unpack(">II", data[16:24]))
