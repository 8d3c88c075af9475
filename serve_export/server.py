"""Answers drawings over HTTP.

    python -m serve_export.server --export_dir=exports/rnn --port=8080
    curl localhost:8080/v1/predict -H 'content-type: application/json' \\
      -d '{"drawing": [[[10, 90, 90], [20, 20, 80]]], "top_k": 3}'
"""

from typing import Annotated

import uvicorn
from absl import flags
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.requests import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from pipeline import command
from serve_export.predictor import Predictor


class PredictRequest(BaseModel):
    """Strokes `[[xs, ys, …], …]` on any canvas, simplified or raw."""

    drawing: list[list[list[int | float]]]
    top_k: Annotated[int, Field(ge=1)] = 3


def make_app(predictor: Predictor) -> FastAPI:
    """Makes the application that answers with a predictor."""
    app = FastAPI(title="quickdraw-rnn")

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return _error(f"{place}: {first['msg']}")

    @app.exception_handler(ValueError)
    def no_drawing(_: Request, error: ValueError) -> JSONResponse:
        return _error(str(error))

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/v1/predict")
    def predict(request: PredictRequest) -> dict[str, list[dict[str, str | float]]]:
        guesses = predictor.guess(request.drawing, request.top_k)
        return {"guesses": [guess._asdict() for guess in guesses]}

    return app


def _error(message: str) -> JSONResponse:
    content = {"error": {"code": "invalid_drawing", "message": message}}
    return JSONResponse(content, status_code=422)


def _define_flags() -> None:
    flags.DEFINE_string("export_dir", None, "An export, or the folder of its versions.")
    flags.DEFINE_string("host", "127.0.0.1", "Address to listen on.")
    flags.DEFINE_integer("port", 8080, "Port to listen on.", 1, 65535)


def main() -> None:
    """Serves as the flags say, until interrupted."""
    values = flags.FLAGS
    command.require("export_dir")
    app = make_app(Predictor(values.export_dir))
    uvicorn.run(app, host=values.host, port=values.port, log_level="warning")


def run() -> None:
    """Entry point of `quickdraw-serve`."""
    command.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
