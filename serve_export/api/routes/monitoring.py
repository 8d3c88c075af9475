"""`/healthz`, `/readyz` and `/metrics`."""

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from serve_export.api.metrics import ServerMetrics
from serve_export.api.openapi import Handler, Operation
from serve_export.api.schemas import StatusResponse


def make_operations(metrics: ServerMetrics) -> list[Operation]:
    """Makes the operations."""

    def make_status(status: str) -> Handler:
        body = msgspec.json.encode(StatusResponse(status))

        async def get_status(request: Request) -> Response:
            return Response(body, media_type="application/json")

        return get_status

    async def get_metrics(request: Request) -> Response:
        return Response(
            generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST
        )

    return [
        Operation(
            "GET",
            "/healthz",
            make_status("ok"),
            "Answers while the server runs.",
            tag="Monitoring",
            response=StatusResponse,
            example_response={"status": "ok"},
        ),
        Operation(
            "GET",
            "/readyz",
            make_status("ready"),
            "Answers once the model is loaded.",
            tag="Monitoring",
            response=StatusResponse,
            example_response={"status": "ready"},
        ),
        Operation(
            "GET",
            "/metrics",
            get_metrics,
            "Returns counts and latencies of requests for Prometheus.",
            tag="Monitoring",
            media_types=["text/plain"],
            example_response='quickdraw_requests_total{path="/healthz",status="200"} 7',
        ),
    ]
