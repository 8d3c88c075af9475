"""`/web/`: the files with which a page guesses by itself, where the export has them."""

import os

from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from serve_export import layout


class _Files(StaticFiles):
    def file_response(self, *arguments, **settings) -> Response:
        response = super().file_response(*arguments, **settings)
        # Asked for again, and mostly answered: not modified. Else a page would mix
        # the files of two exports.
        response.headers["cache-control"] = "no-cache"
        return response


def routes(path: str) -> list[Mount]:
    """Makes the route of the web folder of `DIR/<version>`, if there is one here."""
    folder = layout.join(path, layout.WEB)
    if not os.path.isdir(folder):
        return []
    return [Mount("/web", _Files(directory=folder))]
