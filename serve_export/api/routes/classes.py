"""`/v1/classes` and `/v1/examples/{word}`."""

import re
from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serve_export.api import schemas
from serve_export.api.errors import ApiError
from serve_export.api.openapi import Operation
from serve_export.api.routes.animated_svg import animated_svg
from serve_export.layout import ExportInfo

_CACHE = {"cache-control": "public, max-age=3600"}


def make_operations(classes: Sequence[str], export: ExportInfo) -> list[Operation]:
    """Makes the operations.

    Args:
      classes: the words of the model, in the order of its output.
      export: their accuracy and examples.
    """
    infos = [
        schemas.ClassInfo(
            word,
            export.top1.get(word),
            word in export.examples,
            len(export.examples.get(word, [])),
        )
        for word in classes
    ]
    body = msgspec.json.encode(schemas.ClassesResponse(infos))

    async def get_classes(request: Request) -> Response:
        return Response(body, media_type="application/json")

    def find_examples(request: Request) -> tuple[str, list]:
        word = request.path_params["word"]
        if word not in export.examples:
            raise ApiError(404, "not_found", "there are no examples of this word")
        return word, export.examples[word]

    async def get_picture(request: Request) -> Response:
        word, drawings = find_examples(request)
        text = request.query_params.get("index", "0")
        index = int(text) if re.fullmatch(r"\d{1,6}", text, re.ASCII) else -1
        if not 0 <= index < len(drawings):
            raise ApiError(
                404,
                "not_found",
                f"index must be from 0 to {len(drawings) - 1}. Received: {text[:20]}",
            )
        svg = animated_svg(drawings[index], word, export.attribution)
        return Response(svg, headers=_CACHE, media_type="image/svg+xml")

    async def get_drawings(request: Request) -> Response:
        word, drawings = find_examples(request)
        response = schemas.ExamplesResponse(word, drawings, export.attribution)
        content = msgspec.json.encode(response)
        return Response(content, headers=_CACHE, media_type="application/json")

    example_word = next(iter(export.examples), classes[0])
    word_parameter = {
        "name": "word",
        "in": "path",
        "required": True,
        "description": "A word of `/v1/classes` that has examples.",
        "schema": {"type": "string"},
        "example": example_word,
    }
    index_parameter = {
        "name": "index",
        "in": "query",
        "description": "Which of the word's examples; 0 is the most typical.",
        "schema": {"type": "integer", "minimum": 0, "default": 0},
    }
    return [
        Operation(
            "GET",
            "/v1/classes",
            get_classes,
            "Lists the words that the model can guess, and how well it knows them.",
            tag="Guess",
            response=schemas.ClassesResponse,
            example_response={
                "classes": [
                    {"word": "cat", "top1": 0.86, "example": True, "examples": 6}
                ]
            },
        ),
        Operation(
            "GET",
            "/v1/examples/{word}",
            get_picture,
            "Returns an example drawing of a word as an animated SVG picture.",
            tag="Guess",
            media_types=["image/svg+xml"],
            errors=[404],
            parameters=[word_parameter, index_parameter],
            example_response="<svg …>…</svg>",
        ),
        Operation(
            "GET",
            "/v1/examples/{word}/drawings",
            get_drawings,
            "Returns the example drawings of a word as strokes.",
            tag="Guess",
            response=schemas.ExamplesResponse,
            errors=[404],
            parameters=[word_parameter],
            example_response={
                "word": example_word,
                "drawings": [schemas.EXAMPLE_DRAWING],
                "attribution": export.attribution,
            },
        ),
    ]
