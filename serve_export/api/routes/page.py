"""`/`, the page where people draw, its files at `/static/`, and what it must know."""

import mimetypes
from pathlib import Path

from fastapi import APIRouter
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount, Route

from serve_export.api import errors, schemas
from serve_export.api.files import FRESH, Files

FOLDER = Path(__file__).parents[2] / "static"

HEADERS = {
    **FRESH,
    # Beside the gate's policy, which lets /docs have its style inside.
    "content-security-policy": "style-src 'self'",
}

# A host may know these by other names, or not at all.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("application/wasm", ".wasm")


def routes() -> list[Route | Mount]:
    """Makes the routes of the page and of its files."""
    page = GZipMiddleware(Files(HEADERS, directory=FOLDER, html=True))
    files = GZipMiddleware(Files(HEADERS, directory=FOLDER))
    return [Route("/", page), Mount("/static", files)]


def router(words: int, attribution: str, keeps_drawings: bool) -> APIRouter:
    """Makes the route that tells what the page must know before it asks anything.

    Args:
      words: how many the model knows.
      attribution: whose the examples are, and on which terms.
      keeps_drawings: whether `/v1/drawings` is there.
    """
    routes = APIRouter(prefix="/v1", tags=["guess"])
    told = schemas.AboutAnswer(
        words=words, attribution=attribution, keeps_drawings=keeps_drawings
    )

    @routes.get("/about", responses={429: errors.responses()[429]})
    async def about() -> schemas.AboutAnswer:
        """What is served here."""
        return told

    return routes
