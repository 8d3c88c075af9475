"""The ASGI application: all routes, and the middleware around them."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from serve_export import layout
from serve_export.api import openapi
from serve_export.api.errors import add_error_handlers
from serve_export.api.limits.request_body import BodyReader
from serve_export.api.metrics import ServerMetrics
from serve_export.api.middleware import Middleware
from serve_export.api.routes import (
    classes,
    monitoring,
    page,
    predict,
    qr_code,
    stored_drawings,
    tf_serving,
)
from serve_export.api.routes.job_handler import JobHandler
from serve_export.api.settings import ServerSettings
from serve_export.api.workers.worker_groups import Workers
from serve_export.drawings_store import DrawingsStore


def create_app(
    workers: Workers,
    settings: ServerSettings,
    metrics: ServerMetrics,
    store: DrawingsStore | None = None,
) -> ASGIApp:
    """Creates the application.

    Args:
      workers: run the model; closed with the application.
      settings: its limits.
      metrics: counts requests.
      store: stores drawings; without it there is no `/v1/drawings`.
    """
    model = workers.model
    path = model.path.rstrip("/")
    export = layout.load_export_info(path)
    jobs = JobHandler(workers, BodyReader(settings))
    word = model.classes[0]
    operations = [
        *predict.make_operations(jobs, word),
        *classes.make_operations(model.classes, export),
        *page.make_operations(
            len(model.classes),
            export.attribution,
            stores_drawings=store is not None,
            guesses_on_device=page.has_web_model(path),
        ),
        *qr_code.make_operations(),
        *(stored_drawings.make_operations(jobs, store, word) if store else []),
        *tf_serving.make_operations(
            jobs, os.path.basename(path), model.accepts_bitmaps
        ),
        *monitoring.make_operations(metrics),
    ]
    document = openapi.make_document(operations)
    docs_page = openapi.render_page(operations, document)

    async def get_document(request: Request) -> Response:
        return Response(json.dumps(document), media_type="application/json")

    async def get_docs(request: Request) -> Response:
        return HTMLResponse(docs_page)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(workers.close)

    app = Starlette(
        routes=[
            *(operation.make_route() for operation in operations),
            Route("/openapi.json", get_document),
            Route("/docs", get_docs),
            *page.make_page_routes(path),
        ],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    add_error_handlers(app)
    if settings.allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allow_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["content-type", "secret"],
        )
    return Middleware(app, settings, metrics)
