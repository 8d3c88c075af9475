"""Passes the body of a request to the workers."""

from starlette.requests import Request
from starlette.responses import Response

from serve_export.api.limits.request_body import BodyReader
from serve_export.api.openapi import Handler
from serve_export.api.workers.worker_groups import Workers


class JobHandler:
    """Makes handlers that run a job of `inference.Inference`."""

    def __init__(self, workers: Workers, bodies: BodyReader):
        self._workers, self._bodies = workers, bodies

    async def run(self, job: str, request: Request) -> tuple[int, bytes]:
        """Runs a job; returns the status and the JSON body of the response."""
        async with self._bodies.read(request) as body:
            return await self._workers.run(job, body)

    def make_handler(self, job: str) -> Handler:
        """Returns a handler that answers with the job's reply."""

        async def handle(request: Request) -> Response:
            status, content = await self.run(job, request)
            return Response(content, status, media_type="application/json")

        return handle
