"""`/healthz`, `/readyz`, `/metrics`, `/docs`."""

import resource

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from serve_export.api import docs
from serve_export.api.metrics import CONTENT_TYPE, Metrics
from serve_export.api.workers import Lanes


def router(app: FastAPI, lanes: Lanes, metrics: Metrics) -> APIRouter:
    """Makes the routes for those who run the server."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process lives."""
        return {"status": "ok"}

    @routes.get("/readyz")
    async def readyz() -> dict[str, str]:
        """The model is loaded and has answered once: it is, or nobody would listen."""
        return {"status": "ready"}

    @routes.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def numbers() -> Response:
        """Requests, their times and what they take, for Prometheus."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        metrics.set(
            "quickdraw_peak_memory_bytes", "Most of the main process so far.", peak
        )
        metrics.set("quickdraw_waiting", "Requests in the lanes.", lanes.waiting)
        return PlainTextResponse(metrics.text(), media_type=CONTENT_TYPE)

    @routes.get("/docs", include_in_schema=False)
    async def read_me() -> HTMLResponse:
        return HTMLResponse(docs.page(app.openapi()))

    return routes
