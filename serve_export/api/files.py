"""Files of a folder, answered with headers of their own."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

FRESH = {"cache-control": "no-cache"}
"""Asked for again, and mostly answered: not modified."""


class Files(StaticFiles):
    """Adds headers to what StaticFiles answers with a file."""

    def __init__(self, headers: Mapping[str, str], **settings: Any):
        """Takes the headers, and the settings of StaticFiles."""
        super().__init__(**settings)
        self._headers = headers

    def file_response(self, *arguments: Any, **settings: Any) -> Response:
        """Makes the answer, as StaticFiles does."""
        response = super().file_response(*arguments, **settings)
        response.headers.update(self._headers)
        return response
