"""`/v1/predict`, `/v1/score`, `/v1/classes`, `/v1/examples/{word}`."""

import math

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from serve_export.animated_svg import animated_svg
from serve_export.api import errors, schemas
from serve_export.api.service import Service
from serve_export.exported import Exported


def router(service: Service, exported: Exported) -> APIRouter:
    """Makes the routes of a service."""
    routes = APIRouter(prefix="/v1", tags=["guess"])
    answers = errors.responses()

    @routes.post("/predict", response_model=schemas.PredictAnswer, responses=answers)
    async def predict(request: schemas.PredictRequest) -> JSONResponse:
        """What a drawing shows."""
        if request.image is not None:
            found = await service.answer_picture(request.image)
        else:
            found = await service.answer(request.drawing, request.format)
        return JSONResponse({"guesses": service.guesses(found, request.top_k)})

    @routes.post("/score", response_model=schemas.ScoreAnswer, responses=answers)
    async def score(request: schemas.ScoreRequest) -> JSONResponse:
        """How well a drawing shows a word."""
        place = service.place_of(request.word)
        found = await service.answer(request.drawing, request.format)
        probability = float(found[place])
        return JSONResponse(
            {
                "word": request.word,
                "rank": 1 + int((found > found[place]).sum()),
                "probability": probability,
                "score": score_of(probability),
                "guesses": service.guesses(found, request.top_k),
            }
        )

    @routes.get("/classes", responses={429: answers[429]})
    async def classes() -> schemas.ClassesAnswer:
        """The words that the model knows, and how well."""
        return schemas.ClassesAnswer(
            classes=[
                schemas.KnownClass(
                    word=word,
                    top1=exported.top1.get(word),
                    example=word in exported.examples,
                )
                for word in service.predictor.classes
            ]
        )

    @routes.get(
        "/examples/{word}",
        response_class=Response,
        responses={
            200: {"content": {"image/svg+xml": {}}},
            404: errors.responses(404)[404],
            429: answers[429],
        },
    )
    async def example(word: str) -> Response:
        """A typical drawing of a word, drawn stroke by stroke."""
        if word not in exported.examples:
            raise errors.ApiError(404, "not_found", "there is no example of that word")
        svg = animated_svg(exported.examples[word], word, exported.attribution)
        headers = {"cache-control": "public, max-age=3600"}
        return Response(svg, media_type="image/svg+xml", headers=headers)

    return routes


def score_of(probability: float) -> int:
    """Points from 0 to 100 that rise with the probability.

    Its root, as a word that gets a quarter of the say among many is well drawn. Only
    a first guess can have more than 71: two words cannot both have more than a half.
    """
    return round(100 * math.sqrt(probability))
