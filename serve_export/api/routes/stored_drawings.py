"""`/v1/drawings`: keeps what people drew, if they want that, and forgets it again."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Path, Response
from fastapi.responses import JSONResponse

from pipeline import strokes
from serve_export.api import errors, schemas
from serve_export.api.service import Service
from serve_export.drawings_store import DrawingsStore, Full
from tfrecords import schema

KeyId = Annotated[str, Path(pattern=r"^[0-9]{19}$", description="As given at storing.")]
Secret = Annotated[str, Header(max_length=100, description="As given at storing.")]


def router(service: Service, store: DrawingsStore) -> APIRouter:
    """Makes the routes of a store."""
    routes = APIRouter(prefix="/v1/drawings", tags=["drawings"])

    @routes.post(
        "",
        status_code=201,
        response_model=schemas.KeepAnswer,
        responses=errors.responses(507),
    )
    async def keep(request: schemas.KeepRequest) -> JSONResponse:
        """Keeps strokes, word and time of a drawing; nothing about the sender."""
        place = service.place_of(request.word)
        ink = await service.ink(request.drawing, request.format)
        found = (await service.answer_batch([ink], schema.INK))[0]
        recognized = bool(found.argmax() == place)
        drawing = strokes.to_drawing(strokes.from_ink(ink))
        try:
            key_id, secret = await asyncio.to_thread(
                store.add, request.word, drawing, recognized
            )
        except Full as error:
            raise errors.ApiError(507, "full", str(error))
        content = {"key_id": key_id, "secret": secret, "recognized": recognized}
        return JSONResponse(content, 201)

    @routes.delete("/{key_id}", status_code=204, responses=errors.responses(403, 404))
    async def forget(key_id: KeyId, secret: Secret) -> Response:
        """Removes a drawing for good."""
        try:
            there = await asyncio.to_thread(store.remove, key_id, secret)
        except PermissionError as error:
            raise errors.ApiError(403, "forbidden", str(error))
        if not there:
            raise errors.ApiError(404, "not_found", "there is no such drawing")
        return Response(status_code=204)

    return routes
