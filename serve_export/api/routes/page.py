"""The web page at `/` and `/words`, its files, and `/v1/about`.

`/web/` has the files with which a page classifies by itself, if the export has them.
"""

import mimetypes
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from serve_export import layout
from serve_export.api.openapi import Operation
from serve_export.api.schemas import AboutResponse
from tfrecords import storage

STATIC_DIR = Path(__file__).parents[2] / "static"

PAGES = {"/": "index.html", "/words": "words/words.html"}

# Asked for again each time, else a page would mix the files of two versions.
REVALIDATE = {"cache-control": "no-cache"}

PAGE_HEADERS = {
    **REVALIDATE,
    # In addition to the middleware's policy, which allows the inline style of /docs.
    "content-security-policy": "style-src 'self'",
    "service-worker-allowed": "/",  # its script is below /static/
}

# The operating system may have other types for these, or none.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("application/wasm", ".wasm")
mimetypes.add_type("application/manifest+json", ".webmanifest")


class FilesWithHeaders(StaticFiles):
    """Static files with additional response headers."""

    def __init__(self, headers: Mapping[str, str], **kwargs: Any):
        """Takes the headers and the arguments of `StaticFiles`."""
        super().__init__(**kwargs)
        self._headers = headers

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Returns the response with a file."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(self._headers)
        return response


def make_page_routes(export_path: str) -> list[BaseRoute]:
    """Makes the routes of the pages and of all files.

    Args:
      export_path: directory of the served version.
    """
    routes: list[BaseRoute] = [
        Route(path, GZipMiddleware(_make_page(name))) for path, name in PAGES.items()
    ]
    files = FilesWithHeaders(PAGE_HEADERS, directory=STATIC_DIR)
    routes.append(Mount("/static", GZipMiddleware(files)))
    if has_web_model(export_path):
        web_dir = storage.join(export_path, layout.WEB_DIR)
        routes.append(Mount("/web", FilesWithHeaders(REVALIDATE, directory=web_dir)))
    return routes


def has_web_model(export_path: str) -> bool:
    """Returns whether an export has the files to classify in a browser."""
    return os.path.isdir(storage.join(export_path, layout.WEB_DIR))


def _make_page(name: str) -> FilesWithHeaders:
    """Returns an application that serves one file whatever the path."""

    class Page(FilesWithHeaders):
        def get_path(self, scope: Any) -> str:
            return name

    return Page(PAGE_HEADERS, directory=STATIC_DIR)


def make_operations(
    num_words: int, attribution: str, stores_drawings: bool, guesses_on_device: bool
) -> list[Operation]:
    """Makes the operation that tells the page what the server offers.

    Args:
      num_words: number of words of the model.
      attribution: author and license of the example drawings.
      stores_drawings: whether there is `/v1/drawings`.
      guesses_on_device: whether there is `/web/`.
    """
    about = AboutResponse(num_words, attribution, stores_drawings, guesses_on_device)
    body = msgspec.json.encode(about)

    async def get_about(request: Request) -> Response:
        return Response(body, media_type="application/json")

    return [
        Operation(
            "GET",
            "/v1/about",
            get_about,
            "Returns what this server offers.",
            tag="Guess",
            response=AboutResponse,
            example_response=msgspec.to_builtins(about),
        )
    ]
