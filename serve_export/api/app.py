"""The application: the routes, and the gate before them."""

import contextlib
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from serve_export import exported
from serve_export.api import errors
from serve_export.api.metrics import Metrics
from serve_export.api.middleware import Gate
from serve_export.api.routes import (
    operations,
    page,
    predict,
    stored_drawings,
    tf_serving,
    web,
)
from serve_export.api.service import Service
from serve_export.api.settings import Settings
from serve_export.drawings_store import DrawingsStore


def make_app(
    service: Service, settings: Settings, store: DrawingsStore | None = None
) -> FastAPI:
    """Makes the application that answers with a service.

    Args:
      service: who answers.
      settings: what is allowed.
      store: where drawings are kept; without it they cannot be.
    """
    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.lanes.close()

    app = FastAPI(
        title="quickdraw-rnn",
        description="Guesses what a hand-drawn sketch shows.",
        docs_url=None,  # they come from a third party
        redoc_url=None,
        lifespan=lifespan,
    )
    errors.handle(app)
    path = service.predictor.path.rstrip("/")
    told, version = exported.read(path), os.path.basename(path)
    app.include_router(predict.router(service, told))
    app.include_router(
        page.router(len(service.predictor.classes), told.attribution, store is not None)
    )
    app.include_router(tf_serving.router(service, version))
    if store is not None:
        app.include_router(stored_drawings.router(service, store))
    app.include_router(operations.router(app, service.lanes, metrics))
    app.router.routes += web.routes(path)
    app.router.routes += page.routes()
    if settings.allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allow_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["content-type", "secret"],
        )
    app.add_middleware(Gate, settings=settings, metrics=metrics)
    return app
