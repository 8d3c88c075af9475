"""`/v1/predict` and `/v1/score`."""

from serve_export.api import schemas
from serve_export.api.openapi import Operation
from serve_export.api.routes.job_handler import JobHandler

_GUESSES = [{"word": "cat", "probability": 0.93}]


def make_operations(jobs: JobHandler, word: str) -> list[Operation]:
    """Makes the operations.

    Args:
      jobs: runs them.
      word: a word of the model, for the examples.
    """
    drawing = schemas.EXAMPLE_DRAWING
    return [
        Operation(
            "POST",
            "/v1/predict",
            jobs.make_handler("predict"),
            "Classifies a drawing. With `drawings` instead of `drawing` it classifies "
            f"up to {schemas.MAX_BATCH} drawings and answers "
            '`{"results": [{"guesses": …} or {"error": …}, …]}`.',
            tag="Guess",
            request=schemas.PredictRequest,
            response=(schemas.PredictResponse, schemas.BatchPredictResponse),
            example={"drawing": drawing, "top_k": 1},
            example_response={"guesses": _GUESSES},
        ),
        Operation(
            "POST",
            "/v1/score",
            jobs.make_handler("score"),
            "Scores how well a drawing shows a word.",
            tag="Guess",
            request=schemas.ScoreRequest,
            response=schemas.ScoreResponse,
            example={"drawing": drawing, "word": word, "top_k": 1},
            example_response={
                "word": word,
                "rank": 5,
                "probability": 0.01,
                "score": 10,
                "guesses": _GUESSES,
            },
        ),
    ]
