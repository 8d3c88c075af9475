"""`/v1/qr_code`: a QR code, such as that of a link to a game."""

import asyncio
import io

import segno
from starlette.requests import Request
from starlette.responses import Response

from serve_export.api.errors import ApiError
from serve_export.api.openapi import Operation

MAX_LENGTH = 1000
"""Most characters of the text; 1,852 bytes fit into the largest code."""


def make_operations() -> list[Operation]:
    """Makes the operation."""
    text_parameter = {
        "name": "text",
        "in": "query",
        "required": True,
        "description": "The text of the code.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH},
        "example": "http://localhost:8080/?words=cat",
    }
    return [
        Operation(
            "GET",
            "/v1/qr_code",
            _get_qr_code,
            "Returns a QR code of a text as SVG.",
            tag="Guess",
            media_types=["image/svg+xml"],
            errors=[422],
            parameters=[text_parameter],
            example_response="<svg …>…</svg>",
        )
    ]


async def _get_qr_code(request: Request) -> Response:
    text = request.query_params.get("text", "")
    try:
        if not 1 <= len(text) <= MAX_LENGTH:
            raise ValueError(f"{len(text)} characters")
        svg = await asyncio.to_thread(_render, text)  # takes up to 40 ms
    except ValueError as error:  # of segno: too many bytes
        raise ApiError(
            422,
            "invalid",
            f"text must have 1 to {MAX_LENGTH} characters. Received: {error}",
        )
    return Response(svg, media_type="image/svg+xml")


def _render(text: str) -> bytes:
    svg = io.BytesIO()
    segno.make_qr(text).save(svg, kind="svg", scale=4, dark="#000", light="#fff")
    return svg.getvalue()
